"""Jobs for running sessions: they check, checkpoint and refill Redis, and end sessions without heartbeats.

Every instance runs both jobs. One instance at a time watches a shard, and one claims a dead session.
"""

import asyncio
import logging
import math
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from asyncpg import LockNotAvailableError
from gameshelf.gateway.domains.playtime.live_sessions import LiveSessions
from gameshelf.gateway.runtime.database import Acquire, hardly_wait
from gameshelf.gateway.runtime.failures import is_passing
from gameshelf.gateway.runtime.jobs.erasure import EraseRows
from gameshelf.gateway.runtime.jobs.isolation import Isolation
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.storage.redis import REDIS_ERRORS
from gameshelf.gateway.runtime.streams import UserErased
from gameshelf.gateway.runtime.transaction import Transactions
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.playtime import (
    SHARDS,
    Beat,
    Liveness,
    PlaytimeService,
    SessionKey,
    ShardWatch,
    before_shard,
    longest_gap,
    may_end,
    next_watch,
)

_log = logging.getLogger(__name__)

_CHUNK = 500
_REAPED_AT_ONCE = 200
_SIDE_BY_SIDE = 8
_CHECKPOINT_AFTER = timedelta(seconds=30)
"""The contract (section 3.3) requires a checkpoint every 60 seconds; a round may be late."""
_CLOCKS_APART = timedelta(seconds=5)
"""A heartbeat has the time of the instance that received it, whose clock may be this far behind."""


def look_seconds(timeout: timedelta) -> float:
    """Returns the number of seconds between two checks of a shard."""
    return timeout.total_seconds() / 60


class SessionWatch:
    """Checks every shard for lost heartbeats, and writes new heartbeats to PostgreSQL."""

    def __init__(
        self,
        live: LiveSessions,
        acquire: Acquire,
        timeout: timedelta,
        clock: Clock = utc_now,
        metrics: Metrics | None = None,
    ) -> None:
        self._shards = Isolation[int]("session watch", metrics)
        self._live = live
        self._acquire = acquire
        self._timeout = timeout
        self._checkpoint_after = min(_CHECKPOINT_AFTER, timeout / 10)
        # A few shards per round while none is late: all of them at once would delay concurrent heartbeats.
        rounds = self._checkpoint_after.total_seconds() / look_seconds(timeout)
        self._checkpoints_a_round = self._checkpoints_left = math.ceil(SHARDS / rounds)
        self._clock = clock

    async def run_once(self) -> None:
        """Checks each shard that no other instance is checking."""
        self._checkpoints_left = self._checkpoints_a_round
        for shard in filter(self._shards.is_due, range(SHARDS)):
            with self._shards.attempt(shard):
                await self._look_at(shard)

    async def _look_at(self, shard: int) -> None:
        # Redis is changed before the commit: after a crash in between the counts differ, and the watch starts again.
        async with self._acquire() as connection, connection.transaction():
            liveness = Liveness(connection)
            kept = await liveness.lock_watch(shard)
            if kept is not None:
                await liveness.save_watch(await self._look(connection, liveness, kept))

    async def _look(self, connection: Any, liveness: Liveness, kept: ShardWatch) -> ShardWatch:
        now = self._clock()
        seen = await self._live.seen(kept.shard)
        watch = next_watch(seen, kept.watch, now, longest_gap(self._timeout))
        looked = replace(kept, watch=watch)
        is_new = watch.since == now
        if is_new or now - kept.swept_at >= self._timeout:
            # Also if no data was lost: a process may have crashed before it wrote a new session to Redis.
            await self._sweep(liveness, kept.shard)
            looked = replace(looked, swept_at=now)
        if self._is_due(now - kept.checkpointed_at):
            await hardly_wait(connection)
            await self._checkpoint(connection, liveness, kept, now)
            looked = replace(looked, checkpointed_at=now)
        await self._live.tick(kept.shard, watch.ticks)
        return looked

    def _is_due(self, age: timedelta) -> bool:
        """Returns whether a shard with a checkpoint of this age gets the next one in this round."""
        if age >= self._checkpoint_after and (self._checkpoints_left > 0 or age >= 1.5 * self._checkpoint_after):
            self._checkpoints_left -= 1
            return True
        return False

    async def _sweep(self, liveness: Liveness, shard: int) -> None:
        """Adds every running session to Redis that is missing there."""
        after = before_shard(shard)
        while beats := await liveness.running(shard, after, _CHUNK):
            await self._live.add_sessions(beats)
            after = beats[-1].key.session_id

    async def _checkpoint(self, connection: Any, liveness: Liveness, kept: ShardWatch, now: datetime) -> None:
        """Writes heartbeats since the last checkpoint to PostgreSQL, and removes ended sessions from Redis.

        A session whose row is locked is skipped: its next heartbeat is written by a later checkpoint.
        """
        since, until = kept.checkpointed_at - _CLOCKS_APART, now + _CLOCKS_APART
        while True:
            beats = await self._live.between(kept.shard, since, until, _CHUNK)
            ended = await _write_down(connection, liveness, beats) if beats else set()
            if ended:
                await self._live.remove_sessions(ended)
            if len(beats) < _CHUNK:
                return
            # The next part begins at the time at which this one ended: other heartbeats may have the same time.
            newest = beats[-1].at
            since = newest if newest > since else newest + timedelta(milliseconds=1)


async def _write_down(connection: Any, liveness: Liveness, beats: Sequence[Beat]) -> set[SessionKey]:
    try:
        async with connection.transaction():
            return await liveness.checkpoint(beats)
    except LockNotAvailableError:
        return await liveness.checkpoint(beats, skip_held=True)


class SessionReaper:
    """Ends sessions without a heartbeat for the time-out, at their last heartbeat."""

    def __init__(
        self,
        live: LiveSessions,
        acquire: Acquire,
        transactions: Transactions,
        timeout: timedelta,
        clock: Clock = utc_now,
        metrics: Metrics | None = None,
    ) -> None:
        self._shards = Isolation[int]("session reaper", metrics)
        self._live = live
        self._acquire = acquire
        self._transactions = transactions
        self._timeout = timeout
        self._clock = clock
        self._slots = asyncio.Semaphore(_SIDE_BY_SIDE)

    async def run_once(self) -> None:
        """Ends all dead sessions."""
        for shard in filter(self._shards.is_due, range(SHARDS)):
            with self._shards.attempt(shard):
                while await self._reap(shard) == _REAPED_AT_ONCE:
                    pass

    async def _reap(self, shard: int) -> int:
        """Ends some dead sessions of a shard; returns how many sessions were silent."""
        now = self._clock()
        silent = await self._live.between(shard, _LONG_AGO, now - self._timeout, _REAPED_AT_ONCE)
        if not silent:
            return 0
        async with self._acquire() as connection:
            [watched] = [one for one in await Liveness(connection).watches() if one.shard == shard]
        # Their last heartbeats are in PostgreSQL, so that a sweep can restore sessions that are claimed but not ended.
        is_written = watched.checkpointed_at > silent[-1].at + _CLOCKS_APART
        if not (is_written and may_end(watched.watch, now, self._timeout)):
            return 0
        claimed = await self._live.claim(shard, watched.watch.ticks, silent)
        users: dict[UUID, list[Beat]] = defaultdict(list)
        for beat in claimed:
            users[beat.key.user_id].append(beat)
        async with asyncio.TaskGroup() as tasks:
            for beats in users.values():
                tasks.create_task(self._end_all(beats))
        return len(claimed)

    async def _end_all(self, dead: Sequence[Beat]) -> None:
        """Ends sessions of one user one after another: concurrently they would wait for the user's row."""
        for beat in dead:
            await self._end(beat)

    async def _end(self, dead: Beat) -> None:
        """Ends one session unless it has ended, or has received a heartbeat, according to PostgreSQL."""
        try:
            async with self._slots, self._transactions.begin_background(dead.key.user_id, wait=True) as transaction:
                service = transaction.of(PlaytimeService)
                if not await service.end_dead(dead.key.user_id, dead.key.session_id, dead.at):
                    transaction.discard()
        except UserErased:
            return
        except Exception as error:
            # It still runs in PostgreSQL, and the next sweep finds it; the other sessions are ended.
            _log.warning("a dead session could not be ended", exc_info=None if is_passing(error) else error)


def forget_live(live: LiveSessions) -> EraseRows:
    """Makes the part of an erasure that removes sessions from Redis, so that their heartbeats are refused."""

    async def forget(connection: Connection, user_id: UUID, limit: int) -> bool:
        with suppress(*REDIS_ERRORS):  # the next checkpoint removes them
            await live.remove_sessions(await Liveness(connection).running_of_user(user_id))
        return False

    return forget


_LONG_AGO = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
