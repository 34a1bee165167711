"""A rolling upgrade behind a load balancer that heeds readiness: no request is refused or cut."""

import asyncio
import signal
from contextlib import suppress
from uuid import uuid4

import grpc.aio
import httpx
import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.protos.library.v1 import playtime_tracker_service_pb2 as messages
from gameshelf.protos.library.v1.playtime_tracker_service_pb2_grpc import PlaytimeTrackerServiceStub
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

POLL_SECONDS = 0.1
DRAIN_SECONDS = 3


class Balancer:
    """Sends requests to the instances that were ready when it last looked, over connections that it keeps."""

    def __init__(self, services, headers):
        self.services = services
        self.ready = list(services)
        self.headers = headers
        self.errors = []
        self.served = dict.fromkeys(services, 0)
        self.ended = False

    async def look(self):
        async with httpx.AsyncClient() as client:
            while not self.ended:
                ready = []
                for service in self.services:
                    with suppress(httpx.HTTPError):
                        answer = await client.get(f"{service.url}/health/ready")
                        if answer.status_code == 200:
                            ready.append(service)
                self.ready = ready
                await asyncio.sleep(POLL_SECONDS)

    async def send(self, number):
        async with httpx.AsyncClient(headers=self.headers) as client:
            while not self.ended:
                service = self.ready[number % len(self.ready)]
                try:
                    answer = await client.get(f"{service.api}/items")
                    if answer.status_code != 200:
                        self.errors.append(answer.status_code)
                except httpx.HTTPError as error:
                    self.errors.append(error)
                self.served[service] += 1
                await asyncio.sleep(0.01)


@pytest.mark.long
@pytest.mark.parametrize("server", ["hypercorn", "granian"])
async def test_ten_clients_notice_nothing_of_an_instance_that_stops(platform, wait_until, server):
    services = [
        platform.service(
            LIBRARY_SERVICE_ROLES="api", LIBRARY_SERVICE_DRAIN_SECONDS=str(DRAIN_SECONDS), LIBRARY_SERVICE_SERVER=server
        )
        for _ in range(2)
    ]
    for service in services:
        service.start()
    leaving, staying = services
    headers = {"Authorization": f"Bearer {platform.token(uuid4())}"}
    balancer = Balancer(services, headers)
    tasks = [asyncio.create_task(balancer.look()), *(asyncio.create_task(balancer.send(n)) for n in range(10))]

    async def both_serve():
        return all(count > 20 for count in balancer.served.values())

    await wait_until(both_serve)
    async with (
        connect(leaving.ws, additional_headers=headers) as socket,
        grpc.aio.insecure_channel(leaving.grpc) as channel,
        httpx.AsyncClient(headers=headers) as client,
    ):
        assert "auth.success" in await asyncio.wait_for(socket.recv(), PATIENCE_SECONDS)
        leaving.process.send(signal.SIGTERM)

        async def draining():
            return (await client.get(f"{leaving.url}/health/ready")).status_code == 503

        await wait_until(draining)
        # The port is open: a request that was sent before anybody noticed is served, and its connection is closed.
        answer = await client.get(f"{leaving.api}/items")
        assert (answer.status_code, answer.headers["Connection"]) == (200, "close")
        health = await HealthStub(channel).Check(HealthCheckRequest())
        assert health.status == HealthCheckResponse.NOT_SERVING
        assert await asyncio.to_thread(leaving.process.wait, PATIENCE_SECONDS)
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001
    assert leaving.process.returncode == 0
    balancer.ended = True
    await asyncio.gather(*tasks)
    assert balancer.errors == []
    assert '"level":"ERROR"' not in leaving.log.read_text()
    staying.process.send(signal.SIGINT)  # which does not wait for a balancer
    assert await asyncio.to_thread(staying.process.wait, PATIENCE_SECONDS)
    assert staying.process.returncode == 0


async def test_streams_last_while_draining_until_a_second_sigterm(platform, caller, wait_until):
    service = platform.service(LIBRARY_SERVICE_DRAIN_SECONDS="600", LIBRARY_SERVICE_ROLES="api")
    service.start()
    user_id = uuid4()
    headers = {"Authorization": f"Bearer {platform.token(user_id)}"}
    heartbeat = messages.StreamPlaytimeHeartbeatsRequest(heartbeats=[messages.PlaytimeHeartbeat(session_id="none")])
    async with (
        connect(service.ws, additional_headers=headers) as old_socket,
        grpc.aio.insecure_channel(service.grpc) as channel,
        httpx.AsyncClient(headers=headers) as client,
    ):
        stub = PlaytimeTrackerServiceStub(channel)
        old_stream = stub.StreamPlaytimeHeartbeats(metadata=caller(user_id))
        await old_stream.write(heartbeat)
        assert len((await old_stream.read()).refusals) == 1
        service.process.send(signal.SIGTERM)

        async def draining():
            return (await client.get(f"{service.url}/health/ready")).status_code == 503

        await wait_until(draining)
        # Open streams continue, and requests that a balancer still sends here are accepted.
        new_stream = stub.StreamPlaytimeHeartbeats(metadata=caller(user_id))
        for stream in (old_stream, new_stream):
            await stream.write(heartbeat)
            assert len((await stream.read()).refusals) == 1
        async with connect(service.ws, additional_headers=headers) as new_socket:
            invited = {"data": {"attributes": {"shared_with_user_id": str(uuid4())}}}
            assert (await client.post(f"{service.api}/family/links", json=invited)).status_code == 201
            for socket in (old_socket, new_socket):
                assert "auth.success" in await asyncio.wait_for(socket.recv(), PATIENCE_SECONDS)
                assert "family.link.updated" in await asyncio.wait_for(socket.recv(), PATIENCE_SECONDS)
            service.process.send(signal.SIGTERM)
            assert await asyncio.to_thread(service.process.wait, 60)
            for socket in (old_socket, new_socket):
                with pytest.raises(ConnectionClosed) as closed:
                    await socket.recv()
                assert closed.value.rcvd.code == 1001
        for stream in (old_stream, new_stream):
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await stream.read()
            assert error.value.code() == grpc.StatusCode.UNAVAILABLE
    assert service.process.returncode == 0
    assert '"level":"ERROR"' not in service.log.read_text()
