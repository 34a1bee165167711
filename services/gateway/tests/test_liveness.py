"""Silent WebSockets are closed by the server, with the waiting times made short."""

import asyncio
import base64
import os
import socket

import pytest
from gameshelf.gateway.ws import liveness
from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Quart, websocket
from websockets.asyncio.client import connect

KEEPALIVE_TIMED_OUT = 1011


@pytest.fixture
async def address(monkeypatch):
    """A server with a WebSocket that says nothing."""
    monkeypatch.setattr(liveness, "PING_SECONDS", 0.2)
    monkeypatch.setattr(liveness, "SILENCE_SECONDS", 0.5)
    liveness.watch_silence()
    app = Quart(__name__)

    @app.websocket("/")
    async def quiet() -> None:
        await websocket.receive()

    listener = socket.create_server(("127.0.0.1", 0))
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.websocket_ping_interval = 30
    ended = asyncio.Event()
    server = asyncio.create_task(serve(app, config, shutdown_trigger=ended.wait))
    yield listener.getsockname()
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
        frames.append(await asyncio.wait_for(next_frame(reader), 20))
    assert {opcode for opcode, _ in frames[:-1]} == {9}
    assert int.from_bytes(frames[-1][1][:2], "big") == KEEPALIVE_TIMED_OUT
    writer.close()


async def test_a_peer_that_answers_pings_stays(address):
    async with connect("ws://{}:{}/".format(*address), ping_interval=None) as client:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.recv(), 2)
        await client.send("still here")
