"""Serves the metrics over HTTP, without identifying itself. It closes each connection after one answer."""

import asyncio
from contextlib import suppress

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

MAX_CONNECTIONS = 32
REQUEST_SECONDS = 5.0
"""How long a request may take to arrive, and its answer to be read."""
_MAX_HEAD_BYTES = 8192


class MetricsServer:
    """The HTTP server of one registry, at ``/metrics`` and ``/``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._open: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server

    async def start(self, host: str, port: int) -> None:
        """Starts serving; port 0 chooses a free one. Raises OSError if the port is taken."""
        self._server = await asyncio.start_server(self._connected, host.strip("[]"), port, limit=_MAX_HEAD_BYTES)

    @property
    def port(self) -> int:
        """The port it serves on."""
        return int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Stops serving."""
        self._server.close()
        for task in self._open:
            task.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            if len(self._open) >= MAX_CONNECTIONS:
                return
            self._open.add(task)
            with suppress(TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                async with asyncio.timeout(REQUEST_SECONDS):
                    head = await reader.readuntil(b"\r\n\r\n")
                    writer.write(await asyncio.to_thread(self._answer, head.partition(b"\r\n")[0]))
                    await writer.drain()
        except asyncio.CancelledError:
            pass  # the client has disconnected
        finally:
            self._open.discard(task)
            writer.close()

    def _answer(self, request_line: bytes) -> bytes:
        method, _, rest = request_line.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if method not in (b"GET", b"HEAD"):
            return _response("405 Method Not Allowed", b"")
        if path not in (b"/metrics", b"/"):
            return _response("404 Not Found", b"")
        body = generate_latest(self._registry)
        return _response("200 OK", body, with_body=method == b"GET")


def _response(status: str, body: bytes, *, with_body: bool = True) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {CONTENT_TYPE_LATEST}\r\nContent-Length: {len(body)}\r\n"
        "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + (body if with_body else b"")
