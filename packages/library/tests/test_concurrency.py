"""Real connections side by side: users don't wait for each other, the Catalog's writers take turns, nothing is lost."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.kernel.clock import utc_now
from gameshelf.kernel.serialise import by_advisory_lock
from gameshelf.library import (
    CATALOG_VERSION,
    MIGRATIONS,
    BulkChanges,
    CatalogProjection,
    CategoryAlreadyExists,
    FamilyLinks,
    FamilySeats,
    FamilyShares,
    GrantKind,
    ItemFilter,
    LibraryQueries,
    LibraryService,
    NewCategory,
    NewGrant,
    NewLink,
    Playtime,
    ProductAlreadyOwned,
    ProductFact,
)
from gameshelf.library._item_ids import item_id
from sqlalchemy import select

pytestmark = pytest.mark.real

USERS, ROUNDS, WRITERS = 5, 12, 3
GAMES = sorted(uuid4() for _ in range(20))


@pytest.fixture(scope="module")
def dsn(create_database):
    return create_database(MIGRATIONS)


@pytest.fixture
async def connect(dsn):
    """Opens connections that the end of the test closes. A deadlock, or a wait without end, is an error."""
    async with AsyncExitStack() as stack:

        async def open_one():
            connection = await asyncpg.connect(
                dsn, server_settings={"deadlock_timeout": "100ms", "lock_timeout": f"{PATIENCE_SECONDS}s"}
            )
            stack.push_async_callback(connection.close)
            return connection

        yield open_one


@asynccontextmanager
async def change(connection, user):
    """A user's library in a transaction that is theirs from the beginning, as the gateway's is."""
    async with connection.transaction():
        await by_advisory_lock(connection)(user)
        yield LibraryService(connection, lambda event: None)


async def test_libraries_and_the_catalog_are_written_side_by_side(connect):
    users = [uuid4() for _ in range(USERS)]
    done = asyncio.Event()
    taken = []

    async def play(user):
        connection = await connect()
        for number in range(ROUNDS):
            async with change(connection, user) as service:
                grants = [NewGrant(game, GrantKind.ORDER, str(number), utc_now()) for game in GAMES[number:]]
                await service.grant(user, grants)
                await service.refund(user, str(number), dict.fromkeys(GAMES[number + 1 :]), "r", utc_now())

    async def describe(writer):
        connection, own = await connect(), uuid4()
        for number in range(ROUNDS):
            async with connection.transaction():
                # Of the products that all write a fact may be old news when its turn comes; of its own it never is.
                games = [own, *GAMES] if writer % 2 else [*GAMES[::-1], own]
                facts = [ProductFact(game, utc_now(), {"title_en": f"{number} {writer}"}) for game in games]
                await CatalogProjection(connection).apply(facts)

    async def ask():
        connection = await connect()
        while not done.is_set():
            async with connection.transaction():
                taken.extend(await CatalogProjection(connection).take_missing(7))

    async def come_and_go():
        connection = await connect()
        while not done.is_set():
            user = uuid4()
            async with change(connection, user) as service:
                await service.grant(user, [NewGrant(uuid4(), GrantKind.GIFT, "g", utc_now() - timedelta(days=1))])
            async with change(connection, user) as service:
                while await service.erase(user):
                    pass

    looking = await connect()
    before = await looking.fetchval(str(select(CATALOG_VERSION)))
    async with asyncio.TaskGroup() as tasks:
        background = [tasks.create_task(work()) for work in (ask, ask, come_and_go)]
        async with asyncio.TaskGroup() as work:
            for user in users:
                work.create_task(play(user))
            for writer in range(WRITERS):
                work.create_task(describe(writer))
        done.set()
    assert all(task.exception() is None for task in background)
    assert await looking.fetchval(str(select(CATALOG_VERSION))) - before == WRITERS * ROUNDS
    for user in users:
        page = await LibraryQueries(looking).items(user, ItemFilter(limit=100), "en")
        assert sorted(item.product_id for item in page.items) == GAMES[:ROUNDS]
        assert {item.title for item in page.items} <= {f"{ROUNDS - 1} {writer}" for writer in range(WRITERS)}


async def test_writers_of_one_product_lose_nothing_of_each_other(connect):
    game = uuid4()
    fields = {"title_ru": "Лёд", "title_en": "Ice", "product_type": "game", "is_free_to_play": True}

    async def say(name, value):
        connection = await connect()
        async with connection.transaction():
            await CatalogProjection(connection).apply([ProductFact(game, utc_now(), {name: value})])

    async with asyncio.TaskGroup() as tasks:
        for name, value in fields.items():
            tasks.create_task(say(name, value))
    row = await (await connect()).fetchrow("SELECT * FROM library.products WHERE product_id = $1", game)
    assert {name: row[name] for name in fields} == fields
    assert (row["sort_key_ru"], row["sort_key_en"]) == ("лед", "ice")


@pytest.fixture
async def family(connect):
    """Two who share their games with each other: each owns ten of 20."""
    connection, family = await connect(), (uuid4(), uuid4())
    for number, user in enumerate(family):
        async with change(connection, user) as service:
            await service.grant(user, [NewGrant(game, GrantKind.ORDER, "o", utc_now()) for game in GAMES[number::2]])
    for owner, member in (family, family[::-1]):
        async with connection.transaction():
            links = FamilyLinks(connection, lambda event: None)
            link = await links.invite(owner, NewLink(shared_with_user_id=member))
            await links.accept(member, link.id)
            await FamilyShares(connection, lambda event: None).refresh(member, owner)
    return family


async def take_over(connection, user, games):
    """Does what an import of play does to a library."""
    await FamilySeats(connection, lambda event: None, None).lock_copies(user, games)
    await LibraryService(connection, lambda event: None).set_playtime(
        user, [Playtime(game, 60, utc_now()) for game in games]
    )


async def test_two_imports_of_a_family_go_one_after_the_other(connect, family):
    first, second, looking = await connect(), await connect(), await connect()
    [one, other] = family
    transaction = first.transaction()
    await transaction.start()
    await FamilySeats(first, lambda event: None, None).lock_copies(one, GAMES)

    async def import_too():
        async with change(second, other):
            await take_over(second, other, GAMES)

    waiting = asyncio.create_task(import_too())
    is_waiting = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1"
    while not await looking.fetchval(is_waiting, second.get_server_pid()):
        await asyncio.sleep(0.01)
    await LibraryService(first, lambda event: None).set_playtime(
        one, [Playtime(game, 60, utc_now()) for game in reversed(GAMES)]
    )
    await transaction.commit()
    await waiting


async def test_changes_of_a_family_never_deadlock(connect, family):
    async def act(user, number):
        connection = await connect()
        for turn in range(4 * ROUNDS):
            games = GAMES if (turn + number) % 2 else GAMES[::-1]
            async with change(connection, user) as service:
                if turn % 4 == 1:
                    hidden = [{"id": item_id(user, game), "is_hidden": turn % 8 == 1} for game in games]
                    await service.update_items(user, BulkChanges.model_validate({"items": hidden}))
                elif turn % 4:
                    await take_over(connection, user, games)
                else:
                    await service.set_playtime(user, [Playtime(game, 60, utc_now()) for game in games])
                    await service.grant(
                        user, [NewGrant(game, GrantKind.GIFT, str(turn), utc_now()) for game in games[::3]]
                    )
                    await service.end_grants(user, GrantKind.GIFT, str(turn), games[::3])

    async with asyncio.TaskGroup() as tasks:
        for number, user in enumerate(family):
            tasks.create_task(act(user, number))


async def test_of_two_claims_at_once_one_is_granted(connect):
    user, game = uuid4(), uuid4()
    catalog = await connect()
    async with catalog.transaction():
        await CatalogProjection(catalog).apply([ProductFact(game, utc_now(), {"is_free_to_play": True})])

    async def claim():
        connection = await connect()
        try:
            async with change(connection, user) as service:
                await service.claim(user, game, "ru")
        except ProductAlreadyOwned:
            return False
        return True

    assert sorted(await asyncio.gather(*(claim() for _ in range(4)))) == [False, False, False, True]
    assert await catalog.fetchval("SELECT count(*) FROM library.ownership_grants WHERE user_id = $1", user) == 1


@pytest.mark.parametrize("first_commits", [True, False])
async def test_a_name_is_given_once_where_nobody_serialises(connect, first_commits):
    async def trusting(user_id):
        pass

    user, name, same = uuid4(), NewCategory(name="Любимые"), NewCategory(name="любимые")
    first, second = await connect(), await connect()
    transaction = first.transaction()
    await transaction.start()
    await LibraryService(first, print, serialise=trusting).create_category(user, name)

    async def create_too():
        async with second.transaction():
            await LibraryService(second, print, serialise=trusting).create_category(user, same)

    waiting = asyncio.create_task(create_too())
    await asyncio.sleep(0.1)
    assert not waiting.done()
    if first_commits:
        await transaction.commit()
        with pytest.raises(CategoryAlreadyExists):
            await waiting
    else:
        await transaction.rollback()
        await waiting
    kept = name if first_commits else same
    assert [category.name for category in await LibraryQueries(first).categories(user)] == [kept.name]
