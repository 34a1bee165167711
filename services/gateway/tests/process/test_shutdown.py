"""SIGTERM: what is in flight ends well, what was applied is committed, and nothing is said at level ERROR."""

import asyncio
import json
import time
from uuid import uuid4

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from gameshelf.devstack.servers import Postgres
from gameshelf.devstack.servers.kafka import PARTITIONS
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

PAYMENTS = "com.platform.payment.events.v1"


@pytest.fixture
async def database(platform):
    connection = await asyncpg.connect(platform.dsn)
    yield connection
    await connection.close()


def errors_in(log):
    """Lines that a log should not have; whatever is no JSON is one."""
    found = []
    for line in log.read_text().splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            entry = {"level": "no JSON", "message": line}
        if entry["level"] not in ("DEBUG", "INFO", "WARNING"):
            found.append(entry)
    return found


async def committed(platform):
    """The group's offsets of the payments, by partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=platform.kafka.address, group_id="library-service")
    await consumer.start()
    try:
        partitions = [TopicPartition(PAYMENTS, number) for number in range(PARTITIONS)]
        return [await consumer.committed(partition) or 0 for partition in partitions]
    finally:
        await consumer.stop()


async def test_what_is_in_flight_is_finished_and_what_was_applied_is_not_read_again(
    platform, service, player, database, wait_until
):
    for _ in range(10):
        await player.buys(uuid4())

    async def applied():
        return len(await player.products()) == 10

    await wait_until(applied)
    async with connect(service.ws, additional_headers={"Authorization": f"Bearer {player.token}"}) as socket:
        # A change waits for the lock of its user's row, and is held there until the service is already stopping.
        async with database.transaction():
            await database.execute("SELECT FROM gateway.user_streams WHERE user_id = $1 FOR UPDATE", player.id)
            in_flight = asyncio.create_task(player.post("/categories", {"name": "Мои"}))

            async def is_waiting():
                return await database.fetchval(
                    "SELECT count(*) FROM pg_stat_activity "
                    "WHERE wait_event_type = 'Lock' AND datname = current_database()"
                )

            await wait_until(is_waiting)
            stopping = asyncio.create_task(asyncio.to_thread(service.stop))
            with pytest.raises(ConnectionClosed) as closed:
                await asyncio.wait_for(socket.recv(), 20)
            assert closed.value.rcvd.code == 1001
            assert not in_flight.done()
        answer = await in_flight
    assert answer.status_code == 201
    assert await stopping == 0
    assert errors_in(service.log) == []
    assert sum(await committed(platform)) == 10

    async def sent():
        return not await database.fetchval("SELECT count(*) FROM gateway.outbox")

    assert await sent()
    service.start()
    await player.buys(uuid4())

    async def read():
        async with httpx.AsyncClient() as client:
            text = (await client.get(service.metrics)).text
        line = f'kafka_records_total{{result="applied",topic="{PAYMENTS}"}} '
        return next((float(found.removeprefix(line)) for found in text.splitlines() if found.startswith(line)), 0)

    await wait_until(read)
    assert await read() == 1  # the one that came since
    assert service.stop() == 0


@pytest.fixture
def fragile(create_platform, server_directory):
    """A platform all of whose servers are its own, and can hang."""
    postgres = Postgres(server_directory / f"postgresql-{uuid4().hex[:8]}")
    postgres.durable = False
    postgres.start()
    platform = create_platform(postgres.dsn())
    servers = (platform.kafka, platform.valkey, postgres)
    yield platform, servers
    for server in servers:
        server.thaw()
    platform.close()
    postgres.stop()


def test_a_service_ends_in_time_while_everything_that_it_depends_on_hangs(fragile):
    platform, servers = fragile
    service = platform.service(LIBRARY_SERVICE_SHUTDOWN_SECONDS="5")
    service.start()
    for server in servers:
        server.freeze()
    time.sleep(3)  # so that each part is waiting for something
    assert service.stop() == 0  # not -9: it ended by itself
