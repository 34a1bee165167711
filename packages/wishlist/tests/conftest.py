"""Wishers on a real PostgreSQL."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from gameshelf.wishlist import (
    MIGRATIONS,
    NewWish,
    Price,
    Prices,
    ReleaseBefore,
    SaleFanouts,
    WishlistQueries,
    WishlistService,
)

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)


class Shop:
    """Answers the port ``Products``."""

    def __init__(self):
        self.owned = set()
        self.titles = {}

    async def owns(self, user_id, product_id):
        return (user_id, product_id) in self.owned

    async def title(self, product_id):
        return self.titles.get(product_id)


class Wishers:
    """Several users at one connection: the service, the events that it recorded, and shortcuts for tests."""

    def __init__(self, connection, serialise=None):
        self.connection = connection
        self.now = NOW
        self.shop = Shop()
        self.events = []
        self.service = WishlistService(
            connection, self.events.append, self.shop, lambda: self.now, max_items=5, serialise=serialise
        )
        self.queries = WishlistQueries(connection)
        self.prices = Prices(connection, lambda: self.now)
        self.fanouts = SaleFanouts(connection, lambda: self.now)

    async def wish(self, user, product=None, **more):
        return (await self.service.add_product(user, NewWish(product_id=product or uuid4(), **more))).wish

    async def set_price(self, product, sale="sale", at=None, **more):
        """Applies a price from the Catalog: by default half of the usual one, in a sale."""
        values = {"price_minor": 500, "currency": "RUB", "discount_percent": 50, "sale_ends_at": None, **more}
        price = Price(product_id=product, sale_id=sale, said_at=at or self.now, **values)
        await self.prices.apply([price])
        return price

    async def lock_fanout(self):
        """Locks the fan-out that has waited longest; those that are over are deleted on the way."""
        while running := await self.fanouts.running(1):
            if fanout := await self.fanouts.lock_fanout(*running[0]):
                return fanout
        return None

    async def take_over(self):
        """Takes over prices that only the release before has received."""
        old, after = ReleaseBefore(self.connection), UUID(int=0)
        while after is not None:
            unknown, after = await old.prices(after, 2)
            await self.prices.apply(unknown)

    async def notify_all(self, limit=2):
        """Works through every fan-out; returns the notified users in order."""
        notified = []
        while fanout := await self.lock_fanout():
            wishers = await self.fanouts.wishers(fanout, limit)
            if wishers.last is None:
                await self.fanouts.finish(fanout)
                continue
            notified += await self.fanouts.record_notifications(fanout, wishers.met)
            assert await self.fanouts.advance(fanout, wishers.last)
        return notified

    def kinds(self):
        return [type(event).__name__ for event in self.events]

    def later(self, **more):
        self.now += timedelta(**more)


@pytest.fixture(scope="session")
def wishlist_dsn(rolled_back_database):
    return rolled_back_database(MIGRATIONS)


@pytest.fixture
def own_dsn(create_database):
    """A database of this test alone, for tests that commit."""
    return create_database(MIGRATIONS)


@pytest.fixture
async def wishers(wishlist_dsn):
    """Wishers inside a transaction that is rolled back."""
    connection = await asyncpg.connect(wishlist_dsn)
    transaction = connection.transaction()
    await transaction.start()
    yield Wishers(connection)
    await transaction.rollback()
    await connection.close()


@pytest.fixture
def make_wishers():
    return Wishers
