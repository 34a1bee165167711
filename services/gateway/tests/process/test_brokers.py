"""Three brokers, each killed in turn under load: no purchase is lost or doubled, and each user's order holds.

Topics are made by ``prepare-topics``: three copies, of which two must have a record.
"""

import asyncio
import json
import subprocess
import sys
from collections import defaultdict
from uuid import UUID, uuid4

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from gameshelf.devstack.events import publish
from gameshelf.devstack.servers import Brokers, choice

EVENTS = "com.platform.library.events.v1"
USERS = 20
ORDERS = 30
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not choice.are_real(), reason="the embedded broker is one: ./dev test --real"),
]


@pytest.fixture(scope="module")
def several(create_platform, server_directory):
    brokers = Brokers(server_directory / f"brokers-{uuid4().hex[:8]}")
    platform = create_platform(brokers=brokers)
    environment = platform.service().environment
    command = [sys.executable, "-m", "gameshelf.gateway", "prepare-topics", "--all", "--partitions", "6"]
    made = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    assert made.count("made with 6 partitions") >= 7
    yield platform
    platform.close()
    for broker in brokers.each:
        broker.remove()


async def test_each_broker_killed_in_turn_loses_and_doubles_no_purchase(several, purchase_of, wait_until, read_records):
    instances = [several.service() for _ in range(2)]
    for instance in instances:
        instance.start()
    users = [uuid4() for _ in range(USERS)]
    bought = {user: [uuid4() for _ in range(ORDERS)] for user in users}
    brokers = several.kafka.each
    down = None
    for number in range(ORDERS):
        if number % 10 == 3:
            down = brokers[number // 10]
            down.kill()
        if number % 10 == 9:
            await asyncio.to_thread(down.start)
        await publish(several.kafka.address, [purchase_of(user, bought[user][number]) for user in users])
    connection = await asyncpg.connect(several.dsn)

    async def are_out():
        owned = await connection.fetchval(
            "SELECT count(*) FROM library.user_library_items WHERE user_id = ANY($1)", users
        )
        return owned == USERS * ORDERS and await connection.fetchval("SELECT count(*) FROM gateway.outbox") == 0

    await wait_until(are_out)
    await connection.close()
    last = {user: uuid4() for user in users}  # a user's records are in order: what was sent twice is read before
    await publish(several.kafka.address, [purchase_of(user, last[user]) for user in users])

    def complete(records):
        return set(last.values()) <= {UUID(json.loads(record.value)["data"]["productId"]) for record in records}

    records = await read_records(several, EVENTS, complete)
    events = defaultdict(dict)
    for event in (json.loads(record.value) for record in records):
        # Sent again after a lost answer it is the same event: a consumer recognises it by its id.
        known = events[UUID(event["data"]["userId"])].setdefault(event["id"], event)
        assert known == event
    for user in users:
        found = events[user]
        assert [int(event["sequence"]) for event in found.values()] == list(range(1, ORDERS + 2))
        assert sorted(UUID(event["data"]["productId"]) for event in found.values()) == sorted(
            [*bought[user], last[user]]
        )
    for instance in instances:
        assert instance.stop() == 0


async def test_records_wait_while_a_copy_is_missing_and_then_go_out_in_order(
    several, purchase_of, wait_until, read_records
):
    """An idempotent producer that was refused for a while must not be out of step until it is restarted."""
    service = several.service()
    service.start()
    await need_copies(several, 3)
    missing = several.kafka.each[0]
    missing.kill()
    user, products = uuid4(), [uuid4() for _ in range(3)]
    for product in products:
        await publish(several.kafka.address, [purchase_of(user, product)])
    await wait_until(lambda: asyncio.to_thread(lambda: "NotEnoughReplicas" in service.log.read_text()))
    await asyncio.to_thread(missing.start)

    def found(records):
        events = [json.loads(record.value) for record in records if str(user).encode() in record.value]
        return list(dict.fromkeys(UUID(event["data"]["productId"]) for event in events))

    records = await read_records(several, EVENTS, lambda records: len(found(records)) == len(products))
    assert found(records) == products
    assert service.stop() == 0
    await need_copies(several, 2)


async def need_copies(platform, count):
    configs = {"min.insync.replicas": str(count)}
    admin = AIOKafkaAdminClient(bootstrap_servers=platform.kafka.address)
    await admin.start()
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, EVENTS, configs=configs)])
    await admin.close()
