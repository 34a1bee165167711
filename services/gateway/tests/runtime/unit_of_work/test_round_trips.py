"""Frequent changes cost what the table in ``docs/architecture.md`` says."""

from uuid import uuid4

import grpc.aio
from gameshelf.protos.library.v1 import achievement_service_pb2 as messages
from gameshelf.protos.library.v1.achievement_service_pb2_grpc import AchievementServiceStub

UNLOCK = "an unlock by id, or up to 1,000 of one player"
REPORT = "a report of progress, or up to 1,000 of one player"
DEFINE = """
    INSERT INTO achievements.achievement_metadata (id, product_id, api_name, target_progress)
    VALUES ($1, $2, $3, 100)
"""


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

        assert await report(ids[0], unlock=True) == (True, documented[UNLOCK])
        assert await report(ids[1], current_progress=5) == (False, documented[REPORT])
    await server.stop(0)
