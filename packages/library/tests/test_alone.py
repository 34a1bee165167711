"""The package without the gateway: many transactions at once on one user, and nothing else that orders them."""

from uuid import uuid4

import asyncpg
import pytest
from gameshelf.library import MIGRATIONS, FamilyLinks, GameAdded, GameRemoved, NewCategory, NewLink

TIMES = 12


@pytest.fixture(scope="module")
def dsn(create_database):
    """A database of these tests alone, for what is committed."""
    return create_database(MIGRATIONS)


@pytest.fixture
async def watching(dsn, make_library):
    """A library over a connection that sees what is committed."""
    connection = await asyncpg.connect(dsn)
    library = make_library(connection)
    yield library
    await connection.close()


@pytest.fixture
def at_once(watching, dsn, make_library, side_by_side):
    async def at_once(use_case):
        """Returns the results and events of a use case, which gets a library with its own connection and a number."""
        events = []

        async def run(connection, number):
            library = make_library(connection)
            library.user, library.now = watching.user, watching.now
            await use_case(library, number)
            events.extend(library.events)

        return await side_by_side(dsn, TIMES, run), [type(event) for event in events]

    return at_once


async def test_a_free_game_is_claimed_once(watching, at_once):
    game = uuid4()
    async with watching.connection.transaction():
        await watching.catalog(game, title_en="Free", is_free_to_play=True)
    came, events = await at_once(lambda library, _: library.service.claim(library.user, game, "en"))
    assert came == {"done": 1, "ProductAlreadyOwned": TIMES - 1}
    assert events == [GameAdded]


async def test_purchases_and_refunds_of_one_game_end_where_the_grants_say(watching, at_once):
    game = uuid4()

    async def buy_or_refund(library, number):
        order = f"order {number // 2}"
        await (library.refund if number % 2 else library.buy)(game, order=order)

    came, events = await at_once(buy_or_refund)
    assert came == {"done": TIMES}
    assert events.count(GameAdded) == events.count(GameRemoved)
    assert await watching.products() == []


async def test_a_category_has_its_name_alone(watching, at_once):
    came, _ = await at_once(
        lambda library, n: library.service.create_category(library.user, NewCategory(name="RPG" if n % 2 else "rpg"))
    )
    assert came == {"done": 1, "CategoryAlreadyExists": TIMES - 1}


async def test_no_more_categories_are_made_than_may_be(watching, at_once):
    async with watching.connection.transaction():
        for number in range(195):
            await watching.service.create_category(watching.user, NewCategory(name=f"old {number}"))
    came, _ = await at_once(
        lambda library, number: library.service.create_category(library.user, NewCategory(name=f"new {number}"))
    )
    assert came == {"done": 5, "InvalidInput": TIMES - 5}


async def test_what_all_devices_say_at_once_is_kept(watching, at_once):
    game = uuid4()
    async with watching.connection.transaction():
        await watching.buy(game)

    async def install(library, number):
        await library.change(game, installation_status="installed", device_id=f"device {number}")

    came, _ = await at_once(install)
    assert came == {"done": TIMES}
    kept = "SELECT installations::text FROM library.user_library_items WHERE user_id = $1"
    assert (await watching.connection.fetchval(kept, watching.user)).count("device ") == TIMES


async def test_an_owner_invites_no_more_than_they_may(watching, dsn, side_by_side):
    def links(connection):
        return FamilyLinks(connection, lambda event: None, max_members=3)

    came = await side_by_side(
        dsn,
        TIMES,
        lambda connection, _: links(connection).invite(watching.user, NewLink(shared_with_user_id=uuid4())),
    )
    assert came == {"done": 3, "FamilyLimitExceeded": TIMES - 3}


async def test_a_member_accepts_no_more_than_they_may(watching, dsn, side_by_side):
    invitations = []
    for _ in range(TIMES):
        async with watching.connection.transaction():
            links = FamilyLinks(watching.connection, lambda event: None)
            invitations.append(await links.invite(uuid4(), NewLink(shared_with_user_id=watching.user)))

    async def accept(connection, number):
        links = FamilyLinks(connection, lambda event: None, max_members=3)
        await links.accept(watching.user, invitations[number].id)

    assert await side_by_side(dsn, TIMES, accept) == {"done": 3, "FamilyLimitExceeded": TIMES - 3}
