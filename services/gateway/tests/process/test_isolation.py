"""While one player's row is held, one topic refused, one product's sale poisoned, or the rights to one table are gone,
all others get the games that they buy, and their events and device messages are published.
"""

import asyncio
import json
import time
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.devstack.servers.kafka import PARTITIONS
from websockets.asyncio.client import connect

EVENTS = "com.platform.library.events.v1"
NOTIFICATIONS = "com.platform.notification.send.requests.v1"
ADDED = "com.platform.library.game.added.v1"
NOTIFIED = "com.platform.notification.send.request.v1"
PRICE = "com.platform.catalog.price.updated.v1"
ROLE = "isolation_tests"
OTHERS = 12
"""With so many players, each of the six partitions nearly always has some."""


@pytest.fixture(scope="module")
def service(platform):
    """A service whose rights can be taken away: it is not the owner of its tables."""
    return platform.service(
        POSTGRES_DSN=platform.dsn + ("&" if "?" in platform.dsn else "?") + f"options=-crole%3D{ROLE}"
    )


@pytest.fixture(scope="module")
async def database(platform, service):
    connection = await asyncpg.connect(platform.dsn)
    await connection.execute(f"DO $$ BEGIN CREATE ROLE {ROLE}; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    for schema in ("gateway", "library", "playtime", "achievements", "wishlist", "settings", "savegames"):
        await connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {ROLE}")
        await connection.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO {ROLE}")
        await connection.execute(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA {schema} TO {ROLE}")
    await asyncio.to_thread(service.start)
    yield connection
    await connection.close()


@pytest.fixture
async def kafka(platform):
    """Waits until each of these players was named by a record of this type."""
    consumer = AIOKafkaConsumer(bootstrap_servers=platform.kafka.address)
    await consumer.start()
    partitions = [TopicPartition(topic, number) for topic in (EVENTS, NOTIFICATIONS) for number in range(PARTITIONS)]
    consumer.assign(partitions)
    await consumer.seek_to_end(*partitions)
    for partition in partitions:
        await consumer.position(partition)
    found = set()

    async def wait(event_type, players):
        waiting = {(event_type, str(player.id)) for player in players}
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not waiting <= found:
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    documents = [json.loads(record.value) for record in records]
                    found.update((document["type"], document["data"]["userId"]) for document in documents)

    yield wait
    await consumer.stop()


async def owns(player, *games):
    return await player.products() == {str(game) for game in games}


def on_sale(product):
    data = {"productId": str(product), "priceMinor": 500, "oldPriceMinor": 1000, "currency": "RUB"}
    return CloudEvent(PRICE, {**data, "saleId": f"sale-{uuid4()}"})


async def wish(player, product):
    response = await player.post("/wishlist/items", {"product_id": str(product)})
    assert response.status_code == 201, response.text


class Faults:
    """Each makes a fault, lets the block run, and takes it back."""

    def __init__(self, platform, database, player, wait_until):
        self.platform, self.database, self.player, self.wait_until = platform, database, player, wait_until

    @asynccontextmanager
    async def held_row(self):
        games = [uuid4() for _ in range(5)]
        await self.player.get("/items")
        await self.database.execute(
            "INSERT INTO gateway.user_streams (user_id) VALUES ($1) ON CONFLICT DO NOTHING", self.player.id
        )
        holder = await asyncpg.connect(self.platform.dsn)
        async with holder.transaction():
            await holder.execute("SELECT FROM gateway.user_streams WHERE user_id = $1 FOR UPDATE", self.player.id)
            for game in games:
                await self.player.buys(game)
            yield
            assert await self.player.products() == set()
            await self.wait_until(lambda: self._are_set_aside(len(games)))
        await holder.close()
        await self.wait_until(lambda: owns(self.player, *games))
        assert await self._are_set_aside(0)
        letters = "SELECT count(*) FROM gateway.dead_letters WHERE user_id = $1"
        assert await self.database.fetchval(letters, self.player.id) == 0

    @asynccontextmanager
    async def refused_topic(self):
        topic = "not a topic!"
        rows = [(shard, topic, f"key-{shard}", b"refused") for _ in range(40) for shard in range(32)]
        await self.database.executemany(
            "INSERT INTO gateway.outbox (shard, user_id, topic, record_key, value)"
            "VALUES ($1, gen_random_uuid(), $2, $3, $4)",
            rows,
        )
        yield
        count = await self.database.fetchval("SELECT count(*) FROM gateway.outbox WHERE topic = $1", topic)
        assert count == len(rows)
        await self.database.execute("DELETE FROM gateway.outbox WHERE topic = $1", topic)

    @asynccontextmanager
    async def poisoned_sale(self):
        product = uuid4()
        await wish(self.player, product)
        await self.database.execute(
            "CREATE FUNCTION wishlist.poison() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'poison' USING ERRCODE = 'check_violation'; END $$"
        )
        await self.database.execute(
            "CREATE TRIGGER poison BEFORE INSERT ON wishlist.price_notifications FOR EACH ROW "
            f"WHEN (NEW.product_id = '{product}') EXECUTE FUNCTION wishlist.poison()"
        )
        await publish(self.platform.kafka.address, [on_sale(product)])
        yield
        assert not await self._sale_messages()
        await self.database.execute("DROP FUNCTION wishlist.poison() CASCADE")
        await self.wait_until(self._sale_messages)

    async def _are_set_aside(self, count):
        query = "SELECT count(*) FROM gateway.deferred_records WHERE subject_id = $1"
        return await self.database.fetchval(query, self.player.id) == count

    async def _sale_messages(self):
        events = (await self.player.get("/events", cursor="0"))["data"]
        return [one for one in events if one["attributes"]["event_type"] == "wishlist.item.on_sale"]


@pytest.fixture
def faults(platform, database, new_player, service, wait_until):
    return Faults(platform, database, new_player(), wait_until)


class Others:
    """Players with a device each, who wish for a product and buy others."""

    def __init__(self, platform, players, sockets, kafka, next_message, wait_until):
        self.platform, self.players, self.sockets = platform, players, sockets
        self.kafka, self.next_message, self.wait_until = kafka, next_message, wait_until
        self.product = uuid4()
        self.bought = {player: uuid4() for player in players}

    async def buy(self):
        await asyncio.gather(*(player.buys(game) for player, game in self.bought.items()))

    async def receive(self, event_type):
        """Waits until every device has received the event."""

        async def receives(socket):
            while (await self.next_message(socket))["event_type"] != event_type:
                pass

        await asyncio.gather(*map(receives, self.sockets))

    async def own(self):
        async def has(player, game):
            await self.wait_until(lambda: owns(player, game))

        await asyncio.gather(*(has(*pair) for pair in self.bought.items()))

    async def purchases_arrive(self):
        """In the library, on the topic of our events, and on the devices."""
        await asyncio.gather(self.own(), self.kafka(ADDED, self.players), self.receive("library.item.added"))

    async def sale_arrives(self):
        """On the topic of notifications, and on the devices."""
        await publish(self.platform.kafka.address, [on_sale(self.product)])
        await self.kafka(NOTIFIED, self.players)
        await self.receive("wishlist.item.on_sale")


@pytest.fixture
async def others(platform, database, service, new_player, kafka, next_message, wait_until):
    players = [new_player() for _ in range(OTHERS)]
    sockets = [
        await connect(service.ws, additional_headers={"Authorization": f"Bearer {player.token}"}) for player in players
    ]
    made = Others(platform, players, sockets, kafka, next_message, wait_until)
    await asyncio.gather(*(wish(player, made.product) for player in players))
    # A broker holds the first member of a group back for some seconds, which is no effect of any fault.
    earlier, game = new_player(), uuid4()
    await earlier.buys(game)
    await wait_until(lambda: owns(earlier, game))
    yield made
    for socket in sockets:
        await socket.close()


async def timed(what, work):
    """Prints how long something took, for the reader: no assertion uses it."""
    began = time.monotonic()
    await work
    print(f"{what}: {time.monotonic() - began:.2f} s")


@pytest.mark.parametrize("fault", ["held_row", "refused_topic", "poisoned_sale"])
async def test_what_one_has_wrong_delays_nobody_else(faults, others, fault):
    async with getattr(faults, fault)():
        await others.buy()
        await timed(f"{fault}: purchases, events and messages of others", others.purchases_arrive())
        await timed(f"{fault}: sale, notifications and messages of others", others.sale_arrives())


async def test_missing_rights_to_a_table_delay_only_what_needs_it(faults, others, database):
    await database.execute(f"REVOKE INSERT ON library.ownership_grants FROM {ROLE}")
    try:
        await others.buy()
        await timed("rights: sale, notifications and messages meanwhile", others.sale_arrives())
        assert not any([await player.products() for player in others.players])
    finally:
        await database.execute(f"GRANT INSERT ON library.ownership_grants TO {ROLE}")
    await timed("rights: purchases, events and messages after they are back", others.purchases_arrive())
    assert await database.fetchval("SELECT count(*) FROM gateway.dead_letters") == 0
