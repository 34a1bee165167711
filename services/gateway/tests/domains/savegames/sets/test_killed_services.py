"""A service is killed before each of the calls by which it commits a set, and another process finishes: over REST.

A proxy before PostgreSQL and one before the store count the calls of the service, and hold one of them and all later
ones.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from gameshelf.devstack.held_calls import HeldCalls, PostgresProxy
from gameshelf.devstack.proxy import Proxy
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.devstack.servers import S3
from gameshelf.library import GrantKind, LibraryService, NewGrant

pytestmark = pytest.mark.long(minutes=2)
PART = 8 * 1024**2
LARGE = {"saves/w1/large.dat": bytes(PART) + b"end", "saves/w1/same": b"11", "saves/w2/same": b"11", "saves/w2/b": b"2"}
WORLDS = [{"name": "{w}", "match": ["saves/{w}/**"]}]
BOTH = {"saves/w1/a": b"1", "saves/w1/b": b"22", "saves/w2/a": b"333"}
HEAD, BRANCH = {**BOTH, "saves/w1/a": b"head"}, {**BOTH, "saves/w2/a": b"branch"}
MERGED = HEAD | {"saves/w2/a": b"branch"}
VERBS = (b"GET ", b"HEAD ", b"PUT ", b"POST ", b"DELETE ")
SHARES = 3
STEPS_AT_LEAST = 20
"""A commit has more calls than that. With fewer the proxies would count something else."""


class StoreProxy(Proxy):
    """Counts the requests."""

    def __init__(self, upstream, calls):
        super().__init__(upstream)
        self.calls = calls

    def pumps(self, client):
        async def there(reader, writer):
            while chunk := await reader.read(65536):
                if chunk.startswith(VERBS):
                    await self.calls.reach()
                writer.write(chunk)
                await writer.drain()

        return there, super().pumps(client)[1]


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


class Victim:
    """A service behind the proxies."""

    def __init__(self, platform, store):
        dsn = urlsplit(platform.dsn)
        self.calls, self.store = HeldCalls(), store
        self.proxies = PostgresProxy(dsn.port, self.calls), StoreProxy(store.port, self.calls)
        self._platform, self._dsn = platform, dsn

    async def open(self):
        database, bucket = self.proxies
        for proxy in self.proxies:
            await proxy.listen()
        dsn = self._dsn._replace(netloc=self._dsn.netloc.replace(str(self._dsn.port), str(database.port))).geturl()
        endpoint = self.store.endpoint.replace(str(self.store.port), str(bucket.port))
        settings = {"POSTGRES_DSN": dsn, "S3_ENDPOINT": endpoint, "LIBRARY_SERVICE_ROLES": "api"}
        self.service = self._platform.service(**settings)

    async def start(self):
        self.calls.release()
        await asyncio.to_thread(self.service.start)

    async def commit_until(self, number, player, commit, meanwhile):
        """Kills the service before the call of a number; returns the answer if the player's commit has fewer calls."""
        self.calls.hold(number, user_id=player.id)
        begun, held = asyncio.create_task(commit()), asyncio.create_task(self.calls.held.wait())
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.wait([begun, held], return_when=asyncio.FIRST_COMPLETED)
        was_held = self.calls.held.is_set()
        if was_held and meanwhile != "runs":
            await asyncio.to_thread(self.store.freeze)
        await asyncio.to_thread(self.service.kill)
        for proxy in self.proxies:
            await proxy.cut()
            await proxy.listen()
        held.cancel()
        if was_held and meanwhile == "restarts":
            await asyncio.to_thread(self.store.kill)
            await asyncio.to_thread(self.store.start)
        with suppress(httpx.TransportError):
            answer = await begun
            return None if was_held else answer
        assert was_held
        return None


@pytest.fixture
async def victim(platform, service, store):
    made = Victim(platform, store)
    await made.open()
    yield made
    store.thaw()
    made.service.kill()
    for proxy in made.proxies:
        await proxy.cut()


class Story:
    """A player of a step: two devices, and an upload that waits for its commit."""

    def __init__(self, player, pc, deck):
        self.player, self.pc, self.deck, self.key = player, pc, deck, str(uuid4())
        self.kept = {}
        """The files of each version that is there before the commit."""

    async def first(self):
        """The first version, with a large file in parts."""
        self.upload_id, attributes = await self.pc.begin(LARGE)
        await self.pc.send_all(self.upload_id, attributes, LARGE)
        return {1: LARGE}

    async def merged(self):
        """A branch that is merged at once, as another unit has changed in it."""
        first = await self.pc.save(BOTH)
        assert await self.deck.load(first.json()["data"]["id"]) == BOTH
        assert (await self.pc.save(HEAD, base_version=1)).status_code == 200
        self.kept = {1: BOTH, 2: HEAD}
        self.upload_id, attributes = await self.deck.begin(BRANCH, base_version=1)
        await self.deck.send_all(self.upload_id, attributes, BRANCH)
        return {1: BOTH, 2: HEAD, 3: BRANCH, 4: MERGED}

    async def commit(self, at=None):
        """Commits at an instance, with the same key each time, as a client does that was not answered."""
        path, headers = f"/savegames/uploads/{self.upload_id}/commit", {"Idempotency-Key": self.key}
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (answer := await (at or self.player).post(path, **headers)).status_code == 202:
                await asyncio.sleep(0)
        return answer

    async def cancel(self):
        return await self.player.http.delete(f"/savegames/uploads/{self.upload_id}")

    async def check(self, versions, jobs):
        """Every version is whole, one event each, the quota is what they take, and each row has its object."""
        saves = (await self.player.get("/savegames"))["data"]
        assert len(saves) == bool(versions)
        if saves:
            assert saves[0]["attributes"]["version"] == max(versions)
            listed = (await self.player.get(f"/savegames/{saves[0]['id']}/versions"))["data"]
            assert sorted(one["attributes"]["version"] for one in listed) == sorted(versions)
            for version, files in versions.items():
                assert await self.deck.load(saves[0]["id"], version) == files
        assert (await self.player.get("/savegames/conflicts"))["data"] == []
        said = [one["attributes"]["payload"] for one in (await self.player.get("/events", cursor=0, limit=100))["data"]]
        done = [one["version"] for one in said if one.get("status") == "sync_completed"]
        assert len(done) == len(set(done))
        assert set(done) <= versions.keys()
        assert {max(versions, default=0)} - {0} <= set(done)
        distinct = {data for files in versions.values() for data in files.values()}
        assert await self.player.saved_bytes() == (sum(map(len, distinct)), 0)
        hashes = {sha256(data).digest() for data in distinct}
        found = "SELECT file_hash_sha256 FROM savegames.savegame_contents WHERE user_id = $1 AND state = 'live'"
        rows = await jobs.pool.fetch(f"{found} AND kind = 'file'", self.player.id)
        assert sorted(row["file_hash_sha256"] for row in rows) == sorted(hashes)


@pytest.fixture
def new_story(new_player, new_set_device, set_policy, jobs):
    async def make():
        player, game = new_player(), uuid4()
        async with jobs.transactions.begin(player.id) as transaction:
            grant = NewGrant(game, GrantKind.ORDER, str(uuid4()), jobs.now())
            await transaction.of(LibraryService).grant(player.id, [grant])
        await set_policy(game, units=WORLDS, merge="units")
        return Story(player, *(new_set_device(name, player, game) for name in ("pc", "deck")))

    return make


async def end(story, victim, new_player, way, expected):
    """What comes after a kill: the client repeats its call, there or elsewhere, or it gives up. Returns what is left"""
    if way == "given up":
        answer = await story.cancel()
        if answer.status_code == 204:
            assert (await story.commit()).status_code == 404
            return story.kept
        assert answer.status_code == 404
    elsewhere = None
    if way == "restarted":
        await victim.start()
        elsewhere = new_player(at=victim.service, user_id=story.player.id)
    answer = await story.commit(elsewhere)
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["attributes"]["version"] == max(expected)
    assert (await story.commit()).json() == answer.json()
    return expected


async def thaw_later(store):
    await asyncio.sleep(0.2)
    await asyncio.to_thread(store.thaw)


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("kind", ["first", "merged"])
async def test_scenario_12_a_service_killed_at_any_call_of_a_commit(
    victim, store, new_player, new_story, jobs, set_client, kind, share
):
    number, answer, players = share + 1, None, []
    while answer is None:
        story = await new_story()
        players.append(story.player)
        expected = await getattr(story, kind)()
        way = ("elsewhere", "restarted", "given up")[number // SHARES % 3]
        meanwhile = ("runs", "hangs", "restarts")[number // SHARES // 3 % 3]
        print(kind, number, way, meanwhile)  # shown where it fails
        await victim.start()
        at = new_player(at=victim.service, user_id=story.player.id)
        answer = await victim.commit_until(number, at, lambda story=story, at=at: story.commit(at), meanwhile)
        thawed = asyncio.create_task(thaw_later(store))
        left = await end(story, victim, new_player, "elsewhere" if answer else way, expected)
        await thawed
        victim.service.kill()
        await story.check(left, jobs)
        number += SHARES
    assert number - SHARES > STEPS_AT_LEAST
    await set_client.lists.run_once()
    await jobs.run(timedelta(hours=26))
    for player in players:
        assert await jobs.keys(player) == await jobs.known_keys(player) == await jobs.live_keys(player)
    assert [key for key in await jobs.all_keys() if key.startswith("incoming/")] == []
    assert await jobs.objects.open_parts("") == []
