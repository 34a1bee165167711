"""A service that is killed while its store hangs or restarts, and clients that repeat their calls: over REST."""

import asyncio
import os
import re
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from uuid import uuid4

import httpx
import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.devstack.servers import S3

pytestmark = pytest.mark.long
PART = 8 * 1024**2
VERIFIED = re.compile(r"^savegame_verify_seconds_count (\S+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def store(server_directory):
    server = S3(server_directory / f"s3-{uuid4().hex[:8]}")
    server.start()
    yield server
    server.thaw()
    server.remove()


@pytest.fixture(scope="module")
def platform(create_platform, store):
    made = create_platform(s3=store)
    yield made
    made.close()


@pytest.fixture
def files():
    """Other bytes in each test: a large file in parts, and more small ones than are verified at once."""
    large = {"saves/large.dat": os.urandom(PART) + b"end"}
    return large | {f"saves/{number:03}.dat": os.urandom(64) for number in range(150)}


class Client:
    """A device whose calls may be cut off; it repeats each with the same key until it is answered."""

    def __init__(self, pc, service, store, files):
        self.pc, self.service, self.store, self.files = pc, service, store, files
        self.keys = {}

    def key(self, call):
        return {"Idempotency-Key": self.keys.setdefault(call, str(uuid4()))}

    async def request(self):
        return await self.pc.ask(
            {"files": [self.pc.entry(path, content) for path, content in self.files.items()]}, **self.key("request")
        )

    async def commit(self, upload_id):
        return await self.pc.commit(upload_id, **self.key(upload_id))

    async def verified(self):
        answer = await self.pc.store.get(self.service.metrics)
        return float(VERIFIED.search(answer.text)[1])

    async def cut_off(self, call, until=None):
        """Begins a call, and kills the service once ``until`` holds, by default when the call hangs."""
        begun = asyncio.create_task(call)
        if until is None:
            await asyncio.wait([begun], timeout=1)
        else:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not begun.done() and not await until():
                    await asyncio.sleep(0)
        await asyncio.to_thread(self.store.freeze)
        await asyncio.to_thread(self.service.kill)
        with suppress(httpx.TransportError):
            await begun
        await asyncio.to_thread(self.store.thaw)

    async def restart(self):
        await asyncio.to_thread(self.service.start, outlives_test=True)


@pytest.fixture
async def client(pc, service, store, files):
    made = Client(pc, service, store, files)
    yield made
    store.thaw()
    if not service.is_ready():
        await made.restart()


async def frozen_request(client):
    """The reservation is committed, and its URLs are not signed yet."""
    await asyncio.to_thread(client.store.freeze)
    await client.cut_off(client.request())


async def restarted_store(client):
    """Half of the bytes are there; store and service are killed."""
    attributes = (await client.request()).json()["data"]["attributes"]
    some = attributes | {"uploads": attributes["uploads"][::2]}
    await client.pc.send(some, client.files)
    for one in (client.service, client.store):
        await asyncio.to_thread(one.kill)
    await asyncio.to_thread(client.store.start)


async def sent(client):
    data = (await client.request()).json()["data"]
    await client.pc.send_all(data["id"], data["attributes"], client.files)
    return data["id"]


async def frozen_copies(client):
    """The commit has begun its first copies, which the store makes later or never."""
    upload_id = await sent(client)
    await asyncio.to_thread(client.store.freeze)
    await client.cut_off(client.commit(upload_id))


async def frozen_verification(client):
    """Some files are verified; the others are on their way."""
    upload_id, before = await sent(client), await client.verified()

    async def some_are_verified():
        return await client.verified() > before

    await client.cut_off(client.commit(upload_id), some_are_verified)


async def unwritten_list(client):
    """The commit was answered, and the list of the version may not be written."""
    upload_id = await sent(client)
    answer = await client.commit(upload_id)
    assert answer.status_code == 200, answer.text
    await asyncio.to_thread(client.store.freeze)
    await asyncio.to_thread(client.service.kill)
    await asyncio.to_thread(client.store.thaw)


CUTS = (frozen_request, restarted_store, frozen_copies, frozen_verification, unwritten_list)


@pytest.mark.parametrize("cut", CUTS, ids=lambda cut: cut.__name__)
async def test_a_commit_that_was_cut_off_is_repeated(player, client, jobs, set_client, deck, data_of, cut):
    await cut(client)
    await client.restart()
    upload_id, attributes = data_of(await client.request())
    if attributes["status"] == "open":
        await client.pc.send_all(upload_id, attributes, client.files)
    savegame_id, saved = data_of(await client.commit(upload_id))
    assert (saved["version"], saved["file_count"]) == (1, len(client.files))
    assert (await player.post(f"/savegames/uploads/{upload_id}/commit")).json()["data"]["id"] == savegame_id
    assert await deck.load(savegame_id) == client.files
    assert len((await player.get(f"/savegames/{savegame_id}/versions"))["data"]) == 1
    events = (await player.get("/events", cursor=0, limit=100))["data"]
    said = [one["attributes"]["payload"] for one in events if one["attributes"]["event_type"] == "savegame.sync.status"]
    assert [one["version"] for one in said if one["status"] == "sync_completed"] == [1]
    await set_client.lists.run_once()
    await jobs.run(timedelta(hours=26))
    assert await jobs.keys(player) == await jobs.known_keys(player) == await jobs.live_keys(player)
    assert [key for key in await jobs.all_keys() if key.startswith("incoming/")] == []
    assert await jobs.objects.open_parts("") == []
    distinct = {sha256(content).digest(): len(content) for content in client.files.values()}
    assert await player.saved_bytes() == (sum(distinct.values()), 0)
