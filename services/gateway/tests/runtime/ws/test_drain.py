"""A connection ends when its service drains, also if it is sending or receiving a message at that moment."""

import asyncio
from contextlib import asynccontextmanager
from itertools import count
from types import MappingProxyType
from uuid import uuid4

import asyncpg
import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.gateway.runtime.identity import Identity
from gameshelf.gateway.runtime.limits import RateLimits
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.observability.traces import Tracing
from gameshelf.gateway.runtime.origins import AllowedOrigins
from gameshelf.gateway.runtime.outbox.store import FeedMessage
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.runtime.transaction import Committed
from gameshelf.gateway.runtime.ws.connection import LibraryUpdates
from gameshelf.gateway.runtime.ws.hub import Hub
from gameshelf.gateway.runtime.ws.socket import Socket
from redis.asyncio import Redis

SCOPE = MappingProxyType({"type": "websocket", "headers": [(b"authorization", b"Bearer x")], "query_string": b""})
TICKS = 8
"""How many turns of the event loop may lie between the end of a message and the drain; the race needs one or two."""


class Peer:
    """A client of which each message takes until ``sent`` or ``received`` is set, by the ASGI interface."""

    def __init__(self):
        self.sent, self.received = asyncio.Event(), asyncio.Event()
        self.sends = asyncio.Event()
        self.closed_with = None
        self._connected = self._greeted = False

    async def send(self, message):
        if message["type"] == "websocket.close":
            self.closed_with = message["code"]
        if message["type"] == "websocket.send":
            if self._greeted:
                self.sends.set()
                await self.sent.wait()
            self._greeted = True

    async def receive(self):
        if not self._connected:
            self._connected = True
            return {"type": "websocket.connect"}
        await self.received.wait()
        self.received.clear()
        return {"type": "websocket.receive", "text": "{}"}


@pytest.fixture
async def serve(platform):
    """Serves a peer; its task, the part that serves it, and the way to announce a message."""
    user_id, metrics, redis = uuid4(), Metrics(), Redis()  # it is never used
    connection = await asyncpg.connect(platform.dsn)

    @asynccontextmanager
    async def acquire():
        yield connection

    async def by_header(socket):
        return Identity(user_id, frozenset())

    hub = Hub(redis, acquire)
    limits = RateLimits(redis, 0, 0, 0, metrics, Tracing(None))

    async def start(peer):
        updates = LibraryUpdates(
            hub, UserStreams(b"x" * 32), acquire, by_header, None, limits, AllowedOrigins([], metrics)
        )
        socket = Socket({**SCOPE, "headers": SCOPE["headers"]}, peer.receive, peer.send)
        task = asyncio.create_task(updates.serve(socket))
        while not hub.connections(user_id):
            await asyncio.sleep(0.01)
        return updates, task

    async def announce(peer):
        for number in count(1):
            hub.committed(Committed(user_id, 0, number, [FeedMessage(user_id, number, None, "{}")], [], to_kafka=False))
            await asyncio.sleep(0.01)
            if peer.sends.is_set():
                return

    yield start, announce
    await connection.close()


@pytest.mark.parametrize("first", ["drain", "message"])
@pytest.mark.parametrize("ticks", range(TICKS))
@pytest.mark.parametrize("what", ["sent", "received"])
async def test_a_message_that_ends_during_a_drain_keeps_no_connection(serve, what, ticks, first):
    start, announce = serve
    peer = Peer()
    updates, task = await start(peer)
    if what == "sent":
        await announce(peer)
    steps = [lambda: asyncio.create_task(updates.drain()), getattr(peer, what).set]
    for step in steps if first == "drain" else reversed(steps):
        step()
        for _ in range(ticks):
            await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await task
    assert peer.closed_with == 1001
