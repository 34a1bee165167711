"""Two devices of a user commit sets at the same time, each over a connection of its own."""

import asyncio

import asyncpg
import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.savegames import Limits, UploadQueries, UploadResult


@pytest.fixture
async def devices(own_dsn, new_player, of_player):
    """One player over two connections. A wait without end is an error."""
    kind, opened = type(new_player()), []
    for _ in range(2):
        settings = {"deadlock_timeout": "100ms", "lock_timeout": f"{PATIENCE_SECONDS}s"}
        opened.append(await asyncpg.connect(own_dsn, server_settings=settings))
    players = [kind(connection, Limits()) for connection in opened]
    for player in players[1:]:
        player.id, player.product = players[0].id, players[0].product
    yield [of_player(player) for player in players]
    while await players[0].service.erase(players[0].id):
        pass
    for connection in opened:
        await connection.close()


async def uploaded(device, files, **more):
    """Requests an upload, and sends and verifies its files."""
    async with device.player.connection.transaction():
        reservation = await device.request(files, **more)
        device.send_all(reservation, files)
        await device.verify(reservation)
    return reservation


async def commit(device, reservation):
    async with device.player.connection.transaction():
        return await device.sets.finish(device.id, reservation.upload_id)


async def test_of_two_commits_from_nothing_one_is_a_branch(devices):
    first, second = devices
    one = await uploaded(first, {"a": b"1", "c": b"same"}, device_id="pc")
    two = await uploaded(second, {"b": b"2", "c": b"same"}, device_id="deck")
    outcomes = await asyncio.gather(commit(first, one), commit(second, two))
    assert sorted(outcome.result for outcome in outcomes) == [UploadResult.CONFLICT, UploadResult.HEAD]
    assert sum(outcome.new_bytes for outcome in outcomes) == 6
    assert await first.player.usage() == (6, 0)
    await first.player.check()


async def test_one_upload_that_is_committed_twice_at_once_is_one_version(devices):
    first, second = devices
    reservation = await uploaded(first, {"a": b"1", "b": b"2"})
    outcomes = await asyncio.gather(commit(first, reservation), commit(second, reservation))
    assert outcomes[0] == outcomes[1]
    assert len(await first.rows("metadata")) == 1
    assert len(first.player.events) + len(second.player.events) == 2


async def test_a_client_that_asks_what_is_missing_never_stops_a_commit(devices):
    """It extends the upload without the user's lock, and the contents that the commit makes live at this moment."""
    first, second = devices
    reservation = await uploaded(first, {"a": b"1", "b": b"2"})
    [upload] = await first.rows("uploads")
    connection = first.player.connection
    async with connection.transaction():
        live = "UPDATE savegames.savegame_contents SET created_at = created_at WHERE user_id = $1"
        await connection.execute(live, first.id)
        asking = UploadQueries(second.player.connection).extend(first.id, upload["id"], 300, first.player.now)
        await asyncio.wait_for(asking, PATIENCE_SECONDS)
        assert (await first.sets.finish(first.id, reservation.upload_id)).result is UploadResult.HEAD


async def test_the_same_files_of_two_devices_are_one_version(devices):
    first, second = devices
    files = {"a": b"1", "b": b"2"}
    one, two = await uploaded(first, files, device_id="pc"), await uploaded(second, files, device_id="deck")
    outcomes = await asyncio.gather(commit(first, one), commit(second, two))
    assert sorted(outcome.result for outcome in outcomes) == [UploadResult.HEAD, UploadResult.IDENTICAL]
    assert len(await first.rows("metadata")) == 1
    await first.player.check()
