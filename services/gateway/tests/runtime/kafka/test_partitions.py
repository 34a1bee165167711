"""One partition that has no leader, or refuses: the others of its topic still work, to Kafka and from it."""

from collections import defaultdict
from datetime import UTC, datetime
from itertools import count
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import NotEnoughReplicasError, NotLeaderForPartitionError, TopicAuthorizationFailedError
from aiokafka.partitioner import DefaultPartitioner
from gameshelf.devstack.servers.kafka import PARTITIONS

pytestmark = pytest.mark.real

NOTIFICATIONS = "com.platform.notification.send.requests.v1"
PAYMENTS = "com.platform.payment.events.v1"


@pytest.fixture(scope="module")
def service(behind_kafka_proxy):
    return behind_kafka_proxy


def keys_of(partition, how_many):
    """New keys of records that go to a partition."""
    numbers, choose = list(range(PARTITIONS)), DefaultPartitioner()
    found = (key for key in (str(uuid4()) for _ in count()) if choose(key.encode(), numbers, numbers) == partition)
    return [next(found) for _ in range(how_many)]


@pytest.fixture
def put(connection):
    """Puts records into the outbox, in two shards: so many of each key, one key after the other in turn."""

    async def insert(keys, each):
        await connection.executemany(
            "INSERT INTO gateway.outbox (shard, user_id, topic, record_key, value) "
            "VALUES ($1, gen_random_uuid(), $2, $3, $4)",
            [
                (16 + index % 2, NOTIFICATIONS, key, str(number).encode())
                for number in range(each)
                for index, key in enumerate(keys)
            ],
        )

    return insert


async def waiting(connection, keys):
    return await connection.fetchval("SELECT count(*) FROM gateway.outbox WHERE record_key = ANY($1)", keys)


async def values_of(platform, partition, keys):
    """Returns the values that have arrived by key, without repetitions."""
    consumer = AIOKafkaConsumer(bootstrap_servers=platform.kafka.address)
    await consumer.start()
    where = TopicPartition(NOTIFICATIONS, partition)
    consumer.assign([where])
    await consumer.seek_to_beginning(where)
    found = defaultdict(dict)
    while records := (await consumer.getmany(timeout_ms=1000)).get(where):
        for record in records:
            found[record.key.decode()][int(record.value)] = None
    await consumer.stop()
    return {key: list(found[key]) for key in keys}


@pytest.mark.parametrize(
    ("partition", "code", "has_leader"),
    [
        (1, NotLeaderForPartitionError.errno, False),
        pytest.param(2, NotEnoughReplicasError.errno, True, marks=pytest.mark.long),
        pytest.param(3, TopicAuthorizationFailedError.errno, True, marks=pytest.mark.long),
    ],
    ids=["no leader", "too few replicas", "not allowed"],
)
async def test_a_partition_that_takes_no_records_holds_up_no_other(
    platform, service, proxy, connection, put, wait_until, partition, code, has_leader
):
    bad, good = keys_of(partition, 40), [key for other in (0, 4, 5) for key in keys_of(other, 4)]
    where = (NOTIFICATIONS, partition)
    proxy.refused[where] = code
    if not has_leader:
        proxy.leaderless.add(where)
    try:
        await put(bad, 30)  # more than a relay takes of a shard at a time
        await put(good, 3)
        await wait_until(lambda: nothing_waits(connection, good))
        more = keys_of(0, 3)
        await put(more, 3)
        await wait_until(lambda: nothing_waits(connection, more))
        assert await waiting(connection, bad) == 40 * 30
    finally:
        proxy.leaderless.clear()
        proxy.refused.clear()
    await wait_until(lambda: nothing_waits(connection, bad))
    assert await values_of(platform, partition, bad) == {key: list(range(30)) for key in bad}


async def nothing_waits(connection, keys):
    return not await waiting(connection, keys)


@pytest.mark.long
async def test_a_partition_that_cannot_be_rewound_delays_no_other(
    platform, service, proxy, connection, new_player, wait_until
):
    partition, numbers = 1, list(range(PARTITIONS))
    choose = DefaultPartitioner()
    players = [new_player() for _ in range(30)]
    stuck = {one for one in players if choose(str(one.id).encode(), numbers, numbers) == partition}
    others = set(players) - stuck
    for player in players:
        await player.buys(uuid4())
    for player in players:
        await wait_until(player.products)
    proxy.offsets[PAYMENTS, partition] = NotLeaderForPartitionError.errno
    try:
        await connection.execute(
            "SELECT gateway.mark_restored($1, 'none', 'a test', 'a partition without offsets')", datetime.now(UTC)
        )

        async def are_rewound(topic_partitions):
            query = "SELECT count(*) FROM gateway.rewinds WHERE topic = $1"
            return await connection.fetchval(query, PAYMENTS) == topic_partitions

        await wait_until(lambda: are_rewound(PARTITIONS - 1))
        for player in others:
            await player.buys(uuid4())
        for player in others:
            await wait_until(lambda player=player: has(player, 2))
    finally:
        proxy.offsets.clear()
    await wait_until(lambda: are_rewound(PARTITIONS))
    for player in stuck:
        await player.buys(uuid4())
        await wait_until(lambda player=player: has(player, 2))


async def has(player, number):
    return len(await player.products()) == number
