"""Notifies wishers of sales and lasting cuts: bounded chunks of many users, in one short transaction each.

A chunk takes the users whose rows are not locked, and never waits while it holds them. Busy users are held back in the
commit that moves the cursor, and notified later in a transaction of their own. A crash between any two lines repeats
the chunk, and users who were notified are not notified again. A product or a wisher that fails delays no other.
"""

import asyncio
import time
from uuid import UUID

from gameshelf.gateway.domains.wishlist.published import BULK_TOPICS
from gameshelf.gateway.runtime.database import Acquire, hardly_wait
from gameshelf.gateway.runtime.failures import is_contention
from gameshelf.gateway.runtime.jobs.isolation import Isolation, concerns_everybody
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.outbox.store import is_full
from gameshelf.gateway.runtime.transaction import Transactions
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.library import LibraryQueries
from gameshelf.wishlist import DEFAULT_CURRENCY, SaleFanouts, WishlistService, notice

CHUNK = 200
"""How many wishers one transaction examines."""
_PRICES_AT_ONCE = 50
_HELD_BACK_AT_ONCE = 100
_MOST_WAITING = 20_000
"""The next chunk waits while more notifications than this wait for Kafka."""
_BETWEEN_COUNTS = 5_000
"""How many wishers are examined between two counts of what waits. A count walks over the entries of all notifications
that were sent since the last VACUUM.
"""
_WAIT_SECONDS = 0.2
_REST = 0.5
"""The pause after a chunk, as a fraction of the time that it took."""


class Sales:
    """Works through the running fan-outs. Any number of instances may work concurrently, each on another fan-out."""

    def __init__(
        self,
        acquire: Acquire,
        transactions: Transactions,
        clock: Clock = utc_now,
        metrics: Metrics | None = None,
        default_currency: str = DEFAULT_CURRENCY,
    ) -> None:
        self._acquire = acquire
        self._transactions = transactions
        self._clock = clock
        self._default_currency = default_currency
        self._prices = Isolation[tuple[UUID, str]]("sales", metrics)
        self._wishers = Isolation[tuple[UUID, UUID]]("sales", metrics)
        self._room = 0
        """How many wishers may be examined before what waits is counted again."""

    async def run_once(self) -> None:
        """Works through chunks of each sale in turn, until nobody is left who can be notified now."""
        is_moving = True
        while is_moving:
            is_moving = False
            async with self._acquire() as connection:
                running = await SaleFanouts(connection).running(_PRICES_AT_ONCE + len(self._prices))
            for product_id, currency in filter(self._prices.is_due, running):
                await self._wait_for_room()
                started = time.perf_counter()
                with self._prices.attempt((product_id, currency)):
                    is_moving |= await self._notify_chunk_surely(product_id, currency)
                await asyncio.sleep((time.perf_counter() - started) * _REST)
            await self._wishers.each(self._held_back, self._notify_wisher, _HELD_BACK_AT_ONCE)

    async def _wait_for_room(self) -> None:
        while self._room < CHUNK:
            async with self._acquire() as connection:
                if not await is_full(connection, BULK_TOPICS, _MOST_WAITING):
                    self._room = _BETWEEN_COUNTS
                    break
            await asyncio.sleep(_WAIT_SECONDS)
        self._room -= CHUNK

    async def _notify_chunk_surely(self, product_id: UUID, currency: str) -> bool:
        try:
            return await self.notify_chunk(product_id, currency)
        except Exception as error:
            if concerns_everybody(error) or is_contention(error):
                raise
            # If one wisher is the cause, only that one fails when each is notified alone. Otherwise this fails too.
            return await self.notify_chunk(product_id, currency, one_by_one=True)

    async def notify_chunk(self, product_id: UUID, currency: str, *, one_by_one: bool = False) -> bool:
        """Notifies the next wishers of a price; with ``one_by_one`` holds all of them back, to notify each alone.

        False when nobody is left, or another instance works on it.
        """
        async with self._transactions.begin_with_nobody() as transaction:
            await hardly_wait(transaction.connection)
            fanouts = SaleFanouts(transaction.connection, self._clock, self._default_currency)
            fanout = await fanouts.lock_fanout(product_id, currency)
            if fanout is None:
                return False
            wishers = await fanouts.wishers(fanout, CHUNK)
            if wishers.last is None:
                await fanouts.finish(fanout)
                return False
            free = set() if one_by_one else await transaction.lock_free(wishers.met)
            notified = await fanouts.record_notifications(fanout, free) if free else {}
            title = await LibraryQueries(transaction.connection).title(product_id) if notified else None
            for user_id, item_id in notified.items():
                transaction.record(notice(user_id, item_id, fanout.price, title, self._clock()))
            busy = set(wishers.met) - free
            if busy:
                await fanouts.hold_back(fanout, busy)
            await fanouts.advance(fanout, wishers.last)
        return True

    async def _held_back(self, limit: int) -> list[tuple[UUID, UUID]]:
        async with self._acquire() as connection:
            return await SaleFanouts(connection).held_back(limit)

    async def _notify_wisher(self, wisher: tuple[UUID, UUID]) -> None:
        user_id, product_id = wisher
        async with self._transactions.begin_background(user_id) as transaction:
            is_notified = await transaction.of(WishlistService).notify_of_price(user_id, product_id)
            await SaleFanouts(transaction.connection, self._clock).release(user_id, product_id)
            if not is_notified:
                transaction.discard()
