"""Play sessions in one process: heartbeats, kept in Redis."""

from datetime import timedelta

from gameshelf.gateway.domains.playtime.grpc import PlaytimeTracker
from gameshelf.gateway.domains.playtime.heartbeats import Heartbeats
from gameshelf.gateway.domains.playtime.live_sessions import LiveSessions
from gameshelf.gateway.domains.playtime.lost_seats import LostSeats
from gameshelf.gateway.domains.playtime.support import OVERVIEW, PlaytimeOfUser
from gameshelf.gateway.runtime.domain import DomainInstance, Runtime
from gameshelf.gateway.runtime.settings import Settings
from gameshelf.gateway.runtime.transaction import ServiceContext, Services
from gameshelf.library import AccessQueries, FamilySeats
from gameshelf.playtime import CopyQueries, PlaytimeService


async def create(runtime: Runtime) -> DomainInstance:
    settings = runtime.settings
    live, lost_seats = LiveSessions(runtime.redis), LostSeats(runtime.acquire)
    heartbeats = Heartbeats(
        live, runtime.acquire, runtime.streams, runtime.metrics, settings.session_timeout, lost_seats
    )
    tracker = PlaytimeTracker(
        runtime.transactions,
        heartbeats,
        settings.heartbeat_interval_seconds,
        runtime.verifier,
        runtime.limits,
        runtime.hub,
        runtime.stopping,
    )
    return DomainInstance(
        {Heartbeats: heartbeats, LiveSessions: live, LostSeats: lost_seats},
        [tracker],
        support=[PlaytimeOfUser],
        overview=OVERVIEW,
    )


def make_services(settings: Settings) -> Services:
    """The library says who may play, and whose copy."""
    import_max_age = timedelta(days=settings.import_max_age_days)
    grace = timedelta(seconds=settings.family_seat_grace_seconds)

    def make_playtime(context: ServiceContext) -> PlaytimeService:
        players = CopyQueries(context.connection)
        seats = FamilySeats(context.connection, context.record, players, context.clock, grace, context.serialise)
        return PlaytimeService(
            context.connection,
            context.record,
            AccessQueries(context.connection),
            seats,
            context.clock,
            import_max_age,
            settings.silence,
            context.serialise,
        )

    return {PlaytimeService: make_playtime}
