"""Serves the application with Hypercorn's protocols, from this process's event loop."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from gameshelf.gateway.runtime.http.drain import Asgi
from gameshelf.gateway.runtime.serving.connection import ClientConnection
from gameshelf.gateway.runtime.serving.websocket import PING_SECONDS
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config

_log = logging.getLogger(__name__)

KEEP_ALIVE_SECONDS = 75
_BACKLOG = 512


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

    Raises OSError for a port that can't be bound.
    """
    config = Config()
    config.websocket_ping_interval = PING_SECONDS
    config.keep_alive_timeout = KEEP_ALIVE_SECONDS
    config.include_server_header = False
    config.errorlog = logging.getLogger("hypercorn.error")
    context = WorkerContext(None)
    loop = asyncio.get_running_loop()
    wrapped = ASGIWrapper(app)
    connections: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = ClientConnection(wrapped, loop, config, context, {}, reader, writer)
        connection.allow_h2c = allow_h2c
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        task.add_done_callback(connections.discard)
        await connection.run()

    server = await asyncio.start_server(connected, host.strip("[]"), port, backlog=_BACKLOG)
    try:
        await stopped()
    finally:
        server.close()
        await context.terminated.set()  # idle connections close now, busy ones after their answer
        if connections:
            _, late = await asyncio.wait(connections, timeout=grace_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
