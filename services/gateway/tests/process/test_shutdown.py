"""The end of a process: no record is read twice afterwards, and nothing that hangs prevents it."""

import asyncio
import time
from uuid import uuid4

import httpx
import pytest
from gameshelf.devstack.servers import Postgres

PAYMENTS = "com.platform.payment.events.v1"


@pytest.mark.long
async def test_what_was_applied_is_not_read_again_after_a_restart(platform, service, player, wait_until):
    for _ in range(10):
        await player.buys(uuid4())

    async def applied():
        return len(await player.products()) == 10

    await wait_until(applied)
    assert await asyncio.to_thread(service.stop) == 0
    await asyncio.to_thread(service.start)
    await player.buys(uuid4())

    async def read():
        async with httpx.AsyncClient() as client:
            text = (await client.get(service.metrics)).text
        line = f'kafka_records_total{{result="applied",topic="{PAYMENTS}"}} '
        return next((float(found.removeprefix(line)) for found in text.splitlines() if found.startswith(line)), 0)

    await wait_until(read)
    assert await read() == 1  # the record that came since
    assert await asyncio.to_thread(service.stop) == 0
    assert '"level":"ERROR"' not in service.log.read_text()


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
    postgres.remove()


@pytest.mark.long
def test_a_service_ends_in_time_while_everything_that_it_depends_on_hangs(fragile):
    platform, servers = fragile
    service = platform.service(LIBRARY_SERVICE_SHUTDOWN_SECONDS="1")
    service.start()
    for server in servers:
        server.freeze()
    time.sleep(2)  # so that each part is waiting for something
    assert service.stop() == 0  # not -9: it ended by itself
