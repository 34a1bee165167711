"""A broker that keeps its data is killed under the idempotent producers of the service; only real ones can be."""

import asyncio
import json
from uuid import UUID, uuid4

import asyncpg
import pytest
from gameshelf.devstack.events import publish
from gameshelf.devstack.servers import choice

PURCHASES = 200
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not choice.are_real(), reason="the embedded broker keeps nothing: ./dev test --real"),
]


async def test_a_killed_broker_loses_and_doubles_no_event(platform, purchase_of, wait_until, read_records):
    service = platform.service()
    assert service.environment["KAFKA_ENABLE_IDEMPOTENCE"] == "true"
    service.start()
    player = uuid4()
    products = [uuid4() for _ in range(PURCHASES)]
    connection = await asyncpg.connect(platform.dsn)

    async def are_out():
        owned = await connection.fetchval("SELECT count(*) FROM library.user_library_items WHERE user_id = $1", player)
        return owned == PURCHASES and await connection.fetchval("SELECT count(*) FROM gateway.outbox") == 0

    for start in range(0, PURCHASES, PURCHASES // 2):
        await publish(platform.kafka.address, [purchase_of(player, one) for one in products[start:][: PURCHASES // 2]])
        platform.kafka.kill()
        await asyncio.to_thread(platform.kafka.start)
    await wait_until(are_out)
    await connection.close()
    last = uuid4()  # a user's records are in order: whatever was sent twice stands before this one
    await publish(platform.kafka.address, [purchase_of(player, last)])
    records = await read_records(platform, "com.platform.library.events.v1", lambda found: last in _added(found))
    assert sorted(_added(records)) == sorted([*products, last])
    assert service.stop() == 0


def _added(records):
    events = [json.loads(record.value) for record in records]
    return [UUID(event["data"]["productId"]) for event in events if event["type"].endswith("game.added.v1")]
