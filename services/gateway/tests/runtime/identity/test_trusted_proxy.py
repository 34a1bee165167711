"""``AUTH_MODE=gateway`` over real sockets: a trusted peer's one X-User-Id, for players, never over gRPC."""

import asyncio
import json
from uuid import uuid4

import grpc.aio
import httpx
import pytest
from gameshelf.devstack.events import publish
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.protos.library.v1 import library_query_service_pb2 as messages
from gameshelf.protos.library.v1.library_query_service_pb2_grpc import LibraryQueryServiceStub
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed


@pytest.fixture(scope="module")
def behind_proxy(platform):
    made = platform.service(AUTH_MODE="gateway", AUTH_TRUSTED_PROXIES="127.0.0.1/32, 10.0.0.0/8")
    made.start()
    return made


@pytest.fixture(scope="module")
def exposed(platform):
    """A service that trusts a network in which no client of these tests is."""
    made = platform.service(AUTH_MODE="gateway", AUTH_TRUSTED_PROXIES="10.0.0.0/8", LIBRARY_SERVICE_ROLES="api")
    made.start()
    return made


async def status(service, *headers):
    async with httpx.AsyncClient() as client:
        return (await client.get(f"{service.api}/items", headers=list(headers))).status_code


async def closing_code(service, *headers):
    async with connect(service.ws, additional_headers=list(headers)) as socket:
        try:
            await asyncio.wait_for(socket.recv(), PATIENCE_SECONDS)
        except TimeoutError:
            return None
        except ConnectionClosed as closed:
            return closed.rcvd.code


async def test_the_player_that_a_trusted_peer_names_is_served(behind_proxy, platform, wait_until, purchase_of):
    user, game = uuid4(), uuid4()
    headers = {"X-User-Id": str(user).upper()}
    async with connect(behind_proxy.ws, additional_headers=headers) as socket:
        await publish(platform.kafka.address, [purchase_of(user, game)])
        await asyncio.wait_for(socket.recv(), PATIENCE_SECONDS)  # auth.success
        message = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_SECONDS))
    assert message["payload"]["product_id"] == str(game)
    async with httpx.AsyncClient(base_url=behind_proxy.api, headers=headers) as client:
        [item] = (await client.get("/items")).json()["data"]
    assert item["attributes"]["product_id"] == str(game)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("X-User-Id", str(uuid4())), ("X-User-Id", str(uuid4()))],
        [("X-User-Id", f"{uuid4()}, {uuid4()}")],
        [("X-User-Id", "{" + str(uuid4()) + "}")],
        [("X-User-Id", uuid4().hex)],
        [("X-User-Id", "1")],
        [("X-User-Id", "")],
    ],
    ids=["none", "two", "a list", "braces", "no hyphens", "a number", "empty"],
)
async def test_anything_but_one_good_id_is_401(behind_proxy, headers):
    assert await status(behind_proxy, *headers) == 401
    if headers and headers[0][1]:  # without any the socket waits for a token in a message
        assert await closing_code(behind_proxy, *headers) == 4401


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Client-IP"])
async def test_an_untrusted_peer_is_401_whatever_it_says_of_its_address(exposed, name):
    value = "for=10.1.2.3" if name == "Forwarded" else "10.1.2.3"
    headers = [("X-User-Id", str(uuid4())), (name, value)]
    assert await status(exposed, *headers) == 401
    assert await closing_code(exposed, *headers) == 4401


async def test_a_token_is_not_taken_in_its_place(behind_proxy, platform):
    assert await status(behind_proxy, ("Authorization", f"Bearer {platform.token(uuid4())}")) == 401


async def test_grpc_never_takes_it(behind_proxy, platform):
    user = uuid4()
    asked = messages.GetLibraryItemsRequest(user_id=str(user))
    async with grpc.aio.insecure_channel(behind_proxy.grpc) as channel:
        stub = LibraryQueryServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await stub.GetLibraryItems(asked, metadata=(("x-user-id", str(user)),))
        assert error.value.code() == grpc.StatusCode.UNAUTHENTICATED
        token = f"Bearer {platform.token(uuid4())}"
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await stub.GetLibraryItems(asked, metadata=(("x-user-id", str(user)), ("authorization", token)))
        assert error.value.code() == grpc.StatusCode.PERMISSION_DENIED
