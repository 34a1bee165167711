"""Heartbeats of running sessions, written to Redis in coalesced batches.

A heartbeat waits a few milliseconds for others, and is answered when its batch is in Redis. Sessions that are missing
in Redis may have been lost; they are looked up in PostgreSQL separately, so that the rest of the batch does not wait.
"""

import asyncio
import logging
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from gameshelf.gateway.domains.playtime.live_sessions import (
    LiveSessions,
    Member,
    SessionChanges,
    member,
    milliseconds,
    moment,
    session_key,
)
from gameshelf.gateway.domains.playtime.lost_seats import LostSeats
from gameshelf.gateway.domains.playtime.metrics import PlaytimeMetrics
from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.errors import ServiceUnavailable
from gameshelf.gateway.runtime.failures import as_domain_error, is_passing
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.storage.redis import REDIS_ERRORS, not_cancelled
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.errors import DomainError, PermissionDenied
from gameshelf.playtime import (
    Beat,
    EndReason,
    FamilySeatLost,
    Liveness,
    SessionAlreadyEnded,
    SessionEnd,
    SessionNotFound,
    longest_gap,
)

_log = logging.getLogger(__name__)

GATHER_SECONDS = 0.005
"""How long the first heartbeat of a batch waits for others."""
MAX_WAITING = 100_000
"""Maximum number of heartbeats in one batch; more are refused."""
_REDIS_SECONDS = 1.0
_ACCEPT_SECONDS = 1.0
_SETTLING_SIDE_BY_SIDE = 4

HeartbeatRefusals = dict[Member, DomainError]


class Batch:
    """Changes that are written together."""

    def __init__(self) -> None:
        self.changes = SessionChanges()
        self.began = time.perf_counter()
        loop = asyncio.get_running_loop()
        self._written: asyncio.Future[set[Member]] = loop.create_future()
        self._settled: asyncio.Future[HeartbeatRefusals] = loop.create_future()

    async def refusals(self, members: Collection[Member]) -> HeartbeatRefusals:
        """Waits until the heartbeats of ``members`` are in Redis; returns refused ones, each with the reason."""
        missing = await asyncio.shield(self._written)
        if missing.isdisjoint(members):
            return {}
        refusals = await asyncio.shield(self._settled)
        return {one: refusals[one] for one in members if one in refusals}

    def written(self, missing: set[Member]) -> None:
        """Must be called when all heartbeats but the missing ones are in Redis."""
        self._written.set_result(missing)
        if not missing:
            self.settled({})

    def settled(self, refusals: HeartbeatRefusals) -> None:
        """Must be called with the refusals of missing ones; the others were found in PostgreSQL."""
        self._settled.set_result(refusals)

    def failed(self, error: DomainError) -> None:
        """Must be called when the batch could not be written."""
        self._written.set_result(set(self.changes.beats))
        self._settled.set_result(dict.fromkeys(self.changes.beats, error))


class Heartbeats:
    """Receives heartbeats, and updates Redis when sessions begin and end. ``run`` does the background work."""

    def __init__(
        self,
        live: LiveSessions,
        acquire: Acquire,
        streams: UserStreams,
        metrics: Metrics,
        timeout: timedelta,
        lost_seats: LostSeats,
        clock: Clock = utc_now,
    ) -> None:
        self.lost_seats = lost_seats
        self._live = live
        self._acquire = acquire
        self._streams = streams
        self._metrics = metrics.of(PlaytimeMetrics)
        self._redis_errors = metrics.dependency_errors.labels("redis")
        self._gap = longest_gap(timeout)
        self._clock = clock
        self._batch = Batch()
        self._woken = asyncio.Event()
        self._settling = asyncio.Semaphore(_SETTLING_SIDE_BY_SIDE)
        self._failing_since: datetime | None = None

    async def beat(self, user_id: UUID, session_id: UUID) -> datetime | None:
        """Records a heartbeat, which is in Redis when this returns. Returns when the session has to end because the
        owner wants the copy back; None if it may continue.

        Raises SessionNotFound (also for another user's session), SessionAlreadyEnded, FamilySeatLost, UserErased,
        ServiceUnavailable.
        """
        one = member(user_id, session_id)
        lost_at = self.lost_seats.until(one)
        if lost_at is not None and await self.lost_seats.is_over(one, self._clock()):
            raise seat_lost(lost_at)
        refusals = await self.add_heartbeats((one,)).refusals((one,))
        for refusal in refusals.values():
            if isinstance(refusal, SessionNotFound | PermissionDenied):
                async with self._acquire() as connection:
                    await self._streams.state(connection, user_id)  # an erased user has no sessions, either
            raise refusal
        return lost_at

    def add_heartbeats(self, members: Iterable[Member]) -> Batch:
        """Adds heartbeats of sessions at this moment; returns their batch. Raises ServiceUnavailable."""
        beats = self._batch.changes.beats
        if len(beats) >= MAX_WAITING:
            raise ServiceUnavailable("redis")
        now = milliseconds(self._clock())
        for one in members:
            beats[one] = now
        return self._wake()

    def started(self, user_id: UUID, session_id: UUID, at: datetime) -> None:
        """Adds a session that began or was started again, without waiting. The next sweep finds lost ones."""
        self._batch.changes.started[member(user_id, session_id)] = milliseconds(at)
        self._wake()

    def ended(self, user_id: UUID, session_id: UUID) -> None:
        """Removes a session that ended, so that heartbeats are refused. The next checkpoint finds lost removals."""
        self._batch.changes.ended.add(member(user_id, session_id))
        self._wake()

    def _wake(self) -> Batch:
        if not self._woken.is_set():
            self._batch.began = time.perf_counter()
            self._woken.set()
        return self._batch

    async def run(self, *, accepting: bool) -> None:
        """Writes batches until it is cancelled; ``accepting`` is whether this process receives heartbeats."""
        async with asyncio.TaskGroup() as tasks:
            if accepting:
                tasks.create_task(self._accept(), name="heartbeats accepted")
            while not_cancelled():
                await self._woken.wait()
                await asyncio.sleep(GATHER_SECONDS)
                self._woken.clear()
                batch, self._batch = self._batch, Batch()
                missing = await self._write(batch)
                if missing:
                    tasks.create_task(self._settle(batch, missing), name="heartbeats settle")

    async def _accept(self) -> None:
        """Reports that heartbeats are accepted; without that their absence means nothing (``playtime.watch``)."""
        while not_cancelled():
            with suppress(*REDIS_ERRORS):
                async with asyncio.timeout(_REDIS_SECONDS):
                    await self._live.accept(self._clock())
            await asyncio.sleep(_ACCEPT_SECONDS)

    async def _write(self, batch: Batch) -> set[Member]:
        beats = len(batch.changes.beats)
        try:
            async with asyncio.timeout(_REDIS_SECONDS):
                missing = await self._live.write(batch.changes)
        except REDIS_ERRORS as error:
            batch.failed(ServiceUnavailable("redis"))
            self._metrics.heartbeats.labels("failed").inc(beats)
            await self._failed(error)
            return set()
        self._failing_since = None
        batch.written(missing)
        self._metrics.heartbeats.labels("accepted").inc(beats - len(missing))
        if beats:
            self._metrics.heartbeat_seconds.observe(time.perf_counter() - batch.began)
        return missing

    async def _failed(self, error: Exception) -> None:
        now = self._clock()
        self._redis_errors.inc()
        if self._failing_since is None:
            _log.warning("Redis is away, heartbeats are refused: %s", type(error).__name__)
            self._failing_since = now
        elif now - self._failing_since > self._gap:
            # Redis may be away for this process only, so that the watch of another process does not notice it.
            try:
                async with self._acquire() as connection:
                    await Liveness(connection).interrupt(now)
                self._failing_since = now
            except Exception as away:
                if not is_passing(away):
                    raise

    async def _settle(self, batch: Batch, missing: set[Member]) -> None:
        try:
            async with self._settling:
                refusals = await self._ask(batch, missing)
        except REDIS_ERRORS:
            refusals = dict.fromkeys(missing, ServiceUnavailable("redis"))
        except Exception as error:
            refusals = dict.fromkeys(missing, as_domain_error(error))
        batch.settled(refusals)
        self._metrics.heartbeats.labels("accepted").inc(len(missing) - len(refusals))
        self._metrics.heartbeats.labels("refused").inc(len(refusals))

    async def _ask(self, batch: Batch, missing: set[Member]) -> HeartbeatRefusals:
        """Looks up missing sessions in PostgreSQL, and adds running ones to Redis with this heartbeat."""
        beats = {session_key(one): Beat(session_key(one), moment(batch.changes.beats[one])) for one in missing}
        async with self._acquire() as connection:
            erased = await self._streams.being_erased(connection, {key.user_id for key in beats})
            liveness = Liveness(connection)
            running = await liveness.revive([beat for key, beat in beats.items() if key.user_id not in erased])
            known = await liveness.known_sessions(list(beats.keys() - running))
        async with asyncio.timeout(_REDIS_SECONDS):
            await self._live.add_sessions(beats[key] for key in running)
        refusals: HeartbeatRefusals = {}
        for key in beats.keys() - running:
            refusal = SessionNotFound() if key not in known else _ended(known[key])
            refusals[member(key.user_id, key.session_id)] = PermissionDenied() if key.user_id in erased else refusal
        return refusals


def seat_lost(lost_at: datetime) -> FamilySeatLost:
    """Makes the refusal of a heartbeat after its seat was lost: the session ends at that time unless it has ended."""
    return FamilySeatLost(lost_at=lost_at, end_time=lost_at.replace(microsecond=0), end_reason=EndReason.SEAT_LOST)


def _ended(end: SessionEnd | None) -> DomainError:
    if end is None:
        return SessionAlreadyEnded()
    refusal = FamilySeatLost if end.end_reason == EndReason.SEAT_LOST else SessionAlreadyEnded
    return refusal(end_time=end.end_time, end_reason=end.end_reason)
