"""Silent WebSockets are closed by the server, with the waiting times made short."""

import asyncio
import base64
import os

import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.devstack.servers.base import free_port
from gameshelf.gateway.runtime.serving import hypercorn, websocket

KEEPALIVE_TIMED_OUT = 1011
PONG = b"\x8a\x80" + bytes(4)


async def quiet(scope, receive, send):
    """A WebSocket that sends nothing."""
    await receive()
    await send({"type": "websocket.accept"})
    await receive()


@pytest.fixture
async def address(monkeypatch, wait_until):
    monkeypatch.setattr(websocket, "PING_SECONDS", 0.2)
    monkeypatch.setattr(websocket, "SILENCE_SECONDS", 0.5)
    ended = asyncio.Event()
    port = free_port()
    serving = hypercorn.serve(quiet, "127.0.0.1", port, allow_h2c=False, grace_seconds=5, stopped=ended.wait)
    server = asyncio.create_task(serving)

    async def is_there():
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    await wait_until(is_there)
    yield "127.0.0.1", port
    ended.set()
    await server


async def open_by_hand(address):
    """A connection whose client never answers a ping."""
    reader, writer = await asyncio.open_connection(*address)
    key = base64.b64encode(os.urandom(16)).decode()
    writer.write(
        f"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def next_frame(reader):
    first, length = await reader.readexactly(2)
    return first & 0x0F, await reader.readexactly(length)


async def test_a_peer_that_answers_no_ping_is_closed_with_1011(address):
    reader, writer = await open_by_hand(address)
    frames = []
    while not frames or frames[-1][0] != 8:
        frames.append(await asyncio.wait_for(next_frame(reader), PATIENCE_SECONDS))
    assert {opcode for opcode, _ in frames[:-1]} == {9}
    assert int.from_bytes(frames[-1][1][:2], "big") == KEEPALIVE_TIMED_OUT
    writer.close()


async def test_a_peer_that_answers_pings_stays(address, monkeypatch):
    """By a clock of the test's own: on a busy machine a pong may wait longer than the server does here."""
    now = [0.0]
    monkeypatch.setattr(websocket, "monotonic", lambda: now[0])
    reader, writer = await open_by_hand(address)
    for _ in range(10):
        opcode, _ = await asyncio.wait_for(next_frame(reader), PATIENCE_SECONDS)
        assert opcode == 9
        now[0] += websocket.SILENCE_SECONDS * 0.6
        writer.write(PONG)
    writer.close()
