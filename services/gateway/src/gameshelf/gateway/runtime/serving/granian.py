"""Serves the application with Granian, from this process's event loop (``LIBRARY_SERVICE_SERVER=granian``)."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from socket import AF_INET, AF_INET6, create_server

from gameshelf.gateway.runtime.http.drain import Asgi
from gameshelf.gateway.runtime.settings import SettingsError

_HEADER_MILLISECONDS = 20_000
_BACKLOG = 1024
_MAX_CONNECTIONS = 10_000
"""Granian's default is the length of the backlog, so a few slow clients could block all others."""
_MAX_HEAD_BYTES = 32 * 1024


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
        from granian.http import HTTP1Settings
        from granian.server.embed import Server
    except ImportError:
        raise SettingsError(
            "LIBRARY_SERVICE_SERVER: granian is not installed (the extra granian of gameshelf-gateway)"
        ) from None
    address = host.strip("[]")
    # Checked first: for a taken port Granian reports no reason.
    create_server((address, port), family=AF_INET6 if ":" in address else AF_INET).close()
    server = Server(
        app,
        address=address,
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.auto if allow_h2c else HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=_HEADER_MILLISECONDS, max_buffer_size=_MAX_HEAD_BYTES),
        backlog=_BACKLOG,
        backpressure=_MAX_CONNECTIONS,
        log_enabled=False,
    )
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


async def _wait(stopped: Callable[[], Awaitable[None]]) -> None:
    await stopped()
