"""Delivers forwarded events to the users whom they concern."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.jobs.erasure import Erasing
from gameshelf.gateway.runtime.jobs.isolation import Isolation
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.outbox.forwarded import take_events, waiting
from gameshelf.gateway.runtime.streams import UserErased
from gameshelf.gateway.runtime.transaction import Transactions

_AT_ONCE = 100


class _HasPartners(Exception):
    """Raised when another user is connected with the erased account again."""


class Forwarding:
    """Delivers events to the users whom they concern, each in a transaction of that user.

    ``erasing`` ends the connections of an erased account with others before its events are dropped.
    """

    def __init__(
        self,
        acquire: Acquire,
        transactions: Transactions,
        erasing: Sequence[Erasing] = (),
        metrics: Metrics | None = None,
    ) -> None:
        self._acquire = acquire
        self._transactions = transactions
        self._erasing = erasing
        self._isolation = Isolation[UUID]("forwarding", metrics)
        self.woken = asyncio.Event()

    def wake(self) -> None:
        """Wakes the job, because an event was just forwarded."""
        self.woken.set()

    async def run_once(self) -> None:
        """Delivers all waiting events. A user whose row is locked, or whose delivery fails, does not delay others."""
        await self._isolation.each(self._users, self._deliver, _AT_ONCE)

    async def _users(self, limit: int) -> list[UUID]:
        async with self._acquire() as connection:
            return await waiting(connection, limit)

    async def _deliver(self, user_id: UUID) -> None:
        try:
            async with self._transactions.begin_background(user_id) as transaction:
                if not await transaction.take_forwarded(_AT_ONCE):
                    transaction.discard()  # another instance was faster
        except UserErased:
            await self._drop(user_id)

    async def _drop(self, user_id: UUID) -> None:
        """Drops the events of an erased account once it is not connected with others."""
        for one in self._erasing:
            if one.before and not await one.before(user_id):
                return  # its events still wait, so the next run tries it again
        with suppress(_HasPartners):
            async with self._acquire() as connection, connection.transaction():
                while await take_events(connection, user_id, _AT_ONCE):
                    pass
                # A dropped event may be the only trace of a link that was made meanwhile.
                for one in self._erasing:
                    if one.has_partners and await one.has_partners(connection, user_id):
                        raise _HasPartners
