"""Concurrent connections where nothing serialises the user, so that only row locks order them."""

import asyncio

import asyncpg
import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.savegames import Limits


@pytest.fixture
async def connect(own_dsn):
    """Opens connections, which are closed after the test. A deadlock, or a wait without end, is an error."""
    opened = []

    async def open_one():
        settings = {"deadlock_timeout": "100ms", "lock_timeout": f"{PATIENCE_SECONDS}s"}
        opened.append(await asyncpg.connect(own_dsn, server_settings=settings))
        return opened[-1]

    yield open_one
    for connection in opened:
        await connection.close()


@pytest.fixture
async def players(connect, new_player):
    """One player with a save over two connections, each of which reads what the other has committed."""
    kind = type(new_player())

    async def trusting(user_id):
        pass

    first, second = [kind(await connect(), Limits(), trusting) for _ in range(2)]
    second.id, second.product = first.id, first.product
    slot = (await first.save(b"one")).slot_id
    yield first, second, slot
    # A test that failed may have left transactions open.
    for player in (first, second):
        await player.connection.close()
    last = kind(await connect(), Limits(), trusting)
    while await last.service.erase(first.id):
        pass


@pytest.fixture
async def is_waiting(connect):
    """Whether a task comes to wait for another transaction's lock, rather than end without one."""
    watching = await connect()

    async def comes_to_wait(task, connection):
        blocked = "SELECT cardinality(pg_blocking_pids($1)) > 0"
        while not await watching.fetchval(blocked, connection.get_server_pid()):
            if task.done():
                return False
            await asyncio.sleep(0.01)
        return not task.done()

    return comes_to_wait


@pytest.mark.parametrize("commits", [True, False])
async def test_a_download_beside_a_deletion_waits_for_it(players, is_waiting, commits):
    deleting, downloading, slot = players
    transaction = deleting.connection.transaction()
    await transaction.start()
    await deleting.service.delete(deleting.id, slot, permanent=True)
    download = asyncio.create_task(downloading.synced(slot, "pc", 1))
    assert await is_waiting(download, downloading.connection)
    await (transaction.commit() if commits else transaction.rollback())
    await download
    assert len(await deleting.rows("devices")) == (0 if commits else 1)


async def test_a_deletion_beside_a_download_waits_for_it(players, is_waiting):
    deleting, downloading, slot = players
    transaction = downloading.connection.transaction()
    await transaction.start()
    await downloading.synced(slot, "pc", 1)

    async def delete():
        async with deleting.connection.transaction():
            await deleting.service.delete(deleting.id, slot, permanent=True)

    deletion = asyncio.create_task(delete())
    assert await is_waiting(deletion, deleting.connection)
    await transaction.commit()
    await deletion
    assert (await deleting.rows("devices"), await deleting.rows("slots")) == ([], [])


async def test_downloads_do_not_wait_for_an_upload(players):
    uploading, downloading, slot = players
    transaction = uploading.connection.transaction()
    await transaction.start()
    await uploading.save(b"two", device_id="pc")
    await asyncio.wait_for(downloading.synced(slot, "deck", 1), PATIENCE_SECONDS)
    await transaction.commit()
    assert {row["device_id"]: row["version"] for row in await uploading.rows("devices")} == {"pc": 2, "deck": 1}


@pytest.mark.parametrize("mark_comes_first", [True, False])
async def test_an_object_is_either_adopted_or_marked_for_deletion(players, is_waiting, mark_comes_first):
    confirming, sweeping, _ = players
    waiting = await confirming.request(b"two")
    attempt = await confirming.uploads.begin_confirmation(confirming.id, waiting.upload_id)
    make_live = confirming.uploads._store.contents.make_live
    waits = (waiting.upload_id, None, None, None, confirming.now)
    sweeping.later(hours=2)
    first, second = (sweeping, confirming) if mark_comes_first else (confirming, sweeping)
    transaction = first.connection.transaction()
    await transaction.start()
    if mark_comes_first:
        assert len(await sweeping.sweeps.mark_for_deletion(10)) == 1
        other = asyncio.create_task(make_live(second.id, attempt.content_id, *waits))
        assert await is_waiting(other, second.connection)
        await transaction.commit()
        assert await other is False
    else:
        assert await make_live(first.id, attempt.content_id, *waits)
        # It doesn't wait: what is being confirmed keeps its content, and is due again if the confirmation fails.
        assert await asyncio.wait_for(sweeping.sweeps.mark_for_deletion(10), PATIENCE_SECONDS) == []
        await transaction.commit()
        assert await sweeping.sweeps.mark_for_deletion(10) == []
        await first.connection.execute("DELETE FROM savegames.savegame_contents WHERE id = $1", attempt.content_id)
