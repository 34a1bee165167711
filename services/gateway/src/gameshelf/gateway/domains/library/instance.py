"""The library in one process."""

from gameshelf.gateway.domains.library.catalog import Catalog
from gameshelf.gateway.domains.library.grpc import LibraryQuery
from gameshelf.gateway.domains.library.jobs.categories import CategoryFolding
from gameshelf.gateway.domains.library.jobs.item_ids import ItemIdRewriting
from gameshelf.gateway.domains.library.jobs.products import MissingProducts
from gameshelf.gateway.domains.library.jobs.titles import TitleFolding
from gameshelf.gateway.domains.library.settings import LibrarySection
from gameshelf.gateway.domains.library.support.access import AccessOfUser
from gameshelf.gateway.domains.library.support.finding import find_in_libraries
from gameshelf.gateway.domains.library.support.library import Libraries
from gameshelf.gateway.domains.library.support.orders import Orders
from gameshelf.gateway.domains.library.support.overview import OVERVIEW
from gameshelf.gateway.runtime.domain import DomainInstance, Runtime
from gameshelf.gateway.runtime.jobs.erasure import Erasing, erase_rows
from gameshelf.gateway.runtime.jobs.schedule import Job
from gameshelf.gateway.runtime.settings import Settings
from gameshelf.gateway.runtime.transaction import ServiceContext, Services
from gameshelf.library import LibraryService


async def create(runtime: Runtime) -> DomainInstance:
    acquire, transactions = runtime.acquire, runtime.transactions
    address = runtime.settings.of(LibrarySection).catalog_grpc_addr
    catalog = Catalog(address) if address else None
    return DomainInstance(
        servicers=[LibraryQuery(acquire, runtime.streams)],
        support=[Libraries, AccessOfUser, Orders],
        overview=OVERVIEW,
        finders=[find_in_libraries],
        jobs=[
            Job("missing products", MissingProducts(acquire, catalog, runtime.metrics).run_once, 5.0),
            Job("item ids", ItemIdRewriting(transactions).run_once, 60.0),
            Job("title folding", TitleFolding(acquire).run_once, 3600.0),
            Job("category folding", CategoryFolding(acquire, transactions, runtime.metrics).run_once, 3600.0),
        ],
        erasing=Erasing(rows=[erase_rows(runtime.services[LibraryService])]),
        close=catalog.close if catalog else None,
    )


def make_services(settings: Settings) -> Services:
    def make_library(context: ServiceContext) -> LibraryService:
        return LibraryService(context.connection, context.record, context.clock, context.serialise)

    return {LibraryService: make_library}
