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


async def test_lost_records_and_a_replaced_topic_stop_no_consumer(platform, player, admin, wait_until):
    """One after the other: the client for administrators finds no leader of a topic that was replaced."""
    owned = []

    async def buy():
        await player.buys(product := uuid4())
        owned.append(str(product))

    async def arrived():
        return await player.products() == set(owned)

    await buy()
    await wait_until(arrived)
    # Retention may overtake a consumer: its offset then lies before the first record.
    await admin.delete_records({TopicPartition(PAYMENTS, number): RecordsToDelete(-1) for number in range(PARTITIONS)})
    for _ in range(3):
        await buy()
    await wait_until(arrived)
    await admin.delete_topics([PAYMENTS])

    async def is_gone():
        return PAYMENTS not in await admin.list_topics()

    await wait_until(is_gone)
    # The committed offsets lie behind the end of the new topic.
    await admin.create_topics([NewTopic(PAYMENTS, PARTITIONS, 1)])
    await buy()
    await wait_until(arrived)
