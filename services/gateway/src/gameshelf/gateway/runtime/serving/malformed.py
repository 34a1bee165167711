"""The answer to what is not HTTP, and the checks of a request's headers that Granian leaves out."""

from typing import Any
from uuid import uuid4

from gameshelf.gateway.runtime.errors import BadRequest
from gameshelf.gateway.runtime.http.app import language_of
from gameshelf.gateway.runtime.http.drain import Asgi
from gameshelf.gateway.runtime.http.reply import JSON, render_refusal

_CODINGS = frozenset({b"chunked", b"identity"})


def refusal_of_malformed() -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Returns headers and body of the answer in the usual envelope; the request does not reach the application."""
    trace_id = uuid4().hex
    body = render_refusal(BadRequest("malformed_http"), language_of(""), trace_id).body
    headers = [
        (b"content-type", JSON.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
        (b"x-request-id", trace_id.encode()),
    ]
    return headers, body


def is_ambiguous(http_version: str, headers: list[tuple[bytes, bytes]]) -> bool:
    """Returns whether another server could understand a request of HTTP/1 in another way.

    It has no Host (RFC 9112, 3.2) or several ones, or a body in a transfer coding that is not undone.
    """
    if not http_version.startswith("1"):
        return False
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) > 1 or (http_version == "1.1" and not any(hosts)):
        return True
    return any(name == b"transfer-encoding" and value.strip().lower() not in _CODINGS for name, value in headers)


def refuse_ambiguous(app: Asgi) -> Asgi:
    """Wraps the application for a server that accepts ambiguous requests."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan" or not is_ambiguous(scope["http_version"], scope["headers"]):
            await app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})  # before it is accepted: 403
        else:
            headers, body = refusal_of_malformed()
            await send({"type": "http.response.start", "status": 400, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    return serve
