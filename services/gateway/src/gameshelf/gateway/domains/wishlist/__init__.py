"""The wishlist, prices and sales."""

from gameshelf.gateway.domains.wishlist import consumed, errors, published, reactions, rest, support
from gameshelf.gateway.domains.wishlist.instance import create, make_queries, make_services
from gameshelf.gateway.domains.wishlist.jobs.retention import RETENTION
from gameshelf.gateway.domains.wishlist.metrics import WishlistMetrics
from gameshelf.gateway.domains.wishlist.settings import WishlistSection
from gameshelf.gateway.runtime.domain import Domain
from gameshelf.wishlist import METADATA, MIGRATIONS, TIMELINE

DOMAIN = Domain(
    "wishlist",
    create,
    MIGRATIONS,
    METADATA,
    services=make_services,
    queries=make_queries,
    routes=rest.routes.all,
    published=published.FORMS,
    reactions=reactions.REACTIONS,
    bulk_topics=published.BULK_TOPICS,
    consumed=consumed.EVENTS,
    commands=support.COMMANDS,
    codes=errors.CODES,
    rules=errors.RULES,
    retention=RETENTION,
    settings=WishlistSection,
    metrics=WishlistMetrics,
    timeline=TIMELINE,
)
