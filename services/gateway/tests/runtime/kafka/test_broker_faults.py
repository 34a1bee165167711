"""What only a real broker does: it loses records that nobody has read yet, and offsets of a topic that was replaced.

Each case is a public report about a client of Kafka that did not recover before its process was restarted.
"""

from uuid import uuid4

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.records_to_delete import RecordsToDelete
from gameshelf.devstack.servers import choice
from gameshelf.devstack.servers.kafka import PARTITIONS

PAYMENTS = "com.platform.payment.events.v1"
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not choice.are_real(), reason="the embedded broker can't: ./dev test --real"),
]


@pytest.fixture
async def admin(platform):
    client = AIOKafkaAdminClient(bootstrap_servers=platform.kafka.address)
    await client.start()
    yield client
    await client.close()


async def test_records_deleted_before_they_were_read_stop_no_consumer(platform, player, admin, wait_until):
    """Retention may overtake a consumer: its offset then lies before the first record."""
    await player.buys(first := uuid4())

    async def has(*products):
        return {str(product) for product in products} <= await player.products()

    await wait_until(lambda: has(first))
    everything = {TopicPartition(PAYMENTS, number): RecordsToDelete(-1) for number in range(PARTITIONS)}
    await admin.delete_records(everything)
    await player.buys(second := uuid4())
    await wait_until(lambda: has(first, second))


async def test_a_replaced_topic_is_read_from_its_beginning(platform, player, admin, wait_until):
    """Committed offsets lie behind the end of the new topic."""
    for _ in range(3):
        await player.buys(uuid4())

    async def count(number):
        return len(await player.products()) == number

    await wait_until(lambda: count(3))
    await admin.delete_topics([PAYMENTS])

    async def is_gone():
        return PAYMENTS not in await admin.list_topics()

    await wait_until(is_gone)
    await admin.create_topics([NewTopic(PAYMENTS, PARTITIONS, 1)])
    await player.buys(uuid4())
    await wait_until(lambda: count(4))
