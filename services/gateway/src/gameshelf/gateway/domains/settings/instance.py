"""Settings of games in one process."""

from gameshelf.gateway.domains.settings.grpc import GameSettingsSync
from gameshelf.gateway.domains.settings.settings import GameSettingsSection
from gameshelf.gateway.domains.settings.support import OVERVIEW, SettingsOfUser
from gameshelf.gateway.runtime.domain import DomainInstance, Runtime
from gameshelf.gateway.runtime.jobs.erasure import Erasing, erase_rows
from gameshelf.gateway.runtime.settings import Settings
from gameshelf.gateway.runtime.transaction import ServiceContext, Services
from gameshelf.library import AccessQueries
from gameshelf.settings import SettingsService


async def create(runtime: Runtime) -> DomainInstance:
    return DomainInstance(
        servicers=[GameSettingsSync(runtime.transactions, runtime.acquire, runtime.streams)],
        support=[SettingsOfUser],
        overview=OVERVIEW,
        erasing=Erasing(rows=[erase_rows(runtime.services[SettingsService])]),
        # A character of two bytes takes six in escaped JSON, and some clients indent it.
        large_body_bytes=4 * runtime.settings.of(GameSettingsSection).max_bytes,
    )


def make_services(settings: Settings) -> Services:
    """Returns the factory of the service; the library decides who has access to a product."""

    def make_settings(context: ServiceContext) -> SettingsService:
        access, max_bytes = AccessQueries(context.connection), settings.of(GameSettingsSection).max_bytes
        return SettingsService(context.connection, context.record, access, context.clock, max_bytes, context.serialise)

    return {SettingsService: make_settings}
