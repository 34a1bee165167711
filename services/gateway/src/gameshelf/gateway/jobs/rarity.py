"""Keeps the counters behind rarities: folds deltas every second, and counts anew once a day."""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from gameshelf.achievements import RarityCounters
from gameshelf.gateway.database import Acquire
from gameshelf.gateway.observability.metrics import Metrics
from gameshelf.kernel.clock import Clock, utc_now

_log = logging.getLogger(__name__)

_FOLDED_AT_ONCE = 5000
_PRODUCTS_AT_ONCE = 20
_RECOUNT_AFTER = timedelta(days=1)


class RarityFold:
    """Brings what players did into the counters."""

    def __init__(self, acquire: Acquire) -> None:
        self._acquire = acquire

    async def run_once(self) -> None:
        """Folds everything that is there, a few thousand deltas a transaction."""
        folded = _FOLDED_AT_ONCE
        while folded == _FOLDED_AT_ONCE:
            async with self._acquire() as connection, connection.transaction():
                folded = await RarityCounters(connection).fold(_FOLDED_AT_ONCE)


class RarityRecount:
    """Counts owners and unlocks anew, a few products a transaction, and makes up for what the counters miss."""

    def __init__(self, acquire: Acquire, metrics: Metrics, clock: Clock = utc_now) -> None:
        self._acquire = acquire
        self._metrics = metrics
        self._clock = clock
        self._due_at: datetime = clock() + _RECOUNT_AFTER

    async def run_once(self) -> None:
        """Recounts when it is due; not right after the start, when many instances may start at once."""
        if self._clock() >= self._due_at:
            await self.recount()
            self._due_at = self._clock() + _RECOUNT_AFTER

    async def recount(self) -> int:
        """Recounts every product; how many counters were wrong. There should be none: a difference is a mistake."""
        wrong, after = 0, UUID(int=0)
        while True:
            async with self._acquire() as connection, connection.transaction():
                counters = RarityCounters(connection)
                products = await counters.products(after, _PRODUCTS_AT_ONCE)
                if not products:
                    return wrong
                differences = await counters.differences(products)
                if differences:
                    differences = await counters.repair(products)
            for one in differences:
                _log.error("a counter was wrong and is made up for", extra={"fields": {"difference": str(one)}})
            self._metrics.rarity_differences.inc(len(differences))
            wrong += len(differences)
            after = products[-1]
