"""Events of other services are applied once each, in any order, and an invalid one never blocks the rest."""

import json
from uuid import uuid4

import grpc.aio
import pytest
from aiokafka import AIOKafkaProducer
from gameshelf.devstack.events import CloudEvent
from gameshelf.protos.library.v1 import library_query_service_pb2 as messages
from gameshelf.protos.library.v1.library_query_service_pb2_grpc import LibraryQueryServiceStub
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status

pytestmark = pytest.mark.real

PAYMENTS = "com.platform.payment.events.v1"
DEAD = "com.platform.library.dlq.v1"
EVENTS = "com.platform.library.events.v1"


async def send_raw(platform, topic, *values, key=b"k"):
    producer = AIOKafkaProducer(bootstrap_servers=platform.kafka.address)
    await producer.start()
    for value in values:
        await producer.send_and_wait(topic, value, key=key)
    await producer.stop()


async def test_an_event_that_comes_twice_is_applied_once(player, purchase_of, wait_until):
    game = uuid4()
    event = purchase_of(player.id, game, order="order-1")
    again = CloudEvent(event.type, event.data, id=event.id, source=event.source)
    copied = CloudEvent(event.type, event.data)  # another event of the same order
    await player.publish(event, again, copied)
    await player.buys(uuid4())

    async def arrived():
        return len(await player.products()) == 2

    await wait_until(arrived)
    events = (await player.get("/events", cursor="0"))["data"]
    assert [entry["attributes"]["event_type"] for entry in events] == ["library.item.added"] * 2


async def test_events_in_camel_case_and_snake_case_are_understood_alike(player, wait_until):
    game = str(uuid4())
    data = {"user_id": str(player.id), "product_id": game, "key_id": "key-1", "timestamp": "2026-01-01T00:00:00Z"}
    await player.publish(CloudEvent("com.platform.payment.key.activated.v1", data))

    async def arrived():
        return (await player.get("/items"))["data"]

    [item] = await wait_until(arrived)
    assert item["attributes"]["acquisition_type"] == "key_activation"
    assert item["attributes"]["added_at"] == "2026-01-01T00:00:00Z"


async def test_a_refund_that_overtakes_its_purchase_wins(player, purchase_of, wait_until):
    game, marker = uuid4(), uuid4()
    bought = purchase_of(player.id, game, order="order-1")
    refund = CloudEvent("com.platform.payment.purchase.refunded.v1", bought.data)
    await player.publish(refund, bought)
    await player.buys(marker)

    async def arrived():
        return str(marker) in await player.products()

    await wait_until(arrived)
    assert await player.products() == {str(marker)}


async def test_installation_and_rating_reach_the_item(player, wait_until):
    game = uuid4()
    await player.buys(game)
    about = {"userId": str(player.id), "productId": str(game)}
    await player.publish(
        CloudEvent(
            "com.platform.download.game.installed.v1",
            {**about, "versionId": "1.2", "timestamp": "2026-05-02T00:00:00Z"},
        ),
        CloudEvent("com.platform.download.game.uninstalled.v1", {**about, "timestamp": "2026-05-01T00:00:00Z"}),
        CloudEvent("com.platform.social.review.submitted.v1", {**about, "rating": 9, "reviewId": "r"}),
    )

    async def updated():
        items = (await player.get("/items"))["data"]
        attributes = items[0]["attributes"] if items else {}
        return attributes if attributes.get("user_rating") and attributes["installed_version_id"] else None

    attributes = await wait_until(updated)
    assert (attributes["installation_status"], attributes["user_rating"]) == ("installed", 9)


async def test_a_record_that_cannot_be_applied_is_dead_lettered(platform, player, wait_until, read_records):
    good = {"specversion": "1.0", "id": "x", "source": "s", "type": "com.platform.payment.purchase.completed.v1"}
    order = {"userId": str(player.id), "orderId": "o", "items": [{"productId": str(uuid4())}]}
    bad = {
        "MALFORMED_JSON": [b"{", b"\xff\xff", b""],
        "MALFORMED_EVENT": [b"[]", b"{}", json.dumps({**good, "data": "text"}).encode()],
        "MALFORMED_DATA": [
            json.dumps({**good, "data": {**order, **wrong}}).encode()
            for wrong in (
                {"userId": "x"},
                {"items": []},
                {"orderId": ""},
                {"orderId": "a\u0000b"},
                {"purchaseTimestamp": "soon"},
                {"items": [{"productId": None}]},
            )
        ],
    }
    await send_raw(
        platform, PAYMENTS, *(value for values in bad.values() for value in values), key=str(player.id).encode()
    )
    await send_raw(platform, PAYMENTS, json.dumps({**good, "type": "com.platform.payment.unknown.v1"}).encode())
    game = uuid4()
    await player.buys(game)

    async def arrived():
        return await player.products() == {str(game)}

    await wait_until(arrived)
    count = sum(len(values) for values in bad.values())

    records = await read_records(platform, DEAD, lambda records: len(records) >= count)
    letters = [json.loads(record.value) for record in records]
    assert sorted(letter["reason"] for letter in letters) == sorted(
        reason for reason, values in bad.items() for _ in values
    )
    assert all(letter["detail"] and letter["topic"] == PAYMENTS for letter in letters)
    assert {"text": "{"} in [letter["original"] for letter in letters]


@pytest.fixture
async def stub(service):
    async with grpc.aio.insecure_channel(service.grpc) as channel:
        yield LibraryQueryServiceStub(channel)


def as_caller(platform, user_id, *roles):
    return (("authorization", f"Bearer {platform.token(user_id, *roles)}"),)


async def refused(call):
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    details = ErrorInfo()
    rpc_status.from_call(error.value).details[0].Unpack(details)
    assert details.domain == "library.platform"
    return error.value.code().name, details.reason


async def test_grpc_answers_players_about_themselves_and_services_about_anybody(platform, stub, player, wait_until):
    game, other = uuid4(), uuid4()
    await player.buys(game)

    async def arrived():
        return await player.products()

    await wait_until(arrived)
    asked = messages.GetLibraryItemsRequest(user_id=str(player.id))
    for caller in ((player.id, "user"), (other, "service"), (other, "support"), (other, "admin")):
        items = (await stub.GetLibraryItems(asked, metadata=as_caller(platform, *caller))).items
        assert [item.product_id for item in items] == [str(game)]
    assert await refused(stub.GetLibraryItems(asked, metadata=as_caller(platform, other, "user"))) == (
        "PERMISSION_DENIED",
        "PERMISSION_DENIED",
    )
    assert await refused(stub.GetLibraryItems(asked)) == ("UNAUTHENTICATED", "UNAUTHENTICATED")
    bad = messages.GetLibraryItemsRequest(user_id="x")
    assert await refused(stub.GetLibraryItems(bad, metadata=as_caller(platform, other, "service"))) == (
        "INVALID_ARGUMENT",
        "VALIDATION_ERROR",
    )


async def test_a_batch_answers_in_the_order_of_its_pairs_and_has_a_bound(platform, stub, player, wait_until):
    game = uuid4()
    await player.buys(game)

    async def arrived():
        return await player.products()

    await wait_until(arrived)
    service = as_caller(platform, uuid4(), "service")
    pairs = [
        messages.CheckGameAccessRequest(user_id=str(player.id), product_id=str(one)) for one in (uuid4(), game) * 500
    ]
    answer = await stub.BatchCheckGameAccess(messages.BatchCheckGameAccessRequest(pairs=pairs), metadata=service)
    assert [result.has_access for result in answer.results] == [False, True] * 500
    too_many = messages.BatchCheckGameAccessRequest(pairs=[*pairs, pairs[0]])
    assert (await refused(stub.BatchCheckGameAccess(too_many, metadata=service)))[0] == "INVALID_ARGUMENT"
