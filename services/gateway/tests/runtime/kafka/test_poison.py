"""Records that can never be applied, of every known kind: none of them blocks later records."""

import json
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

PAYMENTS = "com.platform.payment.events.v1"
CATALOG = "com.platform.catalog.events.v1"
DEAD = "com.platform.library.dlq.v1"
PURCHASED = "com.platform.payment.purchase.completed.v1"
PRODUCT = "com.platform.catalog.product.updated.v1"


def event(kind, data, **envelope):
    document = {"specversion": "1.0", "id": str(uuid4()), "source": "s", "type": kind, "data": data, **envelope}
    return json.dumps(document).encode()


@pytest.fixture
def send(platform):
    """Puts records on a topic, all of one key."""

    async def put(topic, key, *values):
        producer = AIOKafkaProducer(bootstrap_servers=platform.kafka.address, max_request_size=4 * 1024 * 1024)
        await producer.start()
        for value in values:
            await producer.send_and_wait(topic, value, key=str(key).encode())
        await producer.stop()

    return put


@pytest.fixture
def letters(platform, read_records):
    """The dead letters whose original holds this text, once there are so many."""

    async def read(text, count):
        def about(records):
            return [letter for letter in map(json.loads, {one.value for one in records}) if text in str(letter)]

        return about(await read_records(platform, DEAD, lambda records: len(about(records)) >= count))

    return read


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"])
async def test_a_time_that_is_invalid_in_utc_is_ignored(player, send, wait_until, moment):
    games = [uuid4(), uuid4()]
    data = [{"userId": str(player.id), "orderId": f"o-{game}", "items": [{"productId": str(game)}]} for game in games]
    await send(
        PAYMENTS,
        player.id,
        event(PURCHASED, data[0], time=moment),
        event(PURCHASED, {**data[1], "purchaseTimestamp": moment}),
    )

    async def arrived():
        return await player.products() == {str(game) for game in games}

    await wait_until(arrived)


async def test_a_product_that_can_not_be_stored_does_not_block_the_catalog(platform, player, send, letters, wait_until):
    game, marker = uuid4(), f"marker-{uuid4()}"
    await player.buys(game)
    about = {"productId": str(game), "newTitle": "Лёд"}
    bad = [
        event(PRODUCT, about, id=f"{marker}\u0000"),
        event(PRODUCT, about, source=f"{marker}\u0000"),
        event(PRODUCT, {**about, "productType": f"{marker}\u0000"}),
        event(PRODUCT, {**about, "newTitle": marker + "т" * 500}),
    ]
    await send(CATALOG, game, *bad, event(PRODUCT, about))

    async def titled():
        items = (await player.get("/items"))["data"]
        return items and items[0]["attributes"]["title"] == "Лёд"

    await wait_until(titled)
    assert len(await letters(marker, len(bad))) == len(bad)


async def test_what_means_nothing_here_is_ignored_whatever_its_data(platform, player, send, wait_until):
    marker, game = f"com.platform.payment.marker.{uuid4()}", uuid4()
    await send(PAYMENTS, player.id, *(event(marker, data) for data in (None, "text", [1], 5)))
    await player.buys(game)

    async def arrived():
        return await player.products() == {str(game)}

    await wait_until(arrived)
    connection = await asyncpg.connect(platform.dsn)
    query = "SELECT count(*) FROM gateway.dead_letters WHERE position(convert_to($1, 'UTF8') in value) > 0"
    assert await connection.fetchval(query, marker) == 0
    await connection.close()


async def test_a_letter_fits_a_record_however_its_original_grows_in_json(player, send, letters, wait_until):
    """Control characters take six times their size. A letter that no broker accepts would hold up all later ones."""
    marker, game = f"marker-{uuid4()}", uuid4()
    await send(PAYMENTS, player.id, marker.encode() + b"\x01" * 900_000)
    await player.buys(game)

    async def arrived():
        return await player.products() == {str(game)}

    await wait_until(arrived)
    [letter] = await letters(marker, 1)
    assert letter["original"]["truncated"]
    assert letter["original"]["text"].startswith(marker)
