"""HTTP/2 for Hypercorn, enabled by ``LIBRARY_SERVICE_H2C``: buffers are bounded, and streams fail independently."""

import asyncio
from collections.abc import Awaitable

import h2.errors
import h2.events
import h2.exceptions
import priority
from gameshelf.gateway.runtime.serving.http1 import HttpStream
from gameshelf.gateway.runtime.serving.websocket import WebSocketStream
from hypercorn.protocol.events import Request
from hypercorn.protocol.h2 import BUFFER_HIGH_WATER, BUFFER_LOW_WATER, BufferCompleteError, H2Protocol, StreamBuffer
from hypercorn.utils import filter_pseudo_headers

STALLED_SECONDS = 30.0
"""How long a response waits for a client that does not read; then its stream is closed."""


class BoundedBuffer(StreamBuffer):
    """The unsent part of a response, at most some 40 KB. Hypercorn's own buffer grows while the window is closed."""

    async def push(self, data: bytes) -> None:
        if self._complete:
            raise BufferCompleteError
        self.buffer.extend(data)
        await self._is_empty.clear()
        if len(self.buffer) >= BUFFER_HIGH_WATER:
            await self._paused.clear()
            await self._unless_stalled(self._paused.wait())

    async def drain(self) -> None:
        await self._unless_stalled(super().drain())

    async def pop(self, max_length: int) -> bytes:
        data = bytes(self.buffer[:max_length])
        del self.buffer[:max_length]
        if len(self.buffer) < BUFFER_LOW_WATER:
            await self._paused.set()
        if not self.buffer:
            await self._is_empty.set()
        return data

    async def _unless_stalled(self, waiting: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(STALLED_SECONDS):
                await waiting
        except TimeoutError:
            await self.close()
            raise BufferCompleteError from None


class Http2(H2Protocol):
    """One connection of HTTP/2."""

    async def _handle_events(self, events: list[h2.events.Event]) -> None:
        for event in events:
            if isinstance(event, h2.events.DataReceived) and event.stream_id not in self.streams:
                # The stream was answered before its body was complete: the rest of the body is discarded.
                self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            else:
                await super()._handle_events([event])
        await self._flush()

    async def _create_stream(self, request: h2.events.RequestReceived) -> None:
        headers = request.headers or []
        method, path = _value(headers, b":method"), _value(headers, b":path")
        if not (method and path and method.isascii() and path.isascii() and path.startswith(b"/")):
            self.connection.reset_stream(request.stream_id, h2.errors.ErrorCodes.PROTOCOL_ERROR)
            return
        kind = WebSocketStream if method == b"CONNECT" else HttpStream
        self.streams[request.stream_id] = kind(
            self.app,
            self.config,
            self.context,
            self.task_group,
            self.ssl,
            self.client,
            self.server,
            self.stream_send,
            request.stream_id,
        )
        self.stream_buffers[request.stream_id] = BoundedBuffer(self.context.event_class)
        try:
            self.priority.insert_stream(request.stream_id)
        except priority.DuplicateStreamError:  # type: ignore[attr-defined]
            pass  # a PRIORITY frame came before the headers
        else:
            self.priority.block(request.stream_id)
        await self.streams[request.stream_id].handle(
            Request(
                stream_id=request.stream_id,
                headers=filter_pseudo_headers(headers),
                http_version="2",
                method=method.decode("ascii").upper(),
                raw_path=path,
                state=self.connection_state,
            )
        )
        self.keep_alive_requests += 1
        await self.context.mark_request()


def _value(headers: list[tuple[bytes, bytes]], name: bytes) -> bytes:
    return next((value for key, value in headers if key == name), b"")
