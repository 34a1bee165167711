"""Nothing is lost and nothing is done twice: kill -9 under load, and each dependency away in turn.

Ten thousand purchases, some sent twice, some after their refund, some malformed. Afterwards every valid one is in the
library once, every event is out at least once and in order for each user, and the malformed ones are dead letters.
"""

import asyncio
import json
import random
from collections import defaultdict
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaProducer
from gameshelf.devstack.events import CloudEvent
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS

PURCHASES = 10_000
USERS = 250
MALFORMED = (b"{", b'{"specversion": "1.0"}', b"\xff", b"[]")


class Stream:
    """Events of the Payment service, and the state that has to follow from them."""

    def __init__(self, seed):
        pick = random.Random(seed)
        users = [UUID(int=pick.getrandbits(128), version=4) for _ in range(USERS)]
        self.owned = defaultdict(set)
        self.refunded = defaultdict(set)
        self.malformed = 0
        self.records = []
        for number in range(PURCHASES):
            user, product = pick.choice(users), UUID(int=pick.getrandbits(128), version=4)
            data = {"userId": str(user), "orderId": f"order-{number}", "items": [{"productId": str(product)}]}
            bought = CloudEvent("com.platform.payment.purchase.completed.v1", data)
            sent = [bought]
            if pick.random() < 0.05:
                sent.append(bought)
            if pick.random() < 0.03:
                sent.insert(pick.randrange(2), CloudEvent("com.platform.payment.purchase.refunded.v1", data))
                self.refunded[user].add(product)
            else:
                self.owned[user].add(product)
            self.records += [(event.key.encode(), event.encode()) for event in sent]
            if pick.random() < 0.01:
                self.records.append((str(user).encode(), pick.choice(MALFORMED)))
                self.malformed += 1

    async def send(self, platform, a_second):
        producer = AIOKafkaProducer(bootstrap_servers=platform.kafka.address, request_timeout_ms=60_000)
        await producer.start()
        for start in range(0, len(self.records), 100):
            for key, value in self.records[start : start + 100]:
                await producer.send("com.platform.payment.events.v1", value, key=key)
            await producer.flush()
            await asyncio.sleep(100 / a_second)
        await producer.stop()

    async def came_true(self, platform, wait_until, read_records):
        connection = await asyncpg.connect(platform.dsn)

        async def applied():
            owned = await connection.fetchval(
                "SELECT count(*) FROM library.user_library_items WHERE acquisition_type IS NOT NULL"
            )
            letters = await connection.fetchval("SELECT count(*) FROM gateway.dead_letters")
            waiting = await connection.fetchval("SELECT count(*) FROM gateway.outbox")
            return owned >= sum(map(len, self.owned.values())) and letters >= self.malformed and not waiting

        await wait_until(applied)
        rows = await connection.fetch(
            "SELECT user_id, product_id FROM library.user_library_items WHERE acquisition_type IS NOT NULL"
        )
        letters = await connection.fetch("SELECT reason FROM gateway.dead_letters")
        await connection.close()
        found = defaultdict(set)
        for row in rows:
            found[row["user_id"]].add(row["product_id"])
        assert found == self.owned
        assert len(letters) == self.malformed
        assert all(letter["reason"] for letter in letters)
        await self._all_published(platform, read_records)

    async def _all_published(self, platform, read_records):
        expected = {(user, product) for user, products in self.owned.items() for product in products}
        refunded = {(user, product) for user, products in self.refunded.items() for product in products}
        added, removed, sequences, read = set(), set(), defaultdict(list), 0

        def complete(records):
            nonlocal read
            for record in records[read:]:
                event = json.loads(record.value)
                user, product = UUID(event["data"]["userId"]), UUID(event["data"]["productId"])
                (added if event["type"].endswith("game.added.v1") else removed).add((user, product))
                sequences[user].append(int(event["sequence"]))
            read = len(records)
            return expected <= added

        await read_records(platform, "com.platform.library.events.v1", complete)
        assert removed <= refunded
        assert added - expected <= refunded
        for numbers in sequences.values():
            first = list(dict.fromkeys(numbers))
            assert first == list(range(1, len(first) + 1)), "an event is missing, or came before its predecessor"

        def all_dead(records):
            return len({record.value for record in records}) >= self.malformed

        dead = await read_records(platform, "com.platform.library.dlq.v1", all_dead)
        assert len({record.value for record in dead}) == self.malformed


@pytest.fixture
def own_platform(create_platform):
    platform = create_platform()
    yield platform
    platform.close()


@pytest.mark.long(minutes=2)
async def test_kill_nine_at_any_moment_under_ten_thousand_purchases(own_platform, wait_until, read_records):
    stream = Stream(seed=1)
    service = own_platform.service()
    service.start()
    sending = asyncio.create_task(stream.send(own_platform, a_second=700))
    moments = random.Random(2)
    for _ in range(4):
        await asyncio.sleep(moments.uniform(0.5, 4))
        service.kill()
        await asyncio.to_thread(service.start)
    await sending
    await stream.came_true(own_platform, wait_until, read_records)
    assert service.stop() == 0


@pytest.mark.long(minutes=2)
async def test_each_dependency_away_for_ten_seconds_in_turn(own_platform, own_postgres, wait_until, read_records):
    stream = Stream(seed=3)
    service = own_platform.service(POSTGRES_DSN=own_postgres.dsn())
    own_platform.dsn = own_postgres.dsn()
    service.migrate()
    service.start()
    player = own_platform.token(uuid4())
    sending = asyncio.create_task(stream.send(own_platform, a_second=300))

    async def items():
        async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
            return await client.get(service.api + "/items", headers={"Authorization": f"Bearer {player}"})

    await asyncio.sleep(1)
    own_platform.kafka.freeze()
    await asyncio.sleep(5)
    assert (await items()).status_code == 200  # reads need no broker
    await asyncio.sleep(5)
    own_platform.kafka.thaw()

    await asyncio.sleep(2)
    own_platform.valkey.kill()
    await asyncio.sleep(5)
    assert (await items()).status_code == 200
    await asyncio.sleep(5)
    own_platform.valkey.start()

    await asyncio.sleep(2)
    own_postgres.stop()
    away = await items()
    assert away.status_code == 503
    assert away.headers["Retry-After"]
    assert away.json()["errors"][0]["meta"] == {"dependency": "postgresql"}
    await asyncio.sleep(10)
    own_postgres.start()

    async def back():
        return (await items()).status_code == 200

    await wait_until(back)
    await sending
    await stream.came_true(own_platform, wait_until, read_records)
    assert service.stop() == 0


@pytest.fixture
def own_postgres(server_directory):
    from gameshelf.devstack.servers import Postgres

    server = Postgres(server_directory / f"postgresql-{uuid4().hex[:8]}")
    server.durable = False
    server.start()
    yield server
    server.remove()
