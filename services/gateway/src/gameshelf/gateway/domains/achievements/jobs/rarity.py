"""Maintains the counters of rarities: adds up deltas every second, and recounts once a day."""

import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from gameshelf.achievements import CounterDifference, RarityCounters, RarityRecounts, RecountProgress
from gameshelf.gateway.domains.achievements.metrics import AchievementMetrics
from gameshelf.gateway.runtime.database import Acquire, hardly_wait
from gameshelf.gateway.runtime.jobs.isolation import Isolation, concerns_everybody
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.kernel.clock import Clock, utc_now

_log = logging.getLogger(__name__)

_FOLDED_AT_ONCE = 5000
_PRODUCTS_AT_ONCE = 200
_RECOUNT_AFTER = timedelta(days=1)
_RECOUNT_SECONDS = 45.0
"""Maximum length of a round; the next one, on any instance, continues."""
_BEGINNING = UUID(int=0)


class RarityFold:
    """Adds the deltas of players' unlocks and purchases to the counters."""

    def __init__(self, acquire: Acquire, metrics: Metrics | None = None) -> None:
        self._acquire = acquire
        self._products = Isolation[UUID]("rarity", metrics)

    async def run_once(self) -> None:
        """Adds up all deltas, a few thousand per transaction, of all products together. After a failure each product is
        handled separately, so that one product does not delay the others.
        """
        if not len(self._products):
            try:
                while await self._fold() == _FOLDED_AT_ONCE:
                    pass
            except Exception as error:
                if concerns_everybody(error):
                    raise
            else:
                return
        await self._fold_each()

    async def _fold(self, product_id: UUID | None = None) -> int:
        async with self._acquire() as connection, connection.transaction():
            await hardly_wait(connection)
            counters = RarityCounters(connection)
            if product_id is None:
                return await counters.fold(_FOLDED_AT_ONCE)
            return await counters.fold_product(product_id, _FOLDED_AT_ONCE)

    async def _fold_each(self) -> None:
        after = _BEGINNING
        while True:
            async with self._acquire() as connection:
                products = await RarityCounters(connection).waiting(after, _PRODUCTS_AT_ONCE)
            for product_id in filter(self._products.is_due, products):
                with self._products.attempt(product_id):
                    while await self._fold(product_id) == _FOLDED_AT_ONCE:
                        pass
            if len(products) < _PRODUCTS_AT_ONCE:
                return
            after = products[-1]


class RarityRecount:
    """Recounts owners and unlocks, product by product, and corrects the counters.

    Each statement reads a bounded part of a product's owners. The progress is stored in the database: after an
    interruption the recount continues with the same product. A product that can't be counted is skipped until the next
    day.
    """

    def __init__(self, acquire: Acquire, metrics: Metrics, clock: Clock = utc_now) -> None:
        self._acquire = acquire
        self._differences = metrics.of(AchievementMetrics).rarity_differences
        self._clock = clock
        self._products = Isolation[UUID]("rarity recount", metrics)

    async def run_once(self) -> None:
        """Continues the running recount, or begins one if the last one ended a day ago."""
        until = time.monotonic() + _RECOUNT_SECONDS
        while await self.step() and time.monotonic() < until:
            pass

    async def recount(self) -> None:
        """Runs a complete recount now, regardless of the last one."""
        async with self._acquire() as connection:
            recounts = RarityRecounts(connection)
            progress = await recounts.progress(self._clock())
            if progress.finished_at is not None:
                await recounts.start(progress, self._clock())
        while await self.step():
            pass

    async def step(self) -> bool:
        """Counts the next product; returns False if nothing is left, or if another instance counts."""
        now = self._clock()
        async with self._acquire() as connection:
            recounts = RarityRecounts(connection)
            progress = await recounts.progress(now)
            if progress.finished_at is not None:
                is_due = progress.finished_at <= now - _RECOUNT_AFTER
                return is_due and await recounts.start(progress, now)
            product_id = await RarityCounters(connection).next_product(progress.cursor)
            if product_id is None:
                await recounts.finish(progress, now)
                return False
        differences: Sequence[CounterDifference] | None = ()
        with self._products.attempt(product_id):
            differences = await self._count(progress, product_id)
        if differences is None:
            return False
        return await self._move(progress, product_id, differences)

    async def _count(self, progress: RecountProgress, product_id: UUID) -> Sequence[CounterDifference] | None:
        """Returns the wrong counters of a product in one snapshot; None if another instance counts or counted it."""
        async with self._acquire() as connection, connection.transaction(isolation="repeatable_read"):
            recounts = RarityRecounts(connection)
            if not await recounts.take_turn() or await recounts.progress(self._clock()) != progress:
                return None
            return await RarityCounters(connection).differences([product_id])

    async def _move(
        self, progress: RecountProgress, product_id: UUID, differences: Sequence[CounterDifference]
    ) -> bool:
        async with self._acquire() as connection, connection.transaction():
            if not await RarityRecounts(connection).move(progress, product_id, differences):
                return True  # another instance was faster: continue with the next product
        for one in differences:
            _log.error("a wrong counter was corrected", extra={"fields": {"difference": str(one)}})
        self._differences.inc(len(differences))
        return True
