"""Play sessions in one process: heartbeats, kept in Redis."""

from datetime import timedelta
from functools import partial

from gameshelf.gateway.domains.playtime.after_commit import after_commit
from gameshelf.gateway.domains.playtime.grpc import PlaytimeTracker
from gameshelf.gateway.domains.playtime.heartbeats import Heartbeats
from gameshelf.gateway.domains.playtime.jobs import SessionReaper, SessionWatch, forget_live, look_seconds
from gameshelf.gateway.domains.playtime.live_sessions import LiveSessions
from gameshelf.gateway.domains.playtime.lost_seats import LostSeats
from gameshelf.gateway.domains.playtime.metrics import PlaytimeMetrics
from gameshelf.gateway.domains.playtime.settings import PlaytimeSection
from gameshelf.gateway.domains.playtime.support import OVERVIEW, PlaytimeOfUser
from gameshelf.gateway.domains.playtime.support_devices import devices_that_play
from gameshelf.gateway.domains.playtime.support_finding import find_sessions
from gameshelf.gateway.domains.playtime.support_sessions import SessionsOfUser
from gameshelf.gateway.runtime.domain import DomainInstance, Runtime
from gameshelf.gateway.runtime.jobs.erasure import Erasing, erase_rows
from gameshelf.gateway.runtime.jobs.schedule import Job
from gameshelf.gateway.runtime.settings import ServiceRole, Settings
from gameshelf.gateway.runtime.transaction import ServiceContext, Services
from gameshelf.library import AccessQueries, FamilySeats
from gameshelf.playtime import CopyQueries, PlaytimeService


async def create(runtime: Runtime) -> DomainInstance:
    settings, acquire, metrics = runtime.settings, runtime.acquire, runtime.metrics
    timeout = settings.session_timeout
    live, lost_seats = LiveSessions(runtime.redis), LostSeats(acquire)
    heartbeats = Heartbeats(live, acquire, runtime.streams, metrics, timeout, lost_seats)
    tracker = PlaytimeTracker(
        runtime.transactions,
        heartbeats,
        settings.heartbeat_interval_seconds,
        runtime.verifier,
        runtime.limits,
        runtime.hub,
        runtime.stopping,
    )
    watch = SessionWatch(live, acquire, timeout, metrics=metrics)
    reaper = SessionReaper(live, acquire, runtime.transactions, timeout, metrics=metrics)
    look = look_seconds(timeout)

    active_sessions = metrics.of(PlaytimeMetrics).active_sessions

    async def measure() -> None:
        active_sessions.set(await live.count_sessions())

    return DomainInstance(
        {Heartbeats: heartbeats, LiveSessions: live, LostSeats: lost_seats},
        [tracker],
        support=[PlaytimeOfUser, lambda context: SessionsOfUser(context, live, timeout)],
        overview=OVERVIEW,
        devices=devices_that_play(live),
        finders=[find_sessions],
        after_commit=after_commit(heartbeats, metrics.of(PlaytimeMetrics)),
        jobs=[
            Job("session watch", watch.run_once, look),
            Job("session reaper", reaper.run_once, look),
            # Processes with the role jobs receive events of reclaimed copies, too, and have to drop expired ones.
            Job("lost seats", lost_seats.refresh, 1.0, roles=frozenset({ServiceRole.API, ServiceRole.JOBS})),
        ],
        background=[("heartbeats", partial(heartbeats.run, accepting=ServiceRole.API in settings.roles))],
        erasing=Erasing(rows=[forget_live(live), erase_rows(runtime.services[PlaytimeService])]),
        measure=measure,
    )


def make_services(settings: Settings) -> Services:
    """Returns the factory of the service; the library decides who may play, and whose copy."""
    import_max_age = timedelta(days=settings.of(PlaytimeSection).import_max_age_days)
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
