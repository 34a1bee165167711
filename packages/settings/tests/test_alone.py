"""The package without the gateway: many concurrent transactions on one user, ordered by the package alone."""

import asyncpg
import pytest
from gameshelf.settings import MAX_OVERLAYS, MIGRATIONS

TIMES = 12


@pytest.fixture(scope="module")
def dsn(create_database):
    """A database for these tests alone, since they commit."""
    return create_database(MIGRATIONS)


@pytest.fixture
async def watching(dsn, make_player):
    """A player over a connection that sees the committed state."""
    connection = await asyncpg.connect(dsn)
    player = make_player(connection)
    yield player
    await connection.close()


@pytest.fixture
def at_once(watching, dsn, make_player, side_by_side):
    async def at_once(use_case):
        """Runs a use case several times at once, each with a player over a connection of its own and with a number."""

        async def run(connection, number):
            player = make_player(connection)
            player.id, player.product = watching.id, watching.product
            await use_case(player, number)

        return await side_by_side(dsn, TIMES, run)

    return at_once


async def test_patches_of_all_devices_add_up(watching, at_once):
    assert await at_once(lambda player, number: player.patch({f"k{number}": number})) == {"done": TIMES}
    found = await watching.get()
    assert (found.payload, found.revision) == ({f"k{number}": number for number in range(TIMES)}, TIMES)


async def test_one_of_many_who_have_read_the_same_writes(watching, at_once, read):
    async with watching.connection.transaction():
        before = await watching.put({"volume": 0})
    came = await at_once(lambda player, number: player.put({"volume": number + 1}, given=read(before.revisions.tag)))
    assert came == {"done": 1, "PreconditionFailed": TIMES - 1}


async def test_no_more_overlays_are_kept_than_may_be(watching, at_once):
    async with watching.connection.transaction():
        await watching.put({})
        for number in range(MAX_OVERLAYS - 1):
            await watching.put({"n": number}, {"device_id": f"old {number}"})
    came = await at_once(lambda player, number: player.put({"n": number}, {"device_id": f"new {number}"}))
    assert came == {"done": TIMES}
    layers = await watching.queries.layers(watching.id, watching.product)
    assert len([one for one in layers if one.layer == "device"]) == MAX_OVERLAYS
