"""WebSockets for Hypercorn: not compressed, closed after a too large message and after a minute without any frame.

ASGI shows an application neither pings nor frames, so the server has to do this. Hypercorn accepts compression before
the client is identified, continues to collect frames of a message that it has refused as too large, and sends pings
without checking for pongs.
"""

import asyncio
from contextlib import suppress
from time import monotonic
from typing import Any

from gameshelf.gateway.runtime.serving.inbound import Inbound
from gameshelf.gateway.runtime.ws.allowance import Allowance
from gameshelf.gateway.runtime.ws.socket import MAX_MESSAGE_BYTES
from hypercorn.protocol.events import Data, Event, Request, StreamClosed
from hypercorn.protocol.ws_stream import ASGIWebsocketState, FrameTooLargeError, WebsocketBuffer, WSStream
from hypercorn.typing import ASGISendEvent, WebsocketAcceptEvent
from wsproto.connection import ConnectionState
from wsproto.events import CloseConnection, Message, Ping, TextMessage
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

PING_SECONDS = 30.0
SILENCE_SECONDS = 60.0
LINGER_SECONDS = 1.0
"""How long to wait for the peer's close frame after ours; other frames are discarded meanwhile."""
_PINGS_PER_MINUTE = 120
_KEEPALIVE_TIMED_OUT = 1011
_MOST_PIECES = 512
"""Limit of the pieces of a message; a frame is one or two. Handling 16,384 one-byte pieces would take half a second."""


class _Buffer(WebsocketBuffer):
    """Collects a message up to its limits."""

    _pieces = 0

    def extend(self, event: Message[Any]) -> None:
        data = event.data.encode(errors="surrogatepass") if isinstance(event, TextMessage) else event.data
        length = self.length + len(data)
        self._pieces += 1
        if length > self.max_length or self._pieces > _MOST_PIECES:
            self.clear()
            raise FrameTooLargeError
        super().extend(event)
        self.length = length

    def clear(self) -> None:
        super().clear()
        self._pieces = 0


class WebSocketStream(WSStream):
    """One WebSocket."""

    last_frame_at = 0.0
    ended: asyncio.Event
    _closing = False
    _inbound: Inbound | None = None

    async def handle(self, event: Event) -> None:
        if isinstance(event, Data):
            self.last_frame_at = monotonic()  # a pong, or any other sign of life
            if self._closing:
                return
        was_closed = self.closed
        await super().handle(event)
        if isinstance(event, Request) and self.app_put is not None:
            self._inbound = Inbound(self.app_put)
            self.app_put = self._inbound.put
        if self.closed and not was_closed and not isinstance(event, StreamClosed):
            # After a bad handshake, or frames before its answer, Hypercorn answers 400 but neither ends the application
            # nor closes the connection.
            if self.app_put is not None:
                await self.app_put({"type": "websocket.disconnect", "code": int(CloseReason.ABNORMAL_CLOSURE)})
            await self.send(StreamClosed(stream_id=self.stream_id))
        if isinstance(event, StreamClosed):
            self._over.set()

    async def app_send(self, message: ASGISendEvent | None) -> None:
        if message is not None and self._closing:
            return  # closed meanwhile; the application gets the disconnect when it receives
        if message is None and self._inbound:
            self._inbound.end()
        if message is None and self.state is ASGIWebsocketState.CLOSED:
            # If the connection is closed before the peer's close frame arrives, it is reset, and ours may be lost.
            with suppress(TimeoutError):
                async with asyncio.timeout(LINGER_SECONDS):
                    await self._over.wait()
        await super().app_send(message)

    @property
    def _over(self) -> asyncio.Event:
        if not hasattr(self, "ended"):
            self.ended = asyncio.Event()
        return self.ended

    async def _accept(self, message: WebsocketAcceptEvent) -> None:
        self.buffer = _Buffer(MAX_MESSAGE_BYTES)
        self._pings = Allowance(_PINGS_PER_MINUTE)
        self.handshake.extensions = None  # refuses all extensions that the client offers
        await super()._accept(message)

    async def _handle_events(self) -> None:
        try:
            for event in self.connection.events():
                if isinstance(event, Message):
                    self.buffer.extend(event)
                    if event.message_finished:
                        assert self.app_put is not None
                        await self.app_put(self.buffer.to_message())
                        self.buffer.clear()
                elif isinstance(event, Ping):
                    if not self._pings.take():
                        await self._end(CloseReason.POLICY_VIOLATION)
                        return
                    await self._send_wsproto_event(event.response())
                elif isinstance(event, CloseConnection):
                    if self.connection.state == ConnectionState.REMOTE_CLOSING:
                        await self._send_wsproto_event(event.response())
                    await self.send(StreamClosed(stream_id=self.stream_id))
                    return
        except FrameTooLargeError:
            await self._end(CloseReason.MESSAGE_TOO_BIG)
        except (RemoteProtocolError, LocalProtocolError):
            await self._end(CloseReason.PROTOCOL_ERROR)

    async def _end(self, code: int) -> None:
        """Closes at once: sends a disconnect to the application, and discards everything that still arrives."""
        self._closing = True
        self.state = ASGIWebsocketState.CLOSED
        self.buffer.clear()
        await self._send_wsproto_event(CloseConnection(code=code))
        assert self.app_put is not None
        await self.app_put({"type": "websocket.disconnect", "code": int(code)})
        self.task_group.spawn(self._linger)

    async def _linger(self) -> None:
        # If the connection is closed while the peer sends, it is reset, and the peer may not receive the close code.
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                await self._over.wait()
        if not self.closed:
            await self.send(StreamClosed(stream_id=self.stream_id))

    async def _send_pings(self) -> None:
        # Replaces Hypercorn's loop, which keeps sleeping after the end of the connection and so delays a shutdown.
        self.last_frame_at = monotonic()
        while not self.closed:
            await self._send_wsproto_event(Ping())
            with suppress(TimeoutError):
                async with asyncio.timeout(PING_SECONDS):
                    await self._over.wait()
            if not self.closed and monotonic() - self.last_frame_at > SILENCE_SECONDS:
                await self._send_wsproto_event(CloseConnection(code=_KEEPALIVE_TIMED_OUT, reason="no pong"))
                await self.send(StreamClosed(stream_id=self.stream_id))
                return
