"""Settings of games."""

from gameshelf.gateway.domains.settings import errors, published, rest, support
from gameshelf.gateway.domains.settings.instance import create, make_services
from gameshelf.gateway.domains.settings.jobs.retention import RETENTION
from gameshelf.gateway.domains.settings.settings import GameSettingsSection
from gameshelf.gateway.runtime.domain import Domain
from gameshelf.settings import METADATA, MIGRATIONS, TIMELINE

DOMAIN = Domain(
    "settings",
    create,
    MIGRATIONS,
    METADATA,
    services=make_services,
    routes=rest.routes.all,
    commands=support.COMMANDS,
    codes=errors.CODES,
    rules=errors.RULES,
    published=published.FORMS,
    retention=RETENTION,
    settings=GameSettingsSection,
    timeline=TIMELINE,
)
