"""A batch of Kafka that can't be decoded: only its partition waits, and skips the batch in the end."""

import asyncio
from contextlib import asynccontextmanager
from itertools import count
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.partitioner import DefaultPartitioner
from gameshelf.devstack.servers.kafka import PARTITIONS
from gameshelf.gateway.runtime.kafka.damage import PATIENCE_SECONDS, DamagedPartitions
from gameshelf.gateway.runtime.observability.metrics import Metrics

PAYMENTS = "com.platform.payment.events.v1"
PARTITION = 2


@pytest.fixture(scope="module")
def service(behind_kafka_proxy):
    return behind_kafka_proxy


@asynccontextmanager
async def producing(platform):
    producer = AIOKafkaProducer(bootstrap_servers=platform.kafka.address, linger_ms=100)
    await producer.start()
    yield producer
    await producer.stop()


def user_of(is_in):
    """A user whose records go to the partition, or to another one."""
    numbers, choose = list(range(PARTITIONS)), DefaultPartitioner()
    users = (UUID(int=uuid4().int) for _ in count())
    return next(one for one in users if (choose(str(one).encode(), numbers, numbers) == PARTITION) == is_in)


@pytest.mark.long
async def test_only_the_partition_of_a_damaged_batch_waits(platform, service, proxy, new_player, wait_until):
    before, damaged, behind = (new_player(user_id=user_of(True)) for _ in range(3))
    others = [new_player(user_id=user_of(False)) for _ in range(3)]
    await before.buys(uuid4())
    await wait_until(before.products)
    async with producing(platform) as producer:
        sent = await producer.send_and_wait(PAYMENTS, b"no event", partition=PARTITION)
    proxy.damaged[PAYMENTS, PARTITION] = sent.offset + 1
    try:
        for player in (damaged, behind, *others):
            await player.buys(uuid4())
        for player in others:
            await wait_until(player.products)
        later = new_player(user_id=user_of(False))
        await later.buys(uuid4())
        await wait_until(later.products)
        assert not await damaged.products()
        assert not await behind.products()
    finally:
        proxy.damaged.clear()
    for player in (damaged, behind):
        await wait_until(player.products)


async def test_a_batch_that_stays_damaged_is_skipped_and_no_record_beside_it(platform, proxy):
    topic, now, metrics = f"t{uuid4().hex}", 0.0, Metrics()
    where = TopicPartition(topic, 0)
    async with producing(platform) as producer:
        first = await producer.send_and_wait(topic, b"before", partition=0)
        batch = [await producer.send(topic, b"damaged", partition=0) for _ in range(3)]
        offsets = [(await one).offset for one in batch]
        await producer.send_and_wait(topic, b"behind", partition=0)
    consumer = AIOKafkaConsumer(bootstrap_servers=proxy.address, auto_offset_reset="earliest")
    damaged = DamagedPartitions(metrics, lambda: now)
    proxy.damaged[topic, 0] = offsets[0]
    await consumer.start()
    try:
        consumer.assign([where])
        consumer.seek(where, first.offset)
        found = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            while b"behind" not in found:
                found += [one.value for one in (await damaged.fetch(consumer, [where], 500)).get(where, ())]
                if damaged:
                    now += PATIENCE_SECONDS / 4
                await asyncio.sleep(0.01)
    finally:
        proxy.damaged.clear()
        await consumer.stop()
    assert found == [b"before", b"behind"]
    assert not damaged
    assert metrics.registry.get_sample_value("kafka_records_total", {"topic": topic, "result": "lost"}) == 3
