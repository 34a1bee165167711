"""Play sessions and playtime."""

from gameshelf.gateway.domains.playtime import errors, published, reactions, rest, support, support_sessions
from gameshelf.gateway.domains.playtime.instance import create, make_services
from gameshelf.gateway.domains.playtime.metrics import PlaytimeMetrics
from gameshelf.gateway.domains.playtime.settings import PlaytimeSection
from gameshelf.gateway.runtime.domain import Domain
from gameshelf.playtime import METADATA, MIGRATIONS, TIMELINE

DOMAIN = Domain(
    "playtime",
    create,
    MIGRATIONS,
    METADATA,
    services=make_services,
    routes=rest.routes.all,
    commands=(*support.COMMANDS, *support_sessions.COMMANDS),
    codes=errors.CODES,
    rules=errors.RULES,
    published=published.FORMS,
    reactions=reactions.REACTIONS,
    settings=PlaytimeSection,
    metrics=PlaytimeMetrics,
    timeline=TIMELINE,
)
