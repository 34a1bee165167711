"""What Granian leaves to the kernel or to us, so that clients find the same limits on both servers."""

import asyncio
import json
import os
import socket
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.devstack.servers.base import free_port
from gameshelf.devstack.wire import handshake
from gameshelf.gateway.runtime.serving import granian, hypercorn
from gameshelf.gateway.runtime.serving.malformed import is_ambiguous

BOTH = pytest.mark.parametrize("server", [hypercorn, granian], ids=["hypercorn", "granian"])
LINUX = pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="options of Linux")


async def plain(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"{}"})
        return
    await receive()
    await send({"type": "websocket.accept"})
    await receive()


@asynccontextmanager
async def served(app, module=granian):
    """The address of a server that runs ``app``."""
    ended, port = asyncio.Event(), free_port()
    serving = asyncio.create_task(
        module.serve(app, "127.0.0.1", port, allow_h2c=False, grace_seconds=5, stopped=ended.wait)
    )
    while not serving.done():
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            break
        await asyncio.sleep(0.01)
    yield "127.0.0.1", port
    ended.set()
    await serving


async def exchange(address, request):
    """All that comes back until the server closes."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(request)
    try:
        return await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)
    finally:
        writer.close()


AMBIGUOUS = {
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "a coding that nobody undoes": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
    ),
}


@BOTH
async def test_an_ambiguous_request_is_refused_in_the_usual_envelope(server):
    async with served(plain, server) as address:
        for request in AMBIGUOUS.values():
            head, _, body = (await exchange(address, request)).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 400")
            assert json.loads(body)["errors"][0]["code"] == "VALIDATION_ERROR"


@BOTH
async def test_a_handshake_for_two_hosts_opens_no_websocket(server):
    async with served(plain, server) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(handshake()[:-2] + b"Host: b\r\n\r\n")
        assert (await asyncio.wait_for(reader.readline(), PATIENCE_SECONDS)).startswith(b"HTTP/1.1 40")
        writer.close()


@pytest.mark.parametrize(
    ("version", "headers", "ambiguous"),
    [
        ("1.1", [(b"host", b"a")], False),
        ("1.1", [(b"host", b"a"), (b"transfer-encoding", b"Chunked")], False),
        ("1.1", [(b"host", b"")], True),
        ("1.1", [], True),
        ("1.1", [(b"host", b"a"), (b"host", b"a")], True),
        ("1.1", [(b"host", b"a"), (b"transfer-encoding", b"chunked, gzip")], True),
        ("1", [], False),
        ("2", [], False),
    ],
)
def test_a_request_without_one_host_is_ambiguous(version, headers, ambiguous):
    assert is_ambiguous(version, headers) is ambiguous


def test_idle_connections_last_as_long_on_both_servers():
    """Longer than the 60 s of common load balancers, which otherwise send a request into a closing connection."""
    assert granian.KEEP_ALIVE_SECONDS == hypercorn.KEEP_ALIVE_SECONDS > 60


async def test_idle_and_slow_connections_come_to_an_end(monkeypatch):
    monkeypatch.setattr(granian, "KEEP_ALIVE_SECONDS", 0.3)
    async with served(plain) as address:
        for request in (b"", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "):
            await exchange(address, request)


async def test_a_taken_port_is_an_error_and_is_free_afterwards():
    async with served(plain) as (host, port):
        with pytest.raises(OSError, match="in use"):
            await granian.serve(plain, host, port, allow_h2c=False, grace_seconds=1, stopped=asyncio.Event().wait)
    with socket.create_server(("127.0.0.1", port)):
        pass


def descriptor_of(peer):
    """The server's end of a connection, which is in this process."""
    for path in Path("/proc/self/fd").iterdir():
        with suppress(OSError), socket.socket(fileno=os.dup(int(path.name))) as found:
            if found.getpeername() == peer:
                return found.detach()
    return None


@LINUX
async def test_the_kernel_looks_after_clients_that_vanish_or_read_nothing():
    async with served(plain) as address:
        _, writer = await asyncio.open_connection(*address)
        peer = writer.get_extra_info("sockname")
        while (found := descriptor_of(peer)) is None:
            await asyncio.sleep(0.01)
        with socket.socket(fileno=found) as accepted:
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            user_timeout = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            idle = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
        assert user_timeout == granian.STALLED_SECONDS * 1000
        assert idle == 30
        writer.close()


@LINUX
@pytest.mark.long
async def test_who_takes_nothing_of_a_response_is_cut_off(monkeypatch):
    monkeypatch.setattr(granian, "STALLED_SECONDS", 0.5)
    ended = asyncio.Event()

    async def endless(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while (await asyncio.wait_for(receive(), 0.01))["type"] != "http.disconnect":
                pass
        except TimeoutError:
            pass
        disconnected = asyncio.ensure_future(receive())
        while not disconnected.done():
            await send({"type": "http.response.body", "body": bytes(65536), "more_body": True})
            await asyncio.sleep(0)
        ended.set()

    async with served(endless) as address:
        _, writer = await asyncio.open_connection(*address, limit=1024)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await asyncio.wait_for(ended.wait(), PATIENCE_SECONDS)
        writer.close()
