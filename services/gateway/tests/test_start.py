"""Starting and stopping: what the service refuses to start with, what it does before it goes."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from uuid import uuid4

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from gameshelf.devstack.servers.base import HOST
from gameshelf.devstack.servers.kafka import PARTITIONS
from gameshelf.gateway.tables import MIGRATIONS
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

GROUP = "library-service"


def run(service, command, **environment):
    """One command of the service's program, to its end: exit code and what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "gameshelf.gateway", command],
        env={**service.environment, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr.strip()


def test_the_models_are_what_the_migrations_make(database):
    MIGRATIONS.upgrade(database)
    MIGRATIONS.check(database)


def test_the_migrations_can_be_undone_and_done_again(database):
    MIGRATIONS.upgrade(database)
    MIGRATIONS.downgrade(database, "base")
    MIGRATIONS.upgrade(database)
    MIGRATIONS.check(database)


@pytest.mark.parametrize("command", ["serve", "check"])
def test_an_old_schema_stops_the_start_and_says_how_to_migrate(platform, database, command):
    code, said = run(platform.service(POSTGRES_DSN=database), command)
    assert code == 1
    assert "python -m gameshelf.gateway migrate" in said
    assert len(said.splitlines()) == 1


async def test_a_newer_schema_serves_the_version_before(platform, create_database):
    dsn = create_database()
    old = platform.service(POSTGRES_DSN=dsn)
    assert await asyncio.to_thread(run, old, "migrate") == (0, "")
    connection = await asyncpg.connect(dsn)
    await connection.execute("UPDATE library.alembic_version SET version_num = 'from_the_future'")
    await connection.close()
    assert await asyncio.to_thread(run, old, "check") == (0, "")
    code, said = await asyncio.to_thread(run, old, "migrate")
    assert code == 1
    assert "from_the_future" in said


@pytest.mark.parametrize(
    ("variable", "port"),
    [
        ("LIBRARY_SERVICE_HTTP_PORT", "http_port"),
        ("LIBRARY_SERVICE_GRPC_PORT", "grpc_port"),
        ("LIBRARY_SERVICE_METRICS_PORT", "metrics_port"),
    ],
)
def test_a_taken_port_stops_the_start_and_names_the_variable(platform, variable, port):
    service = platform.service()
    with socket.create_server((HOST, getattr(service, port))):
        code, said = run(service, "serve")
    assert code == 1
    assert said.splitlines()[-1].startswith(f"gameshelf-gateway: {variable}: ")


def test_a_bad_setting_stops_the_start_and_is_named_but_not_shown(platform):
    code, said = run(platform.service(), "serve", ERASURE_HASH_KEY="hunter2")
    assert code == 1
    assert said.startswith("gameshelf-gateway: ERASURE_HASH_KEY: ")
    assert "hunter2" not in said
    assert len(said.splitlines()) == 1


async def committed(platform):
    """How many payment records the group has put behind it."""
    partitions = [TopicPartition("com.platform.payment.events.v1", number) for number in range(PARTITIONS)]
    group = AIOKafkaConsumer(bootstrap_servers=platform.kafka.address, group_id=GROUP, enable_auto_commit=False)
    await group.start()
    group.assign(partitions)
    offsets = [await group.committed(partition) or 0 for partition in partitions]
    await group.stop()
    return sum(offsets)


async def test_a_service_that_is_asked_to_stop_finishes_what_it_does(platform, new_player, service, wait_until):
    player = new_player()
    games = [uuid4() for _ in range(5)]
    for game in games:
        await player.buys(game)

    async def arrived():
        return len(await player.products()) == len(games)

    await wait_until(arrived)
    # A request is held up inside its transaction, by the lock that it needs.
    holder = await asyncpg.connect(platform.dsn)
    held = holder.transaction()
    await held.start()
    await holder.execute("SELECT 1 FROM gateway.user_streams WHERE user_id = $1 FOR UPDATE", player.id)
    in_flight = asyncio.create_task(player.post("/categories", {"name": "Пока не поздно"}))

    async def waits():
        return await holder.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")

    await wait_until(waits)
    async with connect(service.ws, additional_headers={"Authorization": f"Bearer {player.token}"}) as device:
        os.kill(service.process.pid, signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(device.recv(), 20)
        assert closed.value.rcvd.code == 1001
    await held.rollback()
    assert (await in_flight).status_code == 201
    assert await asyncio.to_thread(service.process.wait, 30)
    assert service.process.returncode == 0
    lines = [json.loads(line) for line in service.log.read_text().splitlines() if line.startswith("{")]
    assert not [line for line in lines if line["level"] == "ERROR"]

    # What was applied is committed, so nothing of it is read again.
    assert await committed(platform) == len(games)
    assert await holder.fetchval("SELECT count(*) FROM gateway.outbox") == 0
    await holder.close()


@pytest.fixture
def split(create_platform):
    """A platform whose service is three processes, the api first."""
    platform = create_platform()
    parts = [platform.service(LIBRARY_SERVICE_ROLES=roles) for roles in ("api", "consumer", "relay,jobs")]
    for part in parts:
        part.start()
    yield platform, *parts
    platform.close()


async def test_the_parts_of_the_service_do_the_main_job_as_processes_of_their_own(
    split, new_player, next_message, read_records
):
    platform, api, *others = split
    player = new_player(platform, api)
    async with connect(api.ws, additional_headers={"Authorization": f"Bearer {player.token}"}) as device:
        game = uuid4()
        await player.buys(game)
        assert (await next_message(device))["payload"]["product_id"] == str(game)
    assert await player.products() == {str(game)}
    [record] = await read_records(platform, "com.platform.library.events.v1", len)
    assert json.loads(record.value)["data"]["productId"] == str(game)
    async with httpx.AsyncClient() as client:  # metrics are every part's, the rest is the api's
        for part in others:
            assert (await client.get(part.metrics)).status_code == 200
            with pytest.raises(httpx.ConnectError):
                await client.get(part.url + "/health/live")
