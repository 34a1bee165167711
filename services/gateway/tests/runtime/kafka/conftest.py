"""Fixtures that send records as any producer may, and read the resulting rows."""

import json
import re
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from aiokafka import AIOKafkaProducer


@pytest.fixture
async def send(platform):
    """Puts records on a topic, all of one key."""
    producer = AIOKafkaProducer(bootstrap_servers=platform.kafka.address, max_request_size=4 * 1024 * 1024)
    await producer.start()

    async def put(topic, key, *values, headers=(), timestamp_ms=None):
        for value in values:
            await producer.send_and_wait(topic, value, key=key, headers=list(headers), timestamp_ms=timestamp_ms)

    yield put
    await producer.stop()


@pytest.fixture
def encode():
    """A structured CloudEvent; ``data`` is what the type says."""

    def event(kind, data, **envelope):
        document = {"specversion": "1.0", "id": str(uuid4()), "source": "tests", "type": kind, "data": data, **envelope}
        return json.dumps(document).encode()

    return event


@pytest.fixture
def letters_with(connection, wait_until):
    """The rows of the dead letters whose original holds a text, once there are so many."""
    query = (
        "SELECT * FROM gateway.dead_letters WHERE position(convert_to($1, 'UTF8') in coalesce(value, '')) > 0 "
        "OR position(convert_to($1, 'UTF8') in coalesce(record_key, '')) > 0 ORDER BY created_at"
    )

    async def find(text, count):
        async def enough():
            rows = await connection.fetch(query, text)
            return rows if len(rows) >= count else None

        return await wait_until(enough)

    return find


@pytest.fixture
def owns(wait_until):
    """Waits until a player has exactly these products."""

    async def wait(player, *products, seconds=20):
        async def has():
            return await player.products() == {str(product) for product in products}

        await wait_until(has, seconds)

    return wait


@pytest.fixture
def nothing_waits(service, wait_until):
    """Waits until the service says that no record waits in any of its partitions."""

    async def is_seen():
        async with httpx.AsyncClient() as client:
            text = (await client.get(service.metrics)).text
        lags = re.findall(r"^kafka_consumer_lag\{.*\} (\S+)$", text, re.MULTILINE)
        return bool(lags) and all(float(lag) == 0 for lag in lags)

    async def wait():
        await wait_until(is_seen)

    return wait


@pytest.fixture
def grown(service):
    """Returns by how many bytes the memory of the service has grown, at the most, since the test began."""
    process = Path(f"/proc/{service.process.pid}")

    def peak():
        return int(re.search(r"VmHWM:\s*(\d+)", (process / "status").read_text())[1]) * 1024

    (process / "clear_refs").write_text("5")
    before = peak()
    return lambda: peak() - before
