"""Keeps with each member what owners share with them, and notifies the members of changes."""

import time
from collections.abc import Callable
from uuid import UUID

from gameshelf.gateway.runtime.database import Acquire, hardly_wait
from gameshelf.gateway.runtime.jobs.isolation import Isolation
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.transaction import Transactions
from gameshelf.library import FamilyQueries, FamilyShares

_AT_ONCE = 100
_ROUND_SECONDS = 30.0
"""Maximum length of a round: after an upgrade every active link is outdated, and marks of owners come first."""


class ShareRefresh:
    """Marks the links of owners whose games have changed, and refreshes outdated links, each in a transaction of its
    member. A link whose member is locked, or that fails, does not delay others.
    """

    def __init__(
        self,
        acquire: Acquire,
        transactions: Transactions,
        metrics: Metrics | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._acquire = acquire
        self._transactions = transactions
        self._clock = clock
        self._until = 0.0
        self._changed = Isolation[UUID]("shared products", metrics)
        self._outdated = Isolation[tuple[UUID, UUID]]("shared products", metrics)

    async def run_once(self) -> None:
        """Handles everything that waits, for a bounded time; the next round continues."""
        self._until = self._clock() + _ROUND_SECONDS
        await self._changed.each(self._changed_owners, self._mark, _AT_ONCE)
        await self._outdated.each(self._outdated_links, self._refresh, _AT_ONCE)

    async def _changed_owners(self, limit: int) -> list[UUID]:
        async with self._acquire() as connection:
            return await FamilyQueries(connection).changed_owners(limit)

    async def _outdated_links(self, limit: int) -> list[tuple[UUID, UUID]]:
        if self._clock() >= self._until:
            return []
        async with self._acquire() as connection:
            return await FamilyQueries(connection).outdated_links(limit)

    async def _mark(self, owner_id: UUID) -> None:
        async with self._transactions.begin_with_nobody() as transaction:
            await hardly_wait(transaction.connection)
            await transaction.of(FamilyShares).mark_links(owner_id)

    async def _refresh(self, link: tuple[UUID, UUID]) -> None:
        member_id, owner_id = link
        async with self._transactions.begin_background(member_id) as transaction:
            if not await transaction.of(FamilyShares).refresh(member_id, owner_id):
                transaction.discard()
