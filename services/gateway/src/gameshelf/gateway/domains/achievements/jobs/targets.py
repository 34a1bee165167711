"""Unlocks achievements whose target the Catalog has lowered, for all players who have reached it, in bounded chunks
with one short transaction each.

A chunk takes the players whose rows are not locked, and never waits. Players whose rows are locked, or whose unlock
fails, are skipped, and another walk over all players follows. The review ends when no player is left, and when no
transaction runs any more that may have read the old target. The progress is kept in this process only: another process,
or this one after a restart, starts from the first player, and finds only achievements that are still locked.
"""

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from gameshelf.achievements import TargetReview, TargetReviews
from gameshelf.gateway.runtime.database import Acquire, hardly_wait
from gameshelf.gateway.runtime.distributed import is_distributed
from gameshelf.gateway.runtime.failures import is_contention
from gameshelf.gateway.runtime.jobs.isolation import Isolation, concerns_everybody
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.outbox import backlog
from gameshelf.gateway.runtime.transaction import Transactions
from gameshelf.kernel.clock import Clock, utc_now

CHUNK = 200
"""How many players one transaction examines."""
_REVIEWS_AT_ONCE = 5000
_MOST_WAITING = 20_000
"""The next chunk waits while more events than this wait for Kafka."""
_AGAIN_SECONDS = 2.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 60.0
"""The pause between walks doubles while transactions run that may have read the old target: some run for hours."""
_LONGEST_REPORT = 120.0
"""How long a review continues at least where tables are distributed: a report that is about one shard only has no
id on the coordinator. It is a transaction of four statements of at most 30 seconds each.
"""
_REST = 0.5
"""The pause after a chunk, as a fraction of the time that it took."""
_NOBODY_YET = UUID(int=0)


@dataclass(slots=True)
class _Walk:
    """The progress of this process in a review: one walk over its players."""

    target: int
    revision: int
    settled_at: int
    """Once all transactions below this id have ended, no transaction uses the old target."""
    settled_from: float = 0.0
    """Nor before this time, by the clock of the process."""
    due_at: float = 0.0
    pause: float = _FIRST_PAUSE
    cursor: UUID = _NOBODY_YET
    is_settled: bool = False
    """Whether no transaction used the old target when the walk began."""
    is_anybody_left: bool = False

    def is_about(self, review: TargetReview) -> bool:
        return (self.target, self.revision) == (review.target, review.revision)

    def begin(self, review: TargetReview, now: float) -> None:
        """Starts at the first player."""
        self.cursor, self.is_anybody_left = _NOBODY_YET, False
        self.is_settled = review.oldest_running >= self.settled_at and now >= self.settled_from

    @property
    def is_last(self) -> bool:
        """Returns whether no further walk is needed once this one ends."""
        return self.is_settled and not self.is_anybody_left

    def wait(self, now: float) -> None:
        """Ends the walk, and schedules the next one unless this was the last one."""
        self.cursor = _NOBODY_YET
        if self.is_settled:
            self.due_at = now + _AGAIN_SECONDS
        else:
            self.due_at, self.pause = now + self.pause, min(self.pause * 2, _LONGEST_PAUSE)


class LoweredTargets:
    """Reviews changed targets, a chunk of each in turn. Any number of instances may work concurrently."""

    def __init__(
        self,
        acquire: Acquire,
        transactions: Transactions,
        clock: Clock = utc_now,
        metrics: Metrics | None = None,
    ) -> None:
        self._acquire = acquire
        self._transactions = transactions
        self._clock = clock
        self._walks: dict[UUID, _Walk] = {}
        self._reviews = Isolation[UUID]("targets", metrics)
        self._players = Isolation[tuple[UUID, UUID]]("targets", metrics)

    async def run_once(self) -> None:
        """Works until nothing is left that can be done now."""
        while due := await self._due():
            for review in due:
                started = time.perf_counter()
                with self._reviews.attempt(review.achievement_id):
                    await self._unlock_chunk_surely(review, self._walks[review.achievement_id])
                await asyncio.sleep((time.perf_counter() - started) * _REST)

    async def _due(self) -> list[TargetReview]:
        """Returns the reviews to continue. Ends reviews that need no further walk."""
        now = time.monotonic()
        async with self._acquire() as connection:
            reviews = TargetReviews(connection, self._clock)
            pending = await reviews.pending(_REVIEWS_AT_ONCE + len(self._reviews))
            walks = {}
            settled_from = now + _LONGEST_REPORT if is_distributed(connection) else now
            for one in pending:
                walk = self._walks.get(one.achievement_id)
                if walk is None or not walk.is_about(one):
                    walk = _Walk(one.target, one.revision, one.next_transaction, settled_from)
                walks[one.achievement_id] = walk
            self._walks = walks
            due = [one for one in pending if walks[one.achievement_id].due_at <= now]
            for one in due:
                if walks[one.achievement_id].cursor == _NOBODY_YET:
                    walks[one.achievement_id].begin(one, now)
            begun = await reviews.begun(due)
            idle = [one for one in due if one.achievement_id not in begun]
            if over := [one for one in idle if walks[one.achievement_id].is_last]:
                await reviews.finish(over)
            for one in idle:
                walks[one.achievement_id].wait(now)
            going = [one for one in due if one.achievement_id in begun and self._reviews.is_due(one.achievement_id)]
            if going and (await backlog.measure(connection)).pending > _MOST_WAITING:
                return []
            return going

    async def _unlock_chunk_surely(self, review: TargetReview, walk: _Walk) -> None:
        try:
            await self._unlock_chunk(review, walk)
        except Exception as error:
            if concerns_everybody(error) or is_contention(error):
                raise
            # One of the players may be the cause, who then fails alone. If it is the review, this attempt fails, too.
            await self._unlock_chunk(review, walk, one_by_one=True)

    async def _unlock_chunk(self, review: TargetReview, walk: _Walk, *, one_by_one: bool = False) -> None:
        async with self._transactions.begin_with_nobody() as transaction:
            await hardly_wait(transaction.connection)
            reviews = TargetReviews(transaction.connection, self._clock)
            players = await reviews.players(review, walk.cursor, CHUNK)
            if players.last is None and walk.is_last:
                await reviews.finish([review])
            free = set() if one_by_one else await transaction.lock_free(players.reached)
            for event in await reviews.unlock(review, free) if free else ():
                transaction.record(event)
        busy = set(players.reached) - free
        if one_by_one:
            busy = await self._unlock_each(review, players.reached)
        if players.last is None:
            walk.wait(time.monotonic())
        else:
            walk.cursor, walk.is_anybody_left = players.last, walk.is_anybody_left or bool(busy)

    async def _unlock_each(self, review: TargetReview, user_ids: Collection[UUID]) -> set[UUID]:
        """Unlocks for each player in a separate transaction; returns the players for whom it failed."""
        failed = set(user_ids)
        for user_id in user_ids:
            key = (user_id, review.achievement_id)
            if not self._players.is_due(key):
                continue
            with self._players.attempt(key):
                async with self._transactions.begin_background(user_id) as transaction:
                    for event in await TargetReviews(transaction.connection, self._clock).unlock(review, [user_id]):
                        transaction.record(event)
                failed.discard(user_id)
        return failed
