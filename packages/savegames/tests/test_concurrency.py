"""Concurrent connections where nothing serialises the user, so that only row locks order them."""

import asyncio

import asyncpg
import pytest
from gameshelf.savegames import Limits


@pytest.fixture
async def connect(savegames_dsn):
    """Opens connections, which are closed after the test. A deadlock or a wait of ten seconds is an error."""
    opened = []

    async def open_one():
        settings = {"deadlock_timeout": "100ms", "lock_timeout": "10s"}
        opened.append(await asyncpg.connect(savegames_dsn, server_settings=settings))
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
    while await first.service.erase(first.id):
        pass


async def is_waiting(task):
    await asyncio.sleep(0.1)
    return not task.done()


@pytest.mark.parametrize("commits", [True, False])
async def test_a_download_beside_a_deletion_waits_for_it(players, commits):
    deleting, downloading, slot = players
    transaction = deleting.connection.transaction()
    await transaction.start()
    await deleting.service.delete(deleting.id, slot, permanent=True)
    download = asyncio.create_task(downloading.synced(slot, "pc", 1))
    assert await is_waiting(download)
    await (transaction.commit() if commits else transaction.rollback())
    await download
    assert len(await deleting.rows("devices")) == (0 if commits else 1)


async def test_a_deletion_beside_a_download_waits_for_it(players):
    deleting, downloading, slot = players
    transaction = downloading.connection.transaction()
    await transaction.start()
    await downloading.synced(slot, "pc", 1)

    async def delete():
        async with deleting.connection.transaction():
            await deleting.service.delete(deleting.id, slot, permanent=True)

    deletion = asyncio.create_task(delete())
    assert await is_waiting(deletion)
    await transaction.commit()
    await deletion
    assert (await deleting.rows("devices"), await deleting.rows("slots")) == ([], [])


async def test_downloads_do_not_wait_for_an_upload(players):
    uploading, downloading, slot = players
    transaction = uploading.connection.transaction()
    await transaction.start()
    await uploading.save(b"two", device_id="pc")
    await asyncio.wait_for(downloading.synced(slot, "deck", 1), 10)
    await transaction.commit()
    assert {row["device_id"]: row["version"] for row in await uploading.rows("devices")} == {"pc": 2, "deck": 1}


@pytest.mark.parametrize("mark_comes_first", [True, False])
async def test_an_object_is_either_adopted_or_marked_for_deletion(players, mark_comes_first):
    confirming, sweeping, _ = players
    waiting = await confirming.request(b"two")
    attempt = await confirming.uploads.begin_confirmation(confirming.id, waiting.upload_id)
    make_live = confirming.uploads._store.contents.make_live
    waits = (waiting.upload_id, None, None, confirming.now)
    sweeping.later(hours=2)
    first, second = (sweeping, confirming) if mark_comes_first else (confirming, sweeping)
    transaction = first.connection.transaction()
    await transaction.start()
    if mark_comes_first:
        assert len(await sweeping.sweeps.mark_for_deletion(10)) == 1
        other = asyncio.create_task(make_live(second.id, attempt.content_id, *waits))
        assert await is_waiting(other)
        await transaction.commit()
        assert await other is False
    else:
        assert await make_live(first.id, attempt.content_id, *waits)
        other = asyncio.create_task(sweeping.sweeps.mark_for_deletion(10))
        assert await is_waiting(other)
        await transaction.commit()
        assert await other == []
        await first.connection.execute("DELETE FROM savegames.savegame_contents WHERE id = $1", attempt.content_id)
