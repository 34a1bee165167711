"""The parts of the service in processes of their own do the same work together."""

import asyncio
import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from gameshelf.devstack.events import CloudEvent
from gameshelf.gateway.configuration import load_settings
from gameshelf.gateway.domains.playtime.lost_seats import LostSeats
from gameshelf.gateway.main import run_gateway
from gameshelf.gateway.wiring import build
from gameshelf.library import SeatReclaimed
from websockets.asyncio.client import connect

EVENTS = "com.platform.library.events.v1"


@pytest.fixture(scope="module")
def parts(platform):
    started = [platform.service(LIBRARY_SERVICE_ROLES=roles) for roles in ("api", "consumer", "relay,jobs")]
    for one in started:
        one.start(wait=False)
    return started


@pytest.fixture(scope="module")
def service(parts):
    return parts[0]


async def test_three_processes_share_the_four_roles(
    platform, parts, service, player, wait_until, next_message, read_records
):
    for part in parts:
        await wait_until(lambda part=part: asyncio.to_thread(part.is_ready))
    game = uuid4()
    async with connect(service.ws, additional_headers={"Authorization": f"Bearer {player.token}"}) as socket:
        await next_message(socket, greeting=True)
        await player.buys(game)
        assert (await next_message(socket))["payload"]["product_id"] == str(game)
    assert await player.products() == {str(game)}
    [record] = await read_records(platform, EVENTS, bool)
    assert json.loads(record.value)["data"]["productId"] == str(game)

    await player.publish(CloudEvent("com.platform.account.user.deleted.v1", {"userId": str(player.id)}))

    async def refused():
        return (await player.http.get("/items")).status_code == 401

    await wait_until(refused)
    assert [part.stop() for part in parts] == [0, 0, 0]


async def test_a_process_without_the_api_listens_only_for_metrics(platform):
    alone = platform.service(LIBRARY_SERVICE_ROLES="relay,jobs")
    alone.start()
    for port in (alone.http_port, alone.grpc_port):
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
    assert alone.stop() == 0


async def test_a_process_without_heartbeats_forgets_lost_seats_too(platform, wait_until):
    """It receives events of owners who want their copies, because its jobs forward them to members."""
    gateway = await build(load_settings(platform.service(LIBRARY_SERVICE_ROLES="jobs").environment))
    running = asyncio.create_task(run_gateway(gateway))
    now = datetime.now(UTC)
    ids = {name: uuid4() for name in ("user_id", "owner_user_id", "product_id", "session_id")}
    [lost_seats] = [one.resources[LostSeats] for one in gateway.instances if LostSeats in one.resources]
    lost_seats.reclaimed(SeatReclaimed(**ids, occurred_at=now, lost_at=now, grace_seconds=0))

    async def is_forgotten():
        return not lost_seats

    await wait_until(is_forgotten)
    gateway.stopping.set()
    await running
    await gateway.close()
