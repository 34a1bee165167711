"""A service is killed at each statement of a change, and the client repeats it elsewhere: it was made once.

The statement never reached PostgreSQL, or its answer never came back; nothing else can be known of a killed process.
"""

import asyncio
from contextlib import suppress
from uuid import uuid4

import httpx
import pytest

pytestmark = pytest.mark.long


class Change:
    """A request with a key of its own, which each attempt repeats."""

    def __init__(self, method, path, attributes=None):
        self.method, self.path, self.attributes, self.key = method, path, attributes, str(uuid4())

    async def make(self, player):
        body = {} if self.attributes is None else {"json": {"data": {"attributes": self.attributes}}}
        return await player.http.request(self.method, self.path, headers={"Idempotency-Key": self.key}, **body)

    def was_made_before(self, answer):
        if self.method == "PUT":  # it has no key, since another one with the same body changes nothing
            return answer.status_code == 200
        return "Idempotency-Replayed" in answer.headers


SIZE = 100_000
"""Of a save, which nobody uploads."""
DEFINE = "INSERT INTO achievements.achievement_metadata (id, product_id, api_name) VALUES ($1, $2, 'A')"


class World:
    """Players who own a game, and changes that they can make."""

    def __init__(self, connection, wait_until):
        self.connection, self.wait_until = connection, wait_until

    async def owned_by(self, player):
        game = uuid4()
        await player.buys(game)
        await self.wait_until(player.products)
        return game

    async def settings(self, player):
        game = await self.owned_by(player)
        return Change("PUT", f"/settings/{game}", {"settings_payload": {"volume": 1}}), "settings.updated"

    async def wish(self, player):
        return Change("POST", "/wishlist/items", {"product_id": str(uuid4())}), "wishlist.updated"

    async def unlock(self, player):
        game, achievement = await self.owned_by(player), uuid4()
        await self.connection.execute(DEFINE, achievement, game)
        return Change("POST", f"/achievements/{achievement}/unlock"), "achievement.unlocked"

    async def start(self, player):
        game = await self.owned_by(player)
        return Change("POST", "/playtime/sessions/start", {"product_id": str(game)}), "playtime.session.started"

    async def end(self, player):
        start, _ = await self.start(player)
        session = (await start.make(player)).json()["data"]["id"]
        return Change("POST", f"/playtime/sessions/{session}/end"), "playtime.session.ended"

    async def category(self, player):
        return Change("POST", "/categories", {"name": "RPG"}), "library.category.updated"

    async def upload(self, player):
        save = {
            "product_id": str(await self.owned_by(player)),
            "save_slot_name": "slot",
            "file_size_bytes": SIZE,
            "file_hash_sha256": "0" * 64,
            "device_id": "device",
        }
        return Change("POST", "/savegames/upload-url", save), "savegame.sync.status"


@pytest.fixture(scope="module")
def platform(create_platform, s3):
    """With a bucket: a URL for an upload is signed for one."""
    made = create_platform(s3=s3)
    yield made
    made.close()


@pytest.fixture
async def victim(make_victim):
    return await make_victim(LIBRARY_SERVICE_ROLES="api")


@pytest.mark.parametrize("kind", ["settings", "wish", "unlock", "start", "end", "category", "upload"])
async def test_a_change_that_was_cut_off_at_any_statement_is_made_once(
    victim, new_player, connection, wait_until, kind
):
    world, number, done, killed = World(connection, wait_until), 0, [], set()
    while done != [True, True]:
        number, done = number + 1, []
        for answer in (False, True):
            player = new_player()
            change, message = await getattr(world, kind)(player)
            await victim.start()
            victim.calls.hold(number, answer=answer, user_id=player.id)
            request = asyncio.create_task(change.make(new_player(at=victim.service, user_id=player.id)))
            done.append(await victim.kill_when_held(request))
            with suppress(httpx.TransportError):
                await request
            repeated = await change.make(player)
            assert repeated.is_success, (number, answer, repeated.text)
            if not done[-1]:
                killed.add("made" if change.was_made_before(repeated) else "not made")
            assert change.was_made_before(await change.make(player))
            feed = (await player.get("/events", cursor=0, limit=100))["data"]
            assert [one["attributes"]["event_type"] for one in feed].count(message) == 1, (number, answer)
            assert await player.saved_bytes() == (0, SIZE if kind == "upload" else 0), (number, answer)
    assert killed == {"made", "not made"}
