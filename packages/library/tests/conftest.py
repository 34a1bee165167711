"""A library on a real PostgreSQL."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from gameshelf.kernel.events import Event
from gameshelf.library import (
    MIGRATIONS,
    AccessQueries,
    CatalogProjection,
    GrantKind,
    ItemChanges,
    ItemFilter,
    LibraryQueries,
    LibraryService,
    NewGrant,
    ProductFact,
)

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Library:
    """One user's library: the service, what it recorded, and ways to look at it. ``now`` is what its clock shows."""

    def __init__(self, connection: Any) -> None:
        self.user = uuid4()
        self.now = NOW
        self.connection = connection
        self.events: list[Event] = []
        self.service = LibraryService(connection, self.events.append, lambda: self.now)
        self.queries = LibraryQueries(connection)
        self.access = AccessQueries(connection)
        self.projection = CatalogProjection(connection, lambda: self.now)

    async def buy(self, *products: UUID, order: str = "order-1", at: datetime = NOW) -> None:
        grants = [NewGrant(product, GrantKind.ORDER, order, at) for product in products]
        await self.service.grant(self.user, grants)

    async def refund(self, *products: UUID, order: str = "order-1") -> None:
        await self.service.end_grants(self.user, GrantKind.ORDER, order, products)

    async def catalog(self, product: UUID, at: datetime = NOW, **values: Any) -> None:
        await self.projection.apply([ProductFact(product, at, values)])

    async def products(self, language: Any = "ru", **wanted: Any) -> list[UUID]:
        """The products of a page, in its order."""
        return [item.product_id for item in (await self.page(language, **wanted)).items]

    async def page(self, language: Any = "ru", **wanted: Any) -> Any:
        """A page of the library."""
        return await self.queries.items(self.user, ItemFilter(**wanted), language)

    async def item(self, product: UUID) -> Any:
        [item] = await self.queries.items_of_products(self.user, [product])
        return item

    async def change(self, product: UUID, **changes: Any) -> Any:
        """The item once the user has changed it."""
        item = await self.item(product)
        return await self.service.update_item(self.user, item.id, ItemChanges(**changes), "ru")

    def told(self) -> list[str]:
        """The names of the events so far; forgets them."""
        names = [type(event).__name__ for event in self.events]
        self.events.clear()
        return names


@pytest.fixture(scope="session")
def library_dsn(create_database: Callable[[], str]) -> str:
    dsn = create_database()
    MIGRATIONS.upgrade(dsn)
    return dsn


@pytest.fixture
async def library(library_dsn: str) -> AsyncIterator[Library]:
    """A library inside a transaction that is rolled back."""
    connection = await asyncpg.connect(library_dsn)
    transaction = connection.transaction()
    await transaction.start()
    yield Library(connection)
    await transaction.rollback()
    await connection.close()
