"""Closing WebSockets whose peer has gone silent.

ASGI shows an application neither pings nor pongs, so this is the server's work, and Hypercorn sends pings but does not
look at what comes back. Under another server its own keep-alive settings do this.
"""

import asyncio
from contextlib import suppress
from time import monotonic

from hypercorn.protocol import h2, h11
from hypercorn.protocol.events import Data, Event, StreamClosed
from hypercorn.protocol.ws_stream import WSStream
from wsproto.events import CloseConnection, Ping

PING_SECONDS = 30.0
SILENCE_SECONDS = 60.0
_KEEPALIVE_TIMED_OUT = 1011


class _WatchedStream(WSStream):
    heard_at = 0.0
    ended: asyncio.Event | None = None

    async def handle(self, event: Event) -> None:
        if isinstance(event, Data):  # a pong, or any other sign of life
            self.heard_at = monotonic()
        await super().handle(event)
        if isinstance(event, StreamClosed) and self.ended:
            self.ended.set()

    async def _send_pings(self) -> None:
        # In place of Hypercorn's own loop, which also sleeps on after the end and holds up a shutdown for as long.
        self.heard_at = monotonic()
        self.ended = asyncio.Event()
        while not self.closed:
            await self._send_wsproto_event(Ping())
            with suppress(TimeoutError):
                await asyncio.wait_for(self.ended.wait(), PING_SECONDS)
            if not self.closed and monotonic() - self.heard_at > SILENCE_SECONDS:
                await self._send_wsproto_event(CloseConnection(code=_KEEPALIVE_TIMED_OUT, reason="no pong"))
                await self.send(StreamClosed(stream_id=self.stream_id))
                return


def watch_silence() -> None:
    """Makes Hypercorn close a WebSocket that nothing was heard from for 60 seconds."""
    h11.WSStream = h2.WSStream = _WatchedStream  # type: ignore[attr-defined]
