"""Tells wishers of sales: bounded chunks of many users, one short transaction each, that go on where they stopped.

A chunk takes the users whose rows are free, and waits for nobody while it holds them. Those who are busy get a
transaction of their own afterwards; only then the cursor moves. So whatever dies between any two lines, the chunk is
done again, and those who were told are known.
"""

import asyncio
import time
from collections.abc import Collection
from uuid import UUID

from gameshelf.gateway.database import Acquire
from gameshelf.gateway.outbox.store import is_bulk_full
from gameshelf.gateway.streams import UserErased
from gameshelf.gateway.transaction import Transactions
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.library import LibraryQueries
from gameshelf.wishlist import Fanout, SaleFanouts, WishlistService, sale_noticed

CHUNK = 200
"""How many wishers are looked at in one transaction."""
_MOST_WAITING = 20_000
"""How many notifications may wait for Kafka before the next chunk does too."""
_WAIT_SECONDS = 0.2
_REST = 0.5
"""After a chunk the others get this part of the time that it took."""


class Sales:
    """Works through the running fan-outs. Any number of instances work side by side, each on another sale."""

    def __init__(self, acquire: Acquire, transactions: Transactions, clock: Clock = utc_now) -> None:
        self._acquire = acquire
        self._transactions = transactions
        self._clock = clock

    async def run_once(self) -> None:
        """Until there is nothing left to tell."""
        while True:
            async with self._acquire() as connection:
                is_full = await is_bulk_full(connection, _MOST_WAITING)
            if is_full:
                await asyncio.sleep(_WAIT_SECONDS)
                continue
            started = time.perf_counter()
            if not await self.tell_chunk():
                return
            await asyncio.sleep((time.perf_counter() - started) * _REST)

    async def tell_chunk(self) -> bool:
        """Tells the next wishers of one sale; False when no sale has any, or others work on all that have."""
        async with self._transactions.begin_with_nobody() as transaction:
            fanouts = SaleFanouts(transaction.connection, self._clock)
            fanout = await fanouts.take()
            if fanout is None:
                return False
            wishers = await fanouts.wishers(fanout, CHUNK)
            if wishers.last is None:
                await fanouts.finish(fanout)
                return True
            free = await transaction.lock_free(wishers.met)
            told = await fanouts.note(fanout, free) if free else {}
            title = await LibraryQueries(transaction.connection).title(fanout.price.product_id) if told else None
            for user_id, item_id in told.items():
                transaction.record(sale_noticed(user_id, item_id, fanout.price, fanout.sale_id, title, self._clock))
            busy = set(wishers.met) - free
            if not busy:
                await fanouts.advance(fanout, wishers.last)
                return True
        await self._tell_busy(fanout, busy, wishers.last)
        return True

    async def _tell_busy(self, fanout: Fanout, user_ids: Collection[UUID], through: UUID) -> None:
        """Tells those who were busy, each in a transaction of their own, and moves the cursor behind them."""
        for user_id in sorted(user_ids):
            try:
                async with self._transactions.begin(user_id) as transaction:
                    if not await transaction.of(WishlistService).tell_of_sale(user_id, fanout.price):
                        transaction.discard()
            except UserErased:
                continue
        async with self._acquire() as connection:
            await SaleFanouts(connection, self._clock).advance(fanout, through)
