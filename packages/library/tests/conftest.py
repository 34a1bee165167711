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
    FamilyLinks,
    FamilyQueries,
    FamilySeats,
    FamilyShares,
    GrantKind,
    ItemChanges,
    ItemFilter,
    LibraryQueries,
    LibraryService,
    NewGrant,
    NewLink,
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

    async def buy(self, *products: UUID, order: str = "order-1", at: datetime = NOW, quantity: int = 1) -> None:
        grants = [NewGrant(product, GrantKind.ORDER, order, at, quantity=quantity) for product in products]
        await self.service.grant(self.user, grants)

    async def refund(
        self, *products: UUID, order: str = "order-1", quantity: int | None = None, fact: str = "r", at: datetime = NOW
    ) -> None:
        await self.service.refund(self.user, order, dict.fromkeys(products, quantity), fact, at)

    async def reinstate(
        self, *products: UUID, order: str = "order-1", quantity: int | None = None, fact: str = "i", at: datetime = NOW
    ) -> None:
        await self.service.reinstate(self.user, order, dict.fromkeys(products, quantity), fact, at)

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

    def recorded(self) -> list[str]:
        """The names of the events so far; forgets them."""
        names = [type(event).__name__ for event in self.events]
        self.events.clear()
        return names


@pytest.fixture(scope="session")
def library_dsn(rolled_back_database: Callable[..., str]) -> str:
    return rolled_back_database(MIGRATIONS)


@pytest.fixture
def own_dsn(create_database: Callable[..., str]) -> str:
    """A database of this test alone, for tests that commit."""
    return create_database(MIGRATIONS)


@pytest.fixture
async def library(library_dsn: str) -> AsyncIterator[Library]:
    """A library inside a transaction that is rolled back."""
    connection = await asyncpg.connect(library_dsn)
    transaction = connection.transaction()
    await transaction.start()
    yield Library(connection)
    await transaction.rollback()
    await connection.close()


@pytest.fixture(scope="session")
def make_library() -> type[Library]:
    return Library


class Players:
    """Answers the port ``Players``."""

    def __init__(self):
        self.sessions = set()
        self.owners = {}

    async def own_copy_played_since(self, user_id, product_id):
        return self.owners.get((user_id, product_id))

    async def running(self, user_id, session_ids):
        return self.sessions & set(session_ids)


async def refresh_shares(queries, shares):
    """Does what the job of shared products does."""
    for owner_id in await queries.changed_owners(1000):
        await shares.mark_links(owner_id)
    for member_id, owner_id in await queries.outdated_links(1000):
        await shares.refresh(member_id, owner_id)


def ignore(event):
    pass


class Family:
    """An owner with two games, and a member; both at one connection."""

    def __init__(self, connection):
        self.connection = connection
        self.now = datetime.now(UTC)
        self.owner, self.member = uuid4(), uuid4()
        self.games = [uuid4(), uuid4()]
        self.events = []
        self.refreshes = True
        """Whether members keep what owners share at once, as after the job's next round; its events are dropped."""
        self.players = Players()
        self.library = LibraryService(connection, self.events.append, self.clock)
        self.links = FamilyLinks(connection, self.events.append, self.clock)
        self.seats = FamilySeats(connection, self.events.append, self.players, self.clock)
        self.queries = FamilyQueries(connection)
        self.access = AccessQueries(connection)

    def clock(self):
        return self.now

    async def buy(self, user, *games):
        grants = [NewGrant(game, GrantKind.ORDER, "o", self.now) for game in games]
        await self.library.grant(user, grants)
        await self.refresh()

    async def refund(self, user, *games):
        await self.library.refund(user, "o", dict.fromkeys(games), f"r{self.now}", self.now)
        await self.refresh()

    async def refresh(self):
        """Makes what members keep of owners what is shared, unless the test does it."""
        if self.refreshes:
            await refresh_shares(self.queries, FamilyShares(self.connection, ignore, self.clock))

    async def share(self, owner=None, member=None, **more):
        owner, member = owner or self.owner, member or self.member
        link = await self.links.invite(owner, NewLink(shared_with_user_id=member, **more))
        link = await self.links.accept(member, link.id)
        await self.refresh()
        return link

    async def take(self, game, user=None):
        session = uuid4()
        self.players.sessions.add(session)
        return session, await self.seats.take(user or self.member, game, session)

    async def shown(self, user, **wanted):
        found = await LibraryQueries(self.connection).items(user, ItemFilter(**wanted), "ru")
        return {item.product_id: item for item in found.items}

    def events_of(self, kind):
        return [event for event in self.events if type(event).__name__ == kind]


@pytest.fixture
async def family(library_dsn):
    connection = await asyncpg.connect(library_dsn)
    transaction = connection.transaction()
    await transaction.start()
    made = Family(connection)
    await made.buy(made.owner, *made.games)
    yield made
    await transaction.rollback()
    await connection.close()
