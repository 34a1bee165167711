"""Records that are odd in any way: each one is kept as a dead letter, and the records behind it are applied."""

import asyncio
import json
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer

PAYMENTS = "com.platform.payment.events.v1"
PURCHASED = "com.platform.payment.purchase.completed.v1"


def purchase(marker, **wrong):
    return {"userId": str(uuid4()), "orderId": marker, "items": [{"productId": str(uuid4())}], **wrong}


@pytest.mark.parametrize(
    "wrong",
    [
        {"userId": "\u0000"},
        {"userId": "\u0000" * 5000},
        {"items": [{"productId": "\u0000"}]},
        {"items": "\u0000"},
        {"purchaseTimestamp": "\u0000"},
        {"userId": {"\u0000": "\u0000"}},
        {"items": [{"productId": str(UUID(int=1)), "productType": "\u0000"}]},
    ],
    ids=repr,
)
async def test_a_nul_anywhere_stops_nobody(player, send, encode, letters_with, owns, wrong):
    marker, game = f"order-{uuid4()}", uuid4()
    await send(PAYMENTS, str(player.id).encode(), encode(PURCHASED, purchase(marker, **wrong)))
    await player.buys(game)
    await owns(player, game)
    [letter] = await letters_with(marker, 1)
    assert letter["reason"] == "MALFORMED_DATA"
    assert letter["detail"]


@pytest.mark.parametrize("key", [None, b"", b"\x00", b"\xff\xfe", b"k" * 10_000, b"\xed\xa0\x80"], ids=repr)
@pytest.mark.parametrize("body", ["not JSON {}", '"\\ud800 {}"', '{{"data": "{}'])
async def test_any_key_and_any_value_are_kept(player, send, letters_with, owns, key, body):
    marker, game = f"marker-{uuid4()}", uuid4()
    value = body.format(marker).encode() + b"\xff\x00"
    await send(PAYMENTS, key, value, headers=[("\u0000", b"\xff"), ("traceparent", b"\x00")])
    await player.buys(game)
    await owns(player, game)
    [letter] = await letters_with(marker, 1)
    assert (letter["value"], letter["record_key"]) == (value, key)


async def test_a_surrogate_in_the_envelope_is_a_dead_letter(player, send, letters_with, owns):
    marker, game = f"marker-{uuid4()}", uuid4()
    body = f'{{"specversion": "1.0", "id": "\\ud800", "source": "{marker}", "type": "{PURCHASED}", "data": {{}}}}'
    await send(PAYMENTS, b"k", body.encode())
    await player.buys(game)
    await owns(player, game)
    assert len(await letters_with(marker, 1)) == 1


async def test_deep_nesting_is_a_dead_letter(player, send, letters_with, owns):
    marker, game = f"marker-{uuid4()}", uuid4()
    deep = "[" * 50_000 + "]" * 50_000
    body = json.dumps({"marker": marker})[:-1] + f', "data": {deep}}}'
    await send(PAYMENTS, b"k", body.encode())
    await player.buys(game)
    await owns(player, game)
    assert len(await letters_with(marker, 1)) == 1


async def test_valid_items_of_an_order_are_granted_and_the_rest_dead_lettered(player, send, encode, letters_with, owns):
    games, marker = [uuid4(), uuid4()], f"order-{uuid4()}"
    items = [{"productId": str(games[0])}, {"productId": "\u0000"}, {"productId": str(games[1])}]
    data = {"userId": str(player.id), "orderId": marker, "items": items}
    value = encode(PURCHASED, data, id=marker)
    await send(PAYMENTS, str(player.id).encode(), value)
    await owns(player, *games)
    [letter] = await letters_with(marker, 1)
    assert (letter["user_id"], letter["reason"]) == (player.id, "MALFORMED_DATA")
    kept = json.loads(letter["value"])
    assert kept["id"] == f"{marker}#items[1]"
    assert kept["data"] == {**data, "items": [items[1]]}


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_a_batch_is_read_whatever_it_is_compressed_with(platform, player, purchase_of, owns, codec):
    """A codec that can't be read would stop every partition: the client reports it like a broken connection."""
    games = [uuid4() for _ in range(3)]
    producer = AIOKafkaProducer(bootstrap_servers=platform.kafka.address, compression_type=codec, linger_ms=200)
    await producer.start()
    events = [purchase_of(player.id, game).encode() for game in games]
    await asyncio.gather(*(producer.send_and_wait(PAYMENTS, value, key=str(player.id).encode()) for value in events))
    await producer.stop()
    await owns(player, *games)


async def test_records_without_a_key_a_value_or_a_time_stop_nobody(player, send, purchase_of, owns):
    before, after = uuid4(), uuid4()
    many = [(f"header-{number}", b"x" * 100) for number in range(2_000)]
    await send(PAYMENTS, None, purchase_of(player.id, before).encode(), headers=many, timestamp_ms=0)
    for key in (str(player.id).encode(), b""):  # by which a compacted topic deletes
        await send(PAYMENTS, key, None)
    await send(PAYMENTS, str(player.id).encode(), purchase_of(player.id, after).encode())
    await owns(player, before, after)
