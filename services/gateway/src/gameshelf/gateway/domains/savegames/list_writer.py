"""The job that writes the lists of sets to the store.

A commit leaves the list of a new version in the database, since a version may become another one at its commit, and no
transaction waits for the store. Every instance may run the job: they write the same object. An object that arrives
after its version was pruned has a row that is due for deletion, or is an orphan.
"""

import asyncio
from uuid import UUID

from gameshelf.gateway.domains.savegames.metrics import SavegameMetrics
from gameshelf.gateway.domains.savegames.use_cases import Saves
from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.jobs.isolation import Isolation
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.savegames import SavegameListObjects

LISTS_SECONDS = 10.0
"""Pause between two runs, unless a commit wakes the job."""
_CHUNK = 100


class ListWriter:
    """Writes the lists that have no object yet."""

    def __init__(self, acquire: Acquire, saves: Saves, metrics: Metrics, clock: Clock = utc_now) -> None:
        self._acquire = acquire
        self._saves = saves
        self._clock = clock
        self._metrics = metrics.of(SavegameMetrics)
        self._isolation = Isolation[tuple[UUID, UUID]]("lists", metrics)
        self.woken = asyncio.Event()
        """Set after a commit that leaves a list to write."""

    async def run_once(self) -> None:
        """Writes all of them, the oldest first. One that fails does not delay the others."""
        if not self._saves.has_store:
            return
        try:
            await self._isolation.each(self._find, self._write, _CHUNK)
        finally:
            await self._measure_age()

    async def _measure_age(self) -> None:
        async with self._acquire() as connection:
            oldest = await SavegameListObjects(connection).oldest_unwritten()
        age = (self._clock() - oldest).total_seconds() if oldest else 0.0
        self._metrics.list_age.set(max(0.0, age))

    async def _find(self, limit: int) -> list[tuple[UUID, UUID]]:
        async with self._acquire() as connection:
            return await SavegameListObjects(connection).unwritten(limit)

    async def _write(self, of: tuple[UUID, UUID]) -> None:
        async with self._acquire() as connection:
            made = await SavegameListObjects(connection).make(*of)
        if made is None:
            return
        await self._saves.objects.put(made.key, made.data, made.metadata)
        async with self._acquire() as connection:
            if await SavegameListObjects(connection).mark_written(*of, made):
                self._metrics.objects.labels("list").inc()
