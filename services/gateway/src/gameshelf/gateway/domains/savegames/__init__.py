"""Cloud saves."""

from gameshelf.gateway.domains.savegames import (
    consumed,
    errors,
    published,
    rest,
    rest_conflicts,
    rest_files,
    rest_plans,
    rest_uploads,
    support,
)
from gameshelf.gateway.domains.savegames.export import EXPORT
from gameshelf.gateway.domains.savegames.instance import create, make_queries, make_services
from gameshelf.gateway.domains.savegames.metrics import SavegameMetrics
from gameshelf.gateway.domains.savegames.settings import SavegameSection
from gameshelf.gateway.runtime.domain import Domain
from gameshelf.savegames import METADATA, MIGRATIONS, TIMELINE

DOMAIN = Domain(
    "savegames",
    create,
    MIGRATIONS,
    METADATA,
    services=make_services,
    queries=make_queries,
    routes=(
        *rest.routes.all,
        *rest_uploads.routes.all,
        *rest_files.routes.all,
        *rest_conflicts.routes.all,
        *rest_plans.routes.all,
    ),
    commands=support.COMMANDS,
    export=EXPORT,
    codes=errors.CODES,
    rules=errors.RULES,
    published=published.FORMS,
    consumed=consumed.EVENTS,
    settings=SavegameSection,
    metrics=SavegameMetrics,
    timeline=TIMELINE,
)
