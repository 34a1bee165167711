"""The floor of the library benchmark: a bare Quart route on Hypercorn that returns a file's bytes as JSON.

It runs on the service's event loop.
"""

import asyncio
import sys
from pathlib import Path

from gameshelf.gateway.runtime.event_loop import loop_factory
from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Quart, Response

app = Quart(__name__)
page = Path(sys.argv[2]).read_bytes()


@app.get("/api/v1/library/items")
async def items() -> Response:
    return Response(page, content_type="application/json")


config = Config()
config.bind = [f"127.0.0.1:{sys.argv[1]}"]
with asyncio.Runner(loop_factory=loop_factory("auto")) as runner:
    runner.run(serve(app, config))
