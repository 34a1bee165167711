"""The service for any ASGI server: ``granian --interface asgi gameshelf.gateway.asgi:app``.

All other parts start and stop with the server's lifespan, so one process has one worker. The server's own options
replace ``LIBRARY_SERVICE_HTTP_PORT``, ``LIBRARY_SERVICE_EVENT_LOOP`` and the WebSocket's pings.
"""

import asyncio
import logging
import os
import signal
from typing import Any

from gameshelf.gateway.configuration import load_settings
from gameshelf.gateway.main import run_gateway, spare_the_collector
from gameshelf.gateway.runtime.event_loop import adapt_streams
from gameshelf.gateway.runtime.gateway import Gateway
from gameshelf.gateway.runtime.http.drain import Asgi
from gameshelf.gateway.runtime.observability.logs import configure_logging
from gameshelf.gateway.runtime.settings import ServiceRole
from gameshelf.gateway.wiring import build

_log = logging.getLogger(__name__)


class Application:
    """Builds the gateway when the server starts; until then it serves nothing."""

    def __init__(self) -> None:
        self._serve: Asgi | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._serve is None:
            raise RuntimeError("the server has to support ASGI's lifespan")
        else:
            await self._serve(scope, receive, send)

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        adapt_streams()
        try:
            settings = load_settings(os.environ)
            configure_logging(settings.log_level)
            gateway = await build(settings)
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        spare_the_collector()
        self._serve = gateway.app()
        running = asyncio.create_task(_run(gateway), name="gateway")
        if ServiceRole.API in settings.roles:
            listening = asyncio.create_task(gateway.grpc_listens.wait())
            await asyncio.wait((listening, running), return_when=asyncio.FIRST_COMPLETED)
            listening.cancel()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        gateway.draining.set()
        gateway.stopping.set()
        if gateway.updates:
            await gateway.updates.drain()
        await running
        await send({"type": "lifespan.shutdown.complete"})


async def _run(gateway: Gateway) -> None:
    try:
        await run_gateway(gateway, http=False)
    except Exception:
        # A part has failed, or its port is taken: the server ends instead of running with a part of the service.
        _log.critical("the process ends because of an error", exc_info=True)
        signal.raise_signal(signal.SIGTERM)
    finally:
        await gateway.close()


app = Application()
