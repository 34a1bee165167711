"""The WebSocket: authentication, messages, resuming by a cursor, and the end of a connection."""

import asyncio
import json
import socket as sockets
from uuid import uuid4

import asyncpg
import grpc.aio
import httpx
import pytest
from gameshelf.devstack.events import CloudEvent
from gameshelf.protos.library.v1 import wishlist_service_pb2 as wishlist
from gameshelf.protos.library.v1.wishlist_service_pb2_grpc import WishlistServiceStub
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus


async def closing_code(socket, seconds=20):
    try:
        while True:
            await asyncio.wait_for(socket.recv(), seconds)
    except ConnectionClosed as closed:
        return closed.rcvd.code


def bearer(player):
    return {"Authorization": f"Bearer {player.token}"}


async def test_a_token_may_be_in_header_subprotocol_or_first_message(service, player, wait_until, next_message):
    await player.buys(uuid4(), uuid4())

    async def arrived():
        return len(await player.products()) == 2

    await wait_until(arrived)

    async def begins_with(socket, cursor):
        message = await next_message(socket, greeting=True)
        assert (message["event_type"], message["id"], message["payload"]["cursor"]) == ("auth.success", cursor, cursor)

    async with connect(service.ws, additional_headers=bearer(player)) as socket:
        await begins_with(socket, "2")
    async with connect(service.ws, subprotocols=["bearer", player.token]) as socket:
        assert socket.subprotocol == "bearer"
        await begins_with(socket, "2")
    async with connect(f"{service.ws}?cursor=1") as socket:
        await socket.send(json.dumps({"type": "auth.token", "token": player.token}))
        await begins_with(socket, "1")
        assert (await next_message(socket))["id"] == "2"
        # Sent again, it gets the cursor at which this connection stands.
        await socket.send(json.dumps({"type": "auth.token", "token": player.token}))
        await begins_with(socket, "2")
    async with connect(f"{service.ws}?cursor=99", additional_headers=bearer(player)) as socket:
        await begins_with(socket, "2")
        assert (await next_message(socket))["event_type"] == "resync.required"


async def test_a_ping_is_answered_with_a_cursor_that_leaves_nothing_out(service, player, next_message):
    async with connect(service.ws, additional_headers=bearer(player)) as socket:
        await socket.send('{"type": "ping"}')
        pong = await next_message(socket)
        assert (pong["event_type"], pong["id"]) == ("pong", "0")
        await player.buys(uuid4())
        added = await next_message(socket)
        await socket.send('{"type": "ping", "whatever": 1}')
        assert (await next_message(socket))["id"] == added["id"]
        for nothing in ("ping", "[]", '{"type": "PING"}', '{"type": ["ping"]}', '{"type": "pong"}'):
            await socket.send(nothing)
        await player.buys(uuid4())
        assert (await next_message(socket))["event_type"] == "library.item.added"


async def test_a_client_knows_its_own_changes_by_its_id(service, player, next_message, caller):
    async with connect(service.ws, additional_headers=bearer(player)) as socket:
        await next_message(socket, greeting=True)
        await player.buys(uuid4())
        added = await next_message(socket)
        assert "origin" not in added
        item = added["payload"]["library_item_id"]
        for client_id in ("tab 7", None):
            change = {"data": {"attributes": {"is_hidden": client_id is not None}}}
            headers = {"X-Client-Id": client_id} if client_id else {}
            assert (await player.http.patch(f"/items/{item}", json=change, headers=headers)).status_code == 200
            assert (await next_message(socket)).get("origin") == client_id
        async with grpc.aio.insecure_channel(service.grpc) as channel:
            stub, wish = WishlistServiceStub(channel), wishlist.AddToWishlistRequest(user_id=str(player.id))
            who = caller(player.id)
            wish.product_id = str(uuid4())
            await stub.AddToWishlist(wish, metadata=(*who, ("x-client-id", "deck 3")))
            assert (await next_message(socket))["origin"] == "deck 3"
            for bad in (("",), ("x" * 65,), ("a", "b")):
                with pytest.raises(grpc.aio.AioRpcError) as error:
                    await stub.AddToWishlist(wish, metadata=(*who, *(("x-client-id", one) for one in bad)))
                assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
                assert error.value.details().startswith("x-client-id")
    listed = (await player.get("/events", cursor="0"))["data"]
    assert [entry["attributes"].get("origin") for entry in listed] == [None, "tab 7", None, "deck 3"]
    for bad in ("", "x" * 65, "\u00e9"):
        headers = {"X-Client-Id": bad.encode("latin-1"), "Accept-Language": "en"}
        refused = await player.http.post("/categories", json={"data": {"attributes": {"name": "RPG"}}}, headers=headers)
        assert refused.status_code == 400, bad
        assert "X-Client-Id" in refused.json()["errors"][0]["detail"]


@pytest.mark.parametrize(
    "first", ["hello", "{}", '{"type": "auth.token"}', '{"type": "auth.token", "token": "x"}', "[" * 9000]
)
async def test_who_says_something_else_is_closed_with_4401(service, first):
    async with connect(service.ws) as socket:
        await socket.send(first)
        assert await closing_code(socket) == 4401


async def test_who_says_nothing_or_has_a_bad_token_is_closed_with_4401(platform, service):
    async with (
        connect(service.ws) as silent,
        connect(
            service.ws, additional_headers={"Authorization": f"Bearer {platform.issuer.issue(uuid4(), ttl=-60)}"}
        ) as expired,
        connect(
            service.ws, additional_headers={"Authorization": f"Bearer {platform.token(uuid4(), 'service')}"}
        ) as machine,
    ):
        for socket in (silent, expired, machine):
            assert await closing_code(socket) == 4401


async def test_a_browser_of_a_foreign_origin_is_turned_away(service, player):
    with pytest.raises(InvalidStatus) as refused:
        async with connect(service.ws, additional_headers=bearer(player), origin="https://evil.example"):
            pass
    assert refused.value.response.status_code == 403


async def test_devices_get_everything_in_order_and_resume_by_cursor(service, player, next_message):
    games = [uuid4() for _ in range(5)]
    async with (
        connect(service.ws, additional_headers=bearer(player)) as one,
        connect(service.ws, additional_headers=bearer(player)) as two,
    ):
        for socket in (one, two):
            await next_message(socket, greeting=True)
        for game in games:
            await player.buys(game)
        received = [[await next_message(socket) for _ in games] for socket in (one, two)]
    assert received[0] == received[1]
    assert [int(message["id"]) for message in received[0]] == [1, 2, 3, 4, 5]

    async with connect(f"{service.ws}?cursor=2", additional_headers=bearer(player)) as late:
        caught_up = [await next_message(late) for _ in range(3)]
        assert caught_up == received[0][2:]
        await player.buys(uuid4())
        assert (await next_message(late))["id"] == "6"

    over_rest = await player.get("/events", cursor="2", limit=2)
    assert [entry["id"] for entry in over_rest["data"]] == ["3", "4"]
    assert over_rest["meta"] == {"cursor": "4", "has_more": True}


async def test_where_continuity_can_not_be_shown_a_resync_is_required(
    platform, service, player, wait_until, next_message
):
    await player.buys(*(uuid4() for _ in range(3)))

    async def arrived():
        return len(await player.products()) == 3

    await wait_until(arrived)
    async with connect(f"{service.ws}?cursor=99", additional_headers=bearer(player)) as ahead:
        message = await next_message(ahead)
        assert (message["event_type"], message["id"]) == ("resync.required", "3")
        await player.buys(uuid4())
        assert (await next_message(ahead))["id"] == "4"

    connection = await asyncpg.connect(platform.dsn)
    await connection.execute("DELETE FROM gateway.feed WHERE user_id = $1 AND sequence <= 2", player.id)
    await connection.execute("UPDATE gateway.user_streams SET pruned_sequence = 2 WHERE user_id = $1", player.id)
    await connection.close()
    for cursor, event_types in (("1", ["resync.required"]), ("2", ["library.item.added"] * 2), ("4", [])):
        answer = await player.get("/events", cursor=cursor)
        assert [entry["attributes"]["event_type"] for entry in answer["data"]] == event_types


async def test_a_patch_on_one_device_is_received_by_the_other(service, player, wait_until, next_message):
    await player.buys(uuid4())

    async def arrived():
        return (await player.get("/items"))["data"]

    [item] = await wait_until(arrived)
    async with connect(service.ws, additional_headers=bearer(player)) as socket:
        await next_message(socket, greeting=True)
        await player.patch(f"/items/{item['id']}", {"is_hidden": True})
        message = await next_message(socket)
    assert message["event_type"] == "library.item.updated"
    assert message["payload"]["changes"] == {"is_hidden": True}


async def test_a_connection_ends_with_its_token_unless_it_is_renewed(platform, service, player, next_message):
    almost_over = platform.issuer.issue(player.id, ttl=-22)  # eight seconds of the leeway are left
    headers = {"Authorization": f"Bearer {almost_over}"}
    async with (
        connect(service.ws, additional_headers=headers) as ends,
        connect(service.ws, additional_headers=headers) as renewed,
        connect(service.ws, additional_headers=headers) as swapped,
    ):
        for _ in range(2):  # at the beginning, and for the fresh one
            await renewed.send(json.dumps({"type": "auth.token", "token": player.token}))
            assert (await next_message(renewed, greeting=True))["event_type"] == "auth.success"
        await swapped.send(json.dumps({"type": "auth.token", "token": platform.token(uuid4())}))
        assert await closing_code(swapped) == 4401
        assert await closing_code(ends) == 4401
        await player.buys(uuid4())
        assert (await next_message(renewed))["event_type"] == "library.item.added"


async def test_an_erased_user_is_closed_and_a_valid_token_gets_401(service, player, wait_until, next_message):
    async with connect(service.ws, additional_headers=bearer(player)) as socket:
        await next_message(socket, greeting=True)
        await player.buys(uuid4())
        await next_message(socket)
        data = {"userId": str(player.id), "deletedAt": "2026-05-01T00:00:00Z"}
        await player.publish(CloudEvent("com.platform.account.user.deleted.v1", data))
        assert await closing_code(socket) == 4401

    async def refused():
        return (await player.http.get("/items")).status_code == 401

    await wait_until(refused)
    assert (await player.post("/categories", {"name": "Ещё здесь"})).status_code == 401


async def test_devices_on_two_instances_receive_the_same_without_redis(platform, service, player, next_message):
    other = platform.service()
    other.start()
    try:
        async with (
            connect(service.ws, additional_headers=bearer(player)) as here,
            connect(other.ws, additional_headers=bearer(player)) as there,
        ):
            for socket in (here, there):
                await next_message(socket, greeting=True)
            for step in ("with", "without", "with again"):
                if step == "without":
                    platform.valkey.kill()
                if step == "with again":
                    platform.valkey.start()
                await player.buys(uuid4())
                messages = [await next_message(socket) for socket in (here, there)]
                assert messages[0] == messages[1], step
    finally:
        other.stop()


@pytest.mark.long
async def test_a_slow_reader_is_cut_off_and_a_quick_one_gets_a_whole_burst(platform, player, wait_until, next_message):
    service = platform.service(LOG_LEVEL="DEBUG")
    service.start()
    lines = [
        "GET /api/v1/ws/library-updates HTTP/1.1",
        "Host: localhost",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        f"Authorization: Bearer {player.token}",
    ]
    with sockets.socket() as raw:
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        raw.connect(("127.0.0.1", service.http_port))
        raw.sendall("\r\n".join([*lines, "", ""]).encode())
        async with connect(service.ws, additional_headers=bearer(player)) as quick:
            await next_message(quick, greeting=True)
            count = 30_000
            for _ in range(count // 1000):
                await player.buys(*(uuid4() for _ in range(1000)))
            ids = [int((await next_message(quick))["id"]) for _ in range(count)]
            assert ids == list(range(1, count + 1))

            async def cut_off():
                async with httpx.AsyncClient() as client:
                    text = (await client.get(service.metrics)).text
                return "websocket_connections 1.0" in text.splitlines()

            await wait_until(cut_off)
    service.stop()


async def test_a_stopping_service_closes_with_1001_and_ends_well(platform, player):
    leaving = platform.service()
    leaving.start()
    async with connect(leaving.ws, additional_headers=bearer(player)) as socket:
        stopping = asyncio.create_task(asyncio.to_thread(leaving.stop))
        assert await closing_code(socket) == 1001
        assert await stopping == 0
