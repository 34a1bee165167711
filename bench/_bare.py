"""The floor of pages: a bare Quart route that returns a file's bytes as JSON, on the server and port that are named."""

import sys
from pathlib import Path

from _serving import serve
from quart import Quart, Response

app = Quart(__name__)
page = Path(sys.argv[3]).read_bytes()


@app.get("/api/v1/library/items")
async def items() -> Response:
    return Response(page, content_type="application/json")


serve(app, sys.argv[1], int(sys.argv[2]))
