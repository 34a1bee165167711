"""Frequent changes cost what the table in ``docs/architecture.md`` says."""

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import grpc.aio
import pytest
from gameshelf.devstack.statements import PACKAGES, Class, classify, tables
from gameshelf.gateway.domains.achievements.openings import KNOWN
from gameshelf.gateway.runtime.distributed import is_distributed
from gameshelf.protos.library.v1 import achievement_service_pb2 as messages
from gameshelf.protos.library.v1.achievement_service_pb2_grpc import AchievementServiceStub

UNLOCK = "an unlock by id, or up to 1,000 of one player"
REPORT = "a report of progress, or up to 1,000 of one player"
START, END = "`POST /playtime/sessions/start`", "`POST /playtime/sessions/{id}/end`"
IMPORT = "`POST /playtime/sessions/import`"
ON_SHARED_COPY, ON_COPY_OF_TWO = (9, 1, 6), (10, 1, 9)
"""How many round trips more a start, an end and an import take."""
DEFINE = """
    INSERT INTO achievements.achievement_metadata (id, product_id, api_name, target_progress)
    VALUES ($1, $2, $3, 100)
"""
KEYS = {name: key for package in PACKAGES for name, key in tables(package).items()}


def whose_rows_the_end_writes(measured, user_id):
    """The class of the last statement. A combined one has the user several times, which is one parameter here."""
    [(query, values)] = [
        (query, values)
        for query, values in zip(measured.statements, measured.values, strict=True)
        if "UPDATE gateway.user_streams SET" in query
    ]
    users = {f"${number}" for number, value in enumerate(values, 1) if value == user_id}
    return classify(re.sub(r"\$\d+", lambda found: "$1000" if found[0] in users else found[0], query), KEYS).kind


async def test_settings_and_wishes(measured, documented, player, wait_until):
    game, wish = uuid4(), uuid4()
    await player.buys(game)
    await wait_until(player.products)
    first = {"settings_payload": {"volume": 1}}
    _, put = await measured.cost("PUT", f"/settings/{game}", first, 201)
    _, again = await measured.cost("PUT", f"/settings/{game}?device_id=deck", first)
    assert put == again == documented["`PUT /settings/{product_id}`"]
    _, wished = await measured.cost("POST", "/wishlist/items", {"product_id": str(wish)}, 201)
    assert wished == documented["`POST /wishlist/items`"]


async def test_all_that_a_change_writes_is_on_the_users_shard(measured, player, wait_until):
    game = uuid4()
    await player.buys(game)
    await wait_until(player.products)
    await measured.cost("PUT", f"/settings/{game}", {"settings_payload": {"volume": 1}}, 201)
    assert whose_rows_the_end_writes(measured, player.id) is Class.ROUTER  # without a lock
    await measured.cost("POST", "/wishlist/items", {"product_id": str(uuid4())}, 201)
    assert whose_rows_the_end_writes(measured, player.id) is Class.ROUTER  # under a lock


@pytest.mark.long
async def test_play_on_shared_copies(measured, documented, player, new_player, wait_until):
    """Costs so much more than play on the player's own copy, of one owner and of two who have the game."""
    if is_distributed(asyncpg.Connection):
        pytest.skip("there a seat is freed under the lock of its player")
    game, found = uuid4(), []

    async def play():
        started, start = await measured.cost("POST", "/playtime/sessions/start", {"product_id": str(game)}, 201)
        path = f"/playtime/sessions/{started.json()['data']['id']}/end"
        # The owner's seat is in the same statement, but where tables are distributed.
        _, end = await measured.cost("POST", path, is_of_one_user=False)
        return start - documented[START], end - documented[END]

    for minute in range(2):
        owner = new_player()
        await owner.buys(game)
        await wait_until(owner.products)
        link = (await owner.post("/family/links", {"shared_with_user_id": str(player.id)})).json()["data"]["id"]
        await player.post(f"/family/links/{link}/accept")
        await player.keeps_shares()
        began = datetime.now(UTC) + timedelta(minutes=minute)
        times = {"start_time": began.isoformat(), "end_time": (began + timedelta(seconds=30)).isoformat()}
        offline = {"client_session_id": str(minute), "product_id": str(game), **times}
        await play()  # the first time, the game gets a row in the library
        answer, cost = await measured.cost("POST", IMPORT.split()[1].rstrip("`"), {"sessions": [offline]})
        assert "accepted" in answer.text, answer.text
        found.append((*await play(), cost - documented[IMPORT]))
    assert found == [ON_SHARED_COPY, ON_COPY_OF_TWO]


async def test_an_idempotency_key_costs_nothing(measured, documented):
    key, new = {"Idempotency-Key": str(uuid4())}, {"product_id": str(uuid4())}
    await measured.cost("POST", "/wishlist/items", {"product_id": str(uuid4())}, 201)
    first, cost = await measured.cost("POST", "/wishlist/items", new, 201, headers=key)
    assert cost == documented["`POST /wishlist/items`"]
    second, cost = await measured.cost("POST", "/wishlist/items", new, 201, headers=key)
    assert (second.json(), second.headers["Idempotency-Replayed"]) == (first.json(), "true")
    assert cost < documented["`POST /wishlist/items`"]


async def test_reports(measured, documented, player, caller, wait_until):
    game, ids = uuid4(), [uuid4() for _ in range(3)]
    await player.buys(game)
    await wait_until(player.products)
    async with measured.gateway.database.acquire() as connection:
        for number, achievement in enumerate(ids):
            await connection.execute(DEFINE, achievement, game, f"A{number}")
    server = measured.gateway.grpc_server()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{await server.start()}") as channel:
        stub = AchievementServiceStub(channel)

        async def report(achievement, **how):
            request = messages.UpdateAchievementProgressRequest(
                user_id=str(player.id), achievement_id=str(achievement), **how
            )
            answer, cost = await measured.count(
                stub.UpdateAchievementProgress(request, metadata=caller(player.id, "user"))
            )
            return answer.newly_unlocked, cost

        assert await report(ids[0], unlock=True) == (True, documented[UNLOCK] + 1)
        assert await report(ids[0], unlock=True) == (False, documented[UNLOCK])
        assert await report(ids[1], current_progress=5) == (False, documented[REPORT])
        assert await report(ids[1], unlock=True) == (True, documented[UNLOCK])
    await server.stop(0)
    KNOWN.learn(ids[2], game)
    _, cost = await measured.cost("POST", f"/achievements/{ids[2]}/unlock")
    assert cost == documented[UNLOCK]


async def test_a_wrong_guess_of_the_product_only_costs_a_round_trip(measured, documented, player, wait_until):
    game, achievement, other = uuid4(), uuid4(), uuid4()
    await player.buys(game)
    await wait_until(player.products)
    async with measured.gateway.database.acquire() as connection:
        await connection.execute(DEFINE, achievement, game, "A")
        await connection.execute(DEFINE, other, uuid4(), "B")
    KNOWN.learn(achievement, uuid4())
    KNOWN.learn(other, game)
    await measured.cost("POST", f"/achievements/{other}/unlock", status=403)
    _, cost = await measured.cost("POST", f"/achievements/{achievement}/unlock")
    assert cost == documented[UNLOCK] + 1
