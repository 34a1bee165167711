"""What the service finishes before it goes."""

import asyncio
import json
import os
import signal
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from gameshelf.devstack.servers.kafka import PARTITIONS
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

GROUP = "library-service"


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
