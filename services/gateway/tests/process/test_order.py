"""Three whole instances on one database and one broker: each user's events stay in order, also when one dies."""

import asyncio
import json
import random
from collections import defaultdict
from uuid import UUID

import asyncpg
import pytest
from gameshelf.devstack.events import CloudEvent, publish

EVENTS = "com.platform.library.events.v1"
REFUNDED = "com.platform.payment.purchase.refunded.v1"
USERS = 36
ORDERS = 24


@pytest.fixture(scope="module")
def instances(platform):
    started = [platform.service() for _ in range(3)]
    for one in started:
        one.start(wait=False)
    return started


def history(seed, purchase_of):
    """Purchases, and refunds of some of them, of all users in turn; and what each user then owns."""
    pick = random.Random(seed)
    users = [UUID(int=pick.getrandbits(128), version=4) for _ in range(USERS)]
    owned, rounds = defaultdict(set), []
    for number in range(ORDERS):
        events = []
        for user in users:
            product = UUID(int=pick.getrandbits(128), version=4)
            bought = purchase_of(user, product, order=f"order-{number}")
            events.append(bought)
            if pick.random() < 0.3:
                events.append(CloudEvent(REFUNDED, bought.data))
            else:
                owned[user].add(product)
        rounds.append(events)
    return owned, rounds


@pytest.mark.long
async def test_a_users_numbers_follow_the_partition_when_an_instance_is_killed(
    platform, instances, purchase_of, wait_until, read_records
):
    owned, rounds = history(7, purchase_of)
    for one in instances:
        await wait_until(lambda one=one: asyncio.to_thread(one.is_ready))
    for number, events in enumerate(rounds):
        await publish(platform.kafka.address, events)
        if number == ORDERS // 2:
            instances[0].kill()
    connection = await asyncpg.connect(platform.dsn)

    async def applied():
        rows = await connection.fetch(
            "SELECT user_id, product_id FROM library.user_library_items WHERE acquisition_type IS NOT NULL"
        )
        found = defaultdict(set)
        for row in rows:
            found[row["user_id"]].add(row["product_id"])
        return found == owned and not await connection.fetchval("SELECT count(*) FROM gateway.outbox")

    await wait_until(applied)
    last = {
        str(row["user_id"]): row["last_sequence"]
        for row in await connection.fetch("SELECT user_id, last_sequence FROM gateway.user_streams")
    }
    gaps = await connection.fetchval(
        "SELECT count(*) FROM gateway.user_streams AS s WHERE last_sequence <> "
        "(SELECT count(*) FROM gateway.feed AS f WHERE f.user_id = s.user_id)"
    )
    assert gaps == 0
    await connection.close()

    def sequences(records):
        numbers_of = defaultdict(list)
        for record in records:
            numbers_of[record.partition, record.key.decode()].append(int(json.loads(record.value)["sequence"]))
        return numbers_of

    def complete(records):
        return {user: len(set(numbers)) for (_, user), numbers in sequences(records).items()} == last

    numbers_of = sequences(await read_records(platform, EVENTS, complete))
    assert len(numbers_of) == USERS  # each user is in one partition
    for numbers in numbers_of.values():
        newest = 0
        for number in numbers:
            assert number <= newest + 1, "an event came before its predecessor"
            newest = max(newest, number)
    for one in instances[1:]:
        assert one.stop() == 0
