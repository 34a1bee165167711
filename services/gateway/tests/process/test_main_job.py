"""The main job, end to end: a purchase reaches the library, the devices of the player and other services."""

import asyncio
import json
from uuid import uuid4

import grpc.aio
from aiokafka import AIOKafkaConsumer
from gameshelf.devstack.events import CloudEvent
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.protos.library.v1.library_query_service_pb2 import CheckGameAccessRequest
from gameshelf.protos.library.v1.library_query_service_pb2_grpc import LibraryQueryServiceStub
from websockets.asyncio.client import connect

EVENTS = "com.platform.library.events.v1"


async def test_a_purchase_reaches_the_library_devices_kafka_and_grpc(
    platform, service, player, next_message, conforms, wait_until
):
    product = uuid4()
    title = {"productId": str(product), "newTitle": {"ru": "Лёд", "en": "Ice"}, "productType": "game"}
    await player.publish(CloudEvent("com.platform.catalog.product.created.v1", title))
    consumer = AIOKafkaConsumer(EVENTS, bootstrap_servers=platform.kafka.address, auto_offset_reset="earliest")
    await consumer.start()
    headers = {"Authorization": f"Bearer {player.token}"}
    async with connect(service.ws, additional_headers=headers) as socket:
        await next_message(socket, greeting=True)
        await player.buys(product, purchaseTimestamp="2026-05-01T10:00:00+03:00")

        message = await next_message(socket)
        assert message["event_type"] == "library.item.added"
        assert message["payload"]["product_id"] == str(product)
        assert message["payload"]["added_at"] == "2026-05-01T07:00:00Z"

    async def titled():
        items = (await player.get("/items"))["data"]
        return items if items and items[0]["attributes"]["title"] else None

    [item] = await wait_until(titled)
    assert item["attributes"]["title"] == "Лёд"
    assert item["attributes"]["acquisition_type"] == "purchase"

    record = await asyncio.wait_for(consumer.getone(), PATIENCE_SECONDS)
    await consumer.stop()
    event = conforms("events/com.platform.library.game.added.v1", json.loads(record.value))
    assert record.key.decode() == str(player.id)
    assert event["type"] == "com.platform.library.game.added.v1"
    assert event["source"] == "platform.library-service"
    assert event["specversion"] == "1.0"
    assert event["sequence"] == "1"
    assert event["data"] == {
        "userId": str(player.id),
        "productId": str(product),
        "acquisitionType": "purchase",
        "addedAt": "2026-05-01T07:00:00Z",
    }

    async with grpc.aio.insecure_channel(service.grpc) as channel:
        answer = await LibraryQueryServiceStub(channel).CheckGameAccess(
            CheckGameAccessRequest(user_id=str(player.id), product_id=str(product)),
            metadata=(("authorization", f"Bearer {platform.token(uuid4(), 'service')}"),),
        )
    assert answer.has_access
    assert answer.reason == "owned"
    assert answer.access_type == "purchase"
