"""Routes about the service itself: health, the OpenAPI document and its page."""

from collections.abc import Awaitable, Callable
from functools import cache
from importlib.resources import files
from typing import Any

from gameshelf.gateway.runtime.encoding import encode
from gameshelf.gateway.runtime.health import Readiness
from gameshelf.gateway.runtime.http.app import respond
from gameshelf.gateway.runtime.http.reply import Reply, ok
from quart import Quart, Response, redirect, request, send_from_directory
from werkzeug.exceptions import NotFound

Ready = Callable[[], Awaitable[Readiness]]

# The page needs only some files of the package.
_ASSETS = str(files("swagger_ui") / "static")
_SERVED = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"})
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Library Service</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="docs/assets/favicon-32x32.png">
<link rel="stylesheet" href="docs/assets/swagger-ui.css"></head>
<body><div id="api"></div><script src="docs/assets/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script></body></html>
"""
_START = 'SwaggerUIBundle({url: "openapi.json", dom_id: "#api", deepLinking: true, validatorUrl: null});\n'
_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def install(app: Quart, document: Callable[[], dict[str, Any]], ready: Ready) -> None:
    """Adds these routes to an application; the OpenAPI document is made at the first request for it."""

    @cache
    def encoded() -> bytes:
        return encode(document())

    @app.get("/health/live")
    async def live() -> Response:
        _named("/health/live")
        return respond(ok({"status": "ok"}))

    @app.get("/health/ready")
    async def readiness() -> Response:
        _named("/health/ready")
        found = await ready()
        degraded = set(found.parts.values()) != {"ok"}
        state = "failed" if not found.is_serving else "degraded" if degraded else "ok"
        document = {"status": state, "dependencies": found.parts, "reasons": found.reasons}
        return respond(ok(document, status=200 if found.is_serving else 503))

    @app.get("/api/v1/openapi.json")
    async def openapi() -> Response:
        _named("/api/v1/openapi.json")
        return respond(Reply(200, encoded()))

    @app.get("/api/v1/docs")
    async def docs() -> Response:
        _named("/api/v1/docs")
        return Response(_PAGE, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": _POLICY})

    @app.get("/api/v1/docs/start.js")
    async def start() -> Response:
        _named("/api/v1/docs/start.js")
        return Response(_START, content_type="text/javascript; charset=utf-8")

    @app.get("/api/v1/docs/assets/<name>")
    async def asset(name: str) -> Response:
        _named("/api/v1/docs/assets/{name}")
        if name not in _SERVED:
            raise NotFound
        return await send_from_directory(_ASSETS, name)

    @app.get("/")
    async def root() -> Any:
        _named("/")
        return redirect("/api/v1/docs")


def _named(route: str) -> None:
    request.scope["route"] = route  # type: ignore[typeddict-unknown-key]
