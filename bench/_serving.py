"""Serves a bare Quart application as the service is served, on its event loop: on Hypercorn or on Granian."""

import asyncio

from gameshelf.gateway.runtime.event_loop import loop_factory
from granian.constants import Interfaces
from granian.server.embed import Server
from hypercorn.asyncio import serve as serve_with_hypercorn
from hypercorn.config import Config
from quart import Quart

SERVERS = ("hypercorn", "granian")


def serve(app: Quart, server: str, port: int) -> None:
    """Serves until the process ends."""
    with asyncio.Runner(loop_factory=loop_factory("auto")) as runner:
        runner.run(_serving(app, server, port))


async def _serving(app: Quart, server: str, port: int) -> None:
    if server == "granian":
        await app.startup()  # Hypercorn does it; this interface of Granian doesn't
        await Server(app, address="127.0.0.1", port=port, interface=Interfaces.ASGINL, log_enabled=False).serve()
        return
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    await serve_with_hypercorn(app, config)
