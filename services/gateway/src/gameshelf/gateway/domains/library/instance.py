"""The library in one process."""

from gameshelf.gateway.domains.library.grpc import LibraryQuery
from gameshelf.gateway.domains.library.support.access import AccessOfUser
from gameshelf.gateway.domains.library.support.library import Libraries
from gameshelf.gateway.domains.library.support.overview import OVERVIEW
from gameshelf.gateway.runtime.domain import DomainInstance, Runtime
from gameshelf.gateway.runtime.settings import Settings
from gameshelf.gateway.runtime.transaction import ServiceContext, Services
from gameshelf.library import LibraryService


async def create(runtime: Runtime) -> DomainInstance:
    return DomainInstance(
        servicers=[LibraryQuery(runtime.acquire, runtime.streams)],
        support=[Libraries, AccessOfUser],
        overview=OVERVIEW,
    )


def make_services(settings: Settings) -> Services:
    def make_library(context: ServiceContext) -> LibraryService:
        return LibraryService(context.connection, context.record, context.clock, context.serialise)

    return {LibraryService: make_library}
