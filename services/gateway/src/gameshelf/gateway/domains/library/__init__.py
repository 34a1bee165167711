"""The library: items, categories, grants and the projection of the Catalog."""

from gameshelf.gateway.domains.library import (
    consumed,
    errors,
    published,
    reactions,
    rest,
    rest_home,
    support,
)
from gameshelf.gateway.domains.library.export import EXPORT
from gameshelf.gateway.domains.library.instance import create, make_services
from gameshelf.gateway.domains.library.settings import LibrarySection
from gameshelf.gateway.runtime.domain import Domain
from gameshelf.gateway.runtime.streams import Versions
from gameshelf.library import ACTIVE_SHARES, CATALOG_VERSION, METADATA, MIGRATIONS, TIMELINE, LibraryQueries

DOMAIN = Domain(
    "library",
    create,
    MIGRATIONS,
    METADATA,
    services=make_services,
    routes=(*rest.routes.all, *rest_home.routes.all),
    published=published.FORMS,
    reactions=reactions.REACTIONS,
    consumed=consumed.EVENTS,
    commands=support.COMMANDS,
    export=EXPORT,
    codes=errors.CODES,
    rules=errors.RULES,
    product_names=LibraryQueries,
    versions=Versions(CATALOG_VERSION, ACTIVE_SHARES),
    settings=LibrarySection,
    timeline=TIMELINE,
)
