"""Family sharing in one process."""

from datetime import timedelta

from gameshelf.gateway.domains.family.jobs.clock import FamilyClock
from gameshelf.gateway.domains.family.jobs.dissolution import Dissolution, erase_seats, has_links
from gameshelf.gateway.domains.family.jobs.shares import ShareRefresh
from gameshelf.gateway.domains.family.settings import FamilySection
from gameshelf.gateway.domains.family.support import Families
from gameshelf.gateway.runtime.domain import DomainInstance, Runtime
from gameshelf.gateway.runtime.jobs.erasure import Erasing
from gameshelf.gateway.runtime.jobs.schedule import Job
from gameshelf.gateway.runtime.settings import Settings
from gameshelf.gateway.runtime.transaction import ServiceContext, Services
from gameshelf.library import FamilyLinks, FamilySeats, FamilyShares
from gameshelf.playtime import CopyQueries


async def create(runtime: Runtime) -> DomainInstance:
    acquire, transactions, metrics = runtime.acquire, runtime.transactions, runtime.metrics
    dissolution = Dissolution(acquire, transactions, metrics=metrics)
    clock = FamilyClock(acquire, transactions, runtime.settings.silence, metrics=metrics)
    shares = ShareRefresh(acquire, transactions, metrics)
    return DomainInstance(
        support=[Families],
        jobs=[Job("family clock", clock.run_once, 1.0), Job("shared products", shares.run_once, 0.5)],
        erasing=Erasing(before=dissolution.dissolve, has_partners=has_links, rows=[erase_seats]),
    )


def make_services(settings: Settings) -> Services:
    """Returns the factories of the services; play sessions determine who plays which copy."""
    grace = timedelta(seconds=settings.family_seat_grace_seconds)

    def make_links(context: ServiceContext) -> FamilyLinks:
        most = settings.of(FamilySection).max_members
        return FamilyLinks(context.connection, context.record, context.clock, most, context.serialise)

    def make_seats(context: ServiceContext) -> FamilySeats:
        players = CopyQueries(context.connection)
        return FamilySeats(context.connection, context.record, players, context.clock, grace, context.serialise)

    def make_shares(context: ServiceContext) -> FamilyShares:
        return FamilyShares(context.connection, context.record, context.clock, context.serialise)

    return {FamilyLinks: make_links, FamilySeats: make_seats, FamilyShares: make_shares}
