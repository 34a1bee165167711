"""A process logs once that Kafka lacks topics or is away, and once that it is back, however long that took."""

import json
from collections import Counter

import asyncpg
import httpx
import pytest
from gameshelf.devstack.servers.kafka import TOPICS

EVENTS = "com.platform.library.events.v1"
PER_STATE = 2
"""Lines with one text: that of the state, and one of a client in another part of the process about the same state."""


@pytest.fixture(scope="module")
def proxy(proxy):
    """From the beginning it hides all topics."""
    proxy.missing |= set(TOPICS)
    return proxy


@pytest.fixture(scope="module")
def service(behind_kafka_proxy):
    return behind_kafka_proxy


def lines(service):
    """The log, as it is read."""
    return [json.loads(line) for line in service.log.read_text().splitlines() if line.startswith("{")]


async def errors_of_kafka(service):
    async with httpx.AsyncClient() as client:
        text = (await client.get(service.metrics)).text
    found = [line for line in text.splitlines() if line.startswith('dependency_errors_total{dependency="kafka"}')]
    return float(found[0].rpartition(" ")[2]) if found else 0.0


@pytest.fixture
async def outbox(platform):
    """Puts a record of a player's event into the outbox."""
    connection = await asyncpg.connect(platform.dsn)

    async def put(topic=EVENTS):
        await connection.execute(
            "INSERT INTO gateway.outbox (shard, user_id, topic, record_key, value) "
            "VALUES (0, gen_random_uuid(), $1, 'key', '{}')",
            topic,
        )

    async def is_empty():
        return not await connection.fetchval("SELECT count(*) FROM gateway.outbox")

    put.is_empty = is_empty
    yield put
    await connection.close()


async def repeated(service, times):
    before = await errors_of_kafka(service)

    async def more():
        return await errors_of_kafka(service) >= before + times

    return more


@pytest.mark.long
async def test_missing_topics_and_a_broker_that_is_down_are_logged_once_each(service, proxy, outbox, wait_until):
    # Topics that were never created: the relay fails again and again, and the consumer does not find its topics.
    await outbox()
    await wait_until(await repeated(service, 2))
    missing = lines(service)
    assert_each_once(missing)
    assert [line["message"] for line in missing if f"records of topic {EVENTS}" in line["message"]] == [
        f"records of topic {EVENTS} wait: UnknownTopicOrPartitionError"
    ]

    proxy.missing.clear()
    await wait_until(outbox.is_empty)
    await wait_until(lambda: says(service, f"records of topic {EVENTS} are sent again", missing))

    # And now Kafka does not answer at all.
    before = lines(service)
    await proxy.cut()
    await outbox()
    await wait_until(await repeated(service, 3))
    away = lines(service)[len(before) :]
    assert_each_once(away)
    await proxy.listen()
    await wait_until(lambda: says(service, "Kafka is back", before))


async def says(service, text, before):
    return any(line["message"] == text for line in lines(service)[len(before) :])


def assert_each_once(log):
    """No line is repeated, whichever logger wrote it; ids and times aside."""
    counts = Counter(
        (line["logger"], "".join(" " if one.isdigit() else one for one in line["message"])) for line in log
    )
    assert {line: number for line, number in counts.items() if number > PER_STATE} == {}
    assert len(log) < 40
