"""``gameshelf.gateway.asgi:app`` under a server's own command: its lifespan starts and stops the whole service."""

import asyncio
import signal
import sys
from importlib.util import find_spec
from uuid import uuid4

import httpx
import pytest
from gameshelf.devstack.process import Process
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from websockets.asyncio.client import connect

APP = "gameshelf.gateway.asgi:app"
SERVERS = {
    "hypercorn": lambda port: ["--bind", f"127.0.0.1:{port}", APP],
    "granian": lambda port: ["--interface", "asgi", "--host", "127.0.0.1", "--port", str(port), APP],
}


@pytest.fixture
def service(platform):
    """A service that an ASGI server runs: one of another vendor, where it is installed."""
    made = platform.service()
    name = "granian" if find_spec("granian") else "hypercorn"
    command = [sys.executable, "-m", name, *SERVERS[name](made.http_port)]
    made.process = Process(command, made.log, environ=made.environment)
    yield made
    made.kill()


@pytest.mark.long
async def test_an_asgi_server_runs_all_of_the_service_and_ends_it_well(
    platform, service, player, wait_until, next_message
):
    await wait_until(lambda: asyncio.to_thread(service.is_ready))
    game = uuid4()
    async with connect(service.ws, additional_headers={"Authorization": f"Bearer {player.token}"}) as socket:
        await next_message(socket, greeting=True)
        await player.buys(game)
        assert (await next_message(socket))["payload"]["product_id"] == str(game)
    assert await player.products() == {str(game)}
    async with httpx.AsyncClient() as client:
        assert "postgres_pool_size" in (await client.get(service.metrics)).text
    _, writer = await asyncio.open_connection("127.0.0.1", service.grpc_port)
    writer.close()
    service.process.send(signal.SIGTERM)
    assert await asyncio.to_thread(service.process.wait, PATIENCE_SECONDS)
    assert service.process.returncode == 0
    assert '"message":"stopping"' in service.log.read_text()


@pytest.mark.long
async def test_a_service_that_can_not_start_says_why_and_is_not_served(platform):
    refused = platform.service(POSTGRES_DSN="postgresql://nobody@127.0.0.1:1/x")
    command = [sys.executable, "-m", "hypercorn", *SERVERS["hypercorn"](refused.http_port)]
    process = Process(command, refused.log, environ=refused.environment)
    assert await asyncio.to_thread(process.wait, PATIENCE_SECONDS)
    assert "POSTGRES_DSN: the database can't be used" in refused.log.read_text()
