"""What a scenario sends to the broker, and what comes of it there."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from gameshelf.devstack.events import CloudEvent
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.devstack.servers.kafka import PARTITIONS


class Records:
    """The records of a topic, read as they come. The broker's own count lags behind, so they are counted here."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._values: list[bytes] = []

    def __len__(self) -> int:
        return len(self._values)

    async def until(self, length: int) -> None:
        """Waits until so many have come."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self) < length:
                batches = await self._consumer.getmany(timeout_ms=100, max_records=10_000)
                self._values += [record.value for records in batches.values() for record in records]

    def bought(self) -> list[tuple[str, str]]:
        """Returns the user and the product of each event."""
        facts = [json.loads(value)["data"] for value in self._values]
        return [(fact["userId"], fact["productId"]) for fact in facts]


@asynccontextmanager
async def reading(brokers: str, topic: str) -> AsyncIterator[Records]:
    """Reads a topic from its beginning."""
    consumer = AIOKafkaConsumer(bootstrap_servers=brokers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, number) for number in range(PARTITIONS)])
        yield Records(consumer)
    finally:
        await consumer.stop()


@asynccontextmanager
async def sending(brokers: str) -> AsyncIterator[AIOKafkaProducer]:
    """A producer that waits for the broker's acknowledgement."""
    producer = AIOKafkaProducer(bootstrap_servers=brokers, acks="all", linger_ms=5)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def send(producer: AIOKafkaProducer, topic: str, events: Sequence[CloudEvent]) -> None:
    """Returns when the broker has all of them."""
    sent = []
    for event in events:
        assert event.key is not None
        sent.append(await producer.send(topic, event.encode(), key=event.key.encode()))
    await asyncio.gather(*sent)


async def make_topic(brokers: str) -> str:
    """Makes a topic with a name of its own."""
    name = f"bench.{uuid4().hex[:8]}"
    admin = AIOKafkaAdminClient(bootstrap_servers=brokers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, PARTITIONS, 1)])
    finally:
        await admin.close()
    return name
