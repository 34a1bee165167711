"""The relay: a record that Kafka refuses holds up no other one. Topics: ``test_isolation.py``."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest
from aiokafka.errors import KafkaTimeoutError, MessageSizeTooLargeError, UnknownError
from gameshelf.devstack.pytest_plugin import on_one_server
from gameshelf.gateway.runtime.kafka.relay import Relay
from gameshelf.gateway.runtime.kafka.sending import send_records
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.observability.traces import Tracing
from gameshelf.gateway.runtime.outbox import refused, relayed
from gameshelf.gateway.runtime.outbox.refused import KafkaRefusal
from gameshelf.gateway.runtime.outbox.store import LOCK_SPACE, RecordKey
from gameshelf.gateway.runtime.tables import NOBODY

USER = uuid4()


@pytest.fixture
async def pool(platform):
    async with asyncpg.create_pool(platform.dsn, min_size=1, max_size=1) as pool:
        yield pool


async def put(connection, topic, values, shards=range(32)):
    """Puts records into the outbox, so many as there are values in each of the shards."""
    await connection.executemany(
        "INSERT INTO gateway.outbox (shard, user_id, topic, record_key, value) "
        "VALUES ($1, gen_random_uuid(), $2, $3, $4)",
        [(shard, topic, f"key-{shard}", value) for value in values for shard in shards],
    )


class Broker:
    """A producer whose broker accepts a record or returns an error that no real broker can be made to return."""

    def __init__(self, refuse):
        self.taken = []
        self._refuse = refuse

    def create_batch(self):
        return Batch()

    async def send_batch(self, batch, topic, partition):
        delivered = asyncio.get_running_loop().create_future()
        errors = [error for value in batch.values if (error := self._refuse(value, batch.values))]
        if errors:
            delivered.set_exception(errors[0])
        else:
            self.taken += batch.values
            delivered.set_result(None)
        return delivered


class Batch:
    def __init__(self):
        self.values = []

    def append(self, *, key, value, timestamp):
        self.values.append(value)
        return True

    def close(self):
        pass


async def sent_by(broker, values):
    """Sends records of one partition, and returns the outcome of each."""
    records = [
        {"user_id": USER, "id": number, "record_key": "key", "value": value} for number, value in enumerate(values)
    ]
    return await send_records(broker, "topic", 0, records)


async def test_a_record_that_is_too_large_is_skipped_and_order_is_kept():
    broker = Broker(lambda value, batch: MessageSizeTooLargeError() if len(value) > 3 else None)
    values = [b"%d" % number for number in range(300)]
    values[0] = values[123] = values[299] = b"large"
    outcome = await sent_by(broker, values)
    assert [one.key for one in outcome.refused] == [(USER, 0), (USER, 123), (USER, 299)]
    assert outcome.failure is None
    assert broker.taken == [value for value in values if value != b"large"]
    assert outcome.sent == [(USER, number) for number, value in enumerate(values) if value != b"large"]


async def test_a_batch_that_is_too_large_as_a_whole_is_sent_in_parts():
    broker = Broker(lambda value, batch: MessageSizeTooLargeError() if len(batch) > 10 else None)
    values = [b"%d" % number for number in range(100)]
    outcome = await sent_by(broker, values)
    assert (broker.taken, outcome.refused, outcome.failure) == (values, [], None)


async def test_an_error_is_the_records_when_others_are_accepted():
    values = [b"%d" % number for number in range(50)]
    choosy = Broker(lambda value, batch: UnknownError() if value == b"7" else None)
    outcome = await sent_by(choosy, values)
    assert ([one.key.id for one in outcome.refused], outcome.failure) == ([7], None)
    assert choosy.taken == [value for value in values if value != b"7"]
    broken = Broker(lambda value, batch: UnknownError())
    outcome = await sent_by(broken, values)
    assert (outcome.sent, outcome.refused, type(outcome.failure)) == ([], [], UnknownError)


async def test_what_comes_behind_a_failure_in_a_partition_is_not_sent():
    values = [b"%d" % number for number in range(8)]

    def refuse(value, batch):
        if len(batch) > 1:
            return MessageSizeTooLargeError()
        return KafkaTimeoutError() if value == b"3" else None

    broker = Broker(refuse)
    outcome = await sent_by(broker, values)
    assert (broker.taken, type(outcome.failure)) == ([b"0", b"1", b"2"], KafkaTimeoutError)


async def test_a_refused_record_is_kept_and_comes_back_after_an_hour(connection):
    add = "INSERT INTO gateway.outbox (shard, user_id, topic, record_key, value) VALUES (-1, $1, 'aside', 'k', $2) "
    keys = [
        RecordKey(user_id, await connection.fetchval(f"{add} RETURNING id", user_id, value))
        for user_id, value in ((USER, b"one"), (NOBODY, b"two"))
    ]
    async with connection.transaction():
        reason = f"MessageSizeTooLargeError: {900 * 'x'}"
        await refused.set_aside(connection, [KafkaRefusal(key, reason) for key in keys])
        await relayed.remove_records(connection, keys)
    assert await refused.count_refused(connection) == 2
    assert await refused.put_back(connection) == 0
    await connection.execute("UPDATE gateway.refused_records SET refused_at = now() - interval '61 minutes'")
    assert await refused.put_back(connection) == 2
    assert await refused.count_refused(connection) == 0
    back = await connection.fetch("SELECT user_id, record_key, value FROM gateway.outbox WHERE shard = -1 ORDER BY id")
    assert [tuple(row) for row in back] == [(USER, "k", b"one"), (NOBODY, "k", b"two")]
    await connection.execute("DELETE FROM gateway.outbox WHERE shard = -1")


async def test_one_transaction_takes_a_lane_and_the_release_before_a_shard(platform, connection):
    topics = [f"not a topic: {number}" for number in range(2)]  # so that no relay of the service takes it
    for topic in topics:
        await put(connection, topic, [b"value"], shards=[5])
    other, before = await asyncpg.connect(platform.dsn), await asyncpg.connect(platform.dsn)
    async with connection.transaction(), other.transaction(), before.transaction():
        assert await relayed.take_shards(connection, topics[0], 8) == [5]
        assert await relayed.take_shards(other, topics[0], 8) == []
        assert await relayed.take_shards(other, topics[1], 8) == [5]
        assert not await before.fetchval("SELECT pg_try_advisory_xact_lock($1, 5)", LOCK_SPACE)
    async with connection.transaction(), before.transaction():
        assert await before.fetchval("SELECT pg_try_advisory_xact_lock($1, 5)", LOCK_SPACE)
        assert await relayed.take_shards(connection, topics[0], 8) == []
    own, others = await relayed.topics(connection, [topics[1], "nothing"], topics[0])
    assert (own, topics[1] in others, topics[0] in others) == ([topics[1]], True, False)
    own, others = await relayed.topics(connection, topics, None)
    assert (sorted(own), others) == (topics, [])
    for topic in topics:
        await connection.execute("DELETE FROM gateway.outbox WHERE topic = $1", topic)
    await other.close()
    await before.close()


@on_one_server("it has a form of its own, by lanes")
async def test_records_behind_those_that_wait_are_found_by_the_index(connection):
    """However many keys are passed over: the server looks each record's up in a table of hashes."""
    topic, keys = "not a topic: index", [f"key-{number}" for number in range(5_000)]
    async with connection.transaction():
        await connection.execute(
            "INSERT INTO gateway.outbox (shard, user_id, topic, record_key, value) "
            "SELECT n % 4, gen_random_uuid(), $1, 'key-' || n % 5000, '' FROM generate_series(1, 40000) n",
            topic,
        )
        await connection.execute("ANALYZE gateway.outbox")
        found = await relayed.pending(connection, topic, range(4), 10, [key for key in keys if key != "key-3"])
        assert {row["record_key"] for row in found} == {"key-3"}
        values = {"topic": topic, "taken": list(range(4)), "held_keys": keys, "limit": 500}
        statement = relayed._PENDING
        arguments = [statement._constants.get(name, values.get(name)) for name in statement._names]
        plan = "\n".join(row[0] for row in await connection.fetch("EXPLAIN ANALYZE " + statement.sql, *arguments))
        await connection.execute("DELETE FROM gateway.outbox WHERE topic = $1", topic)
    assert "ix_outbox_topic" in plan
    assert "Seq Scan" not in plan
    assert "hashed SubPlan" in plan


async def test_a_topic_that_is_served_is_not_looked_for(pool, connection, clock):
    """To find a topic the server walks over the entries of all records that were sent since the last VACUUM."""
    own, other = (f"not a topic: {name} {uuid4()}" for name in ("own", "other"))
    for topic in (own, other):
        await put(connection, topic, [b"value"], shards=[5])
    relay = Relay({}, True, [own], pool.acquire, Metrics(), Tracing(None), clock)
    found = await relay._waiting()
    assert found[0] == own
    assert other in found
    assert await relay._waiting() == [own]  # others once a second
    relay._running[own] = asyncio.create_task(asyncio.sleep(0))
    assert await relay._waiting() == []
    clock.now += 1
    assert other in await relay._waiting()
    await connection.execute("DELETE FROM gateway.outbox WHERE topic = ANY($1)", [own, other])
