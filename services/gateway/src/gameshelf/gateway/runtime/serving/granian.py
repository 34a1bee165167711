"""Serves the application with Granian, from this process's event loop (``LIBRARY_SERVICE_SERVER=granian``)."""

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from gameshelf.gateway.runtime.http.drain import Asgi
from gameshelf.gateway.runtime.serving.malformed import refuse_ambiguous
from gameshelf.gateway.runtime.settings import SettingsError

KEEP_ALIVE_SECONDS = 75.0
"""How long a request's headers may take. Granian counts the time since the last answer, too, so this is also how long
it keeps an idle connection: longer than load balancers do, which otherwise send a request into a closing connection.
"""
STALLED_SECONDS = 30.0
"""How long a client may stop reading, or not be there any more while bytes are on their way to it."""
_PROBE_SECONDS = 10
_PROBE_AFTER_SECONDS = 30
_BACKLOG = 1024
_MAX_CONNECTIONS = 10_000
"""Granian's default is the length of the backlog, so a few slow clients could block all others."""
_MAX_HEAD_BYTES = 32 * 1024
_MAX_STREAMS = 100
_LAST_THREAD_SECONDS = 0.1
"""A thread of Granian needs the interpreter for an instant more. If that was gone, the process would be aborted."""


async def serve(
    app: Asgi,
    host: str,
    port: int,
    *,
    allow_h2c: bool,
    grace_seconds: float,
    stopped: Callable[[], Awaitable[None]],
) -> None:
    """Serves until ``stopped`` returns, then refuses new connections and gives busy ones ``grace_seconds``.

    Raises OSError for a port that can't be bound, SettingsError if Granian is not installed.
    """
    try:
        from granian.constants import HTTPModes, Interfaces
        from granian.http import HTTP1Settings, HTTP2Settings
        from granian.server.embed import Server
    except ImportError:
        raise SettingsError(
            "LIBRARY_SERVICE_SERVER: granian is not installed (the extra granian of gameshelf-gateway)"
        ) from None
    address = host.strip("[]")
    listening = _listen(address, port)
    server = Server(
        refuse_ambiguous(app),
        address=address,
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.auto if allow_h2c else HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=int(KEEP_ALIVE_SECONDS * 1000), max_buffer_size=_MAX_HEAD_BYTES
        ),
        http2_settings=HTTP2Settings(max_concurrent_streams=_MAX_STREAMS, max_headers_size=_MAX_HEAD_BYTES),
        backlog=_BACKLOG,
        backpressure=_MAX_CONNECTIONS,
        log_enabled=False,
    )
    _hand_over(listening, server)
    serving = asyncio.create_task(server.serve(), name="granian")
    waiting = asyncio.create_task(_wait(stopped), name="stopped")
    try:
        await asyncio.wait((serving, waiting), return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        server.stop()  # type: ignore[no-untyped-call]
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds):
                await serving
        await asyncio.sleep(_LAST_THREAD_SECONDS)


def _listen(address: str, port: int) -> socket.socket:
    """Opens the socket whose options all connections inherit. Raises OSError.

    Granian itself neither notices a client that reads nothing, nor one that has disappeared from the network, and
    sends no pings to a WebSocket; so the kernel has to.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listening = socket.create_server((address, port), family=family, backlog=_BACKLOG)
    listening.setblocking(False)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if sys.platform == "linux":
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _PROBE_AFTER_SECONDS)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _PROBE_SECONDS)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(STALLED_SECONDS * 1000))
    return listening


def _hand_over(listening: socket.socket, server: Any) -> None:
    """Makes Granian accept the connections of a socket, and close it. There is no public way for an embedded server,
    so the extra of this package accepts no other minor version of Granian.
    """
    from granian import net

    holder: Any = net
    with_backlog = (_BACKLOG,) if sys.platform == "linux" else ()
    server._shd = holder.SocketHolder(listening.detach(), False, *with_backlog)
    server._init_shared_socket = lambda: None


async def _wait(stopped: Callable[[], Awaitable[None]]) -> None:
    await stopped()
