"""The wishlist in one process."""

from gameshelf.gateway.domains.wishlist.grpc import Wishlists
from gameshelf.gateway.domains.wishlist.jobs.old_prices import OldPriceTakeover
from gameshelf.gateway.domains.wishlist.jobs.sales import Sales
from gameshelf.gateway.domains.wishlist.metrics import WishlistMetrics
from gameshelf.gateway.domains.wishlist.settings import WishlistSection
from gameshelf.gateway.domains.wishlist.support import OVERVIEW, WishlistOfUser
from gameshelf.gateway.runtime.domain import DomainInstance, Runtime
from gameshelf.gateway.runtime.http.routing import Queries
from gameshelf.gateway.runtime.jobs.erasure import Erasing, erase_rows
from gameshelf.gateway.runtime.jobs.schedule import Job
from gameshelf.gateway.runtime.settings import Settings
from gameshelf.gateway.runtime.transaction import ServiceContext, Services
from gameshelf.kernel.database import Connection
from gameshelf.library import AccessQueries, LibraryQueries
from gameshelf.wishlist import PriceDropped, SaleNoticed, WishlistQueries, WishlistService


async def create(runtime: Runtime) -> DomainInstance:
    acquire, transactions, metrics = runtime.acquire, runtime.transactions, runtime.metrics
    currency = runtime.settings.of(WishlistSection).default_currency
    sales = Sales(acquire, transactions, metrics=metrics, default_currency=currency)

    notifications = metrics.of(WishlistMetrics).notifications

    def count_notification(event: SaleNoticed | PriceDropped) -> None:
        notifications.inc()

    return DomainInstance(
        servicers=[Wishlists(transactions, acquire, runtime.streams)],
        support=[lambda context: WishlistOfUser(context, currency)],
        overview=OVERVIEW,
        after_commit={SaleNoticed: count_notification, PriceDropped: count_notification},
        jobs=[Job("sales", sales.run_once, 0.5), Job("old prices", OldPriceTakeover(acquire).run_once, 300.0)],
        erasing=Erasing(rows=[erase_rows(runtime.services[WishlistService])]),
    )


def make_services(settings: Settings) -> Services:
    """Returns the factory of the service; the library provides ownership and names of products."""
    section = settings.of(WishlistSection)

    def make_wishlist(context: ServiceContext) -> WishlistService:
        return WishlistService(
            context.connection,
            context.record,
            _Products(context.connection),
            context.clock,
            section.max_items,
            section.default_currency,
            context.serialise,
        )

    return {WishlistService: make_wishlist}


def make_queries(settings: Settings) -> Queries:
    currency = settings.of(WishlistSection).default_currency

    def make_wishlist_queries(connection: Connection) -> WishlistQueries:
        return WishlistQueries(connection, currency)

    return {WishlistQueries: make_wishlist_queries}


class _Products:
    """Implements the wishlist's port for products with the data of the library."""

    def __init__(self, connection: Connection) -> None:
        self.owns = AccessQueries(connection).owns
        self.title = LibraryQueries(connection).title
