"""Wraps every request outside of Quart: ids, metrics, traces, logs, CORS and the rate limit per address."""

import asyncio
import logging
import re
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from uuid import uuid4

from gameshelf.gateway.runtime.errors import BadRequest, RateLimitExceeded
from gameshelf.gateway.runtime.http.app import language_of
from gameshelf.gateway.runtime.http.compress import accepts_gzip, compressing
from gameshelf.gateway.runtime.http.drain import Asgi, serve_patiently
from gameshelf.gateway.runtime.http.reply import JSON, render_refusal
from gameshelf.gateway.runtime.limits import RateLimits
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.observability.traces import Tracing
from gameshelf.gateway.runtime.origins import AllowedOrigins
from gameshelf.gateway.runtime.ws.connection import PATH, LibraryUpdates
from gameshelf.gateway.runtime.ws.socket import Disconnected, Socket
from gameshelf.kernel.errors import ResourceNotFound

_log = logging.getLogger("gameshelf.access")

CLIENT_CLOSED = 499
"""The status that is counted for a request whose client disconnected before the answer. It is never sent."""
_HOST = re.compile(rb"(?:(?:[\w~-]{1,63}\.)*(?:[\w~-]{1,63}\.?)?|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{0,5})?", re.ASCII)
"""A valid ``Host`` (RFC 9110, 7.2) with a name of DNS: Quart would fail with any other name."""
_LONGEST_HOST = 261
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._\-]{1,128}")
_ALLOWED_HEADERS = (
    b"Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Accept-Language, Cache-Control, "
    b"X-Request-ID, X-Client-Id, X-Client-Version, traceparent, tracestate, baggage"
)
_PREFLIGHT_SECONDS = b"7200"
"""How long a browser caches the answer to a preflight: Chromium's maximum."""
_EXPOSED_HEADERS = (
    b"ETag, X-Request-ID, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, "
    b"Retry-After, Idempotency-Replayed, X-Seat-Lost-At, Date, Allow"
)
_NO_SNIFF = (b"x-content-type-options", b"nosniff")
_BY_ENCODING = (b"vary", b"Accept-Encoding")
_BY_ORIGIN = (b"vary", b"Origin")
_MOST_HEADERS = 100
"""Maximum number of headers: each one costs time in every layer, and 16 KB may contain four thousand."""
_HEALTH = frozenset({"/health/live", "/health/ready"})
_ALLOWED_METHODS = b"GET, POST, PATCH, PUT, DELETE"


class Observed:
    """An ASGI application with observability and limits around it."""

    def __init__(
        self,
        app: Asgi,
        updates: LibraryUpdates,
        tracing: Tracing,
        metrics: Metrics,
        limits: RateLimits,
        allowed_origins: AllowedOrigins,
        draining: asyncio.Event,
    ) -> None:
        self._app = app
        self._updates = updates
        self._draining = draining
        self._tracing = tracing
        self._metrics = metrics
        self._limits = limits
        self._origins = allowed_origins

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await self._serve_websocket(Socket(scope, receive, send))
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        method: str = scope["method"]
        given = _wanted(scope["headers"])
        request_id = given.get(b"x-request-id", b"")
        if not _REQUEST_ID.fullmatch(request_id):
            request_id = uuid4().hex.encode()
        if method != "HEAD" and accepts_gzip(given.get(b"accept-encoding", b"")):
            send = compressing(send)
        extra = [(b"x-request-id", request_id), _NO_SNIFF, _BY_ENCODING, *self._cors(given)]
        if self._draining.is_set() and scope["http_version"] in ("1.0", "1.1"):
            extra.append((b"connection", b"close"))  # the next request goes to another instance
        limited: dict[str, str] = {}
        status = CLIENT_CLOSED

        async def observed_send(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *extra, *_unless_given(limited, message["headers"])]
            await send(message)

        traceparent = given.get(b"traceparent")
        with self._tracing.request(method, traceparent.decode("latin-1") if traceparent else None) as traced:
            try:
                if (broken := _broken_rule(scope)) is not None:
                    await _answer(observed_send, _bad_request(broken, given, traced.trace.trace_id))
                elif method == "OPTIONS" and b"access-control-request-method" in given:
                    await _preflight(observed_send)
                elif (
                    not _is_health(scope)
                    and (refused := await self._over_limit(scope, given, limited, traced.trace.trace_id)) is not None
                ):
                    await _answer(observed_send, refused)
                else:
                    rule = await serve_patiently(self._app, scope, receive, observed_send)
                    if status == CLIENT_CLOSED:
                        # Quart does not answer a client that stops sending its body, but it may still read an answer.
                        refused = _bad_request(rule or "body_not_received", given, traced.trace.trace_id)
                        with suppress(OSError, RuntimeError):
                            await _answer(send, refused)
            except Exception:
                status = 500
                raise
            finally:
                route = scope.get("route", "unmatched")
                seconds = time.perf_counter() - started
                self._metrics.requests.http_served(method, route, status, seconds)
                if status >= 500:
                    traced.fail(f"HTTP {status}")
                if traced.trace.span is not None or status >= 500:
                    traced.name = f"{method} {route}"
                    traced.attributes = {
                        "http.request.method": method,
                        "http.route": route,
                        "http.response.status_code": status,
                    }
                _log_request(scope, method, route, status, seconds)

    async def _serve_websocket(self, socket: Socket) -> None:
        """Serves a handshake, which counts for its address like any request. Other paths have no WebSocket."""
        language = language_of(socket.headers.get("Accept-Language", ""))
        trace_id = uuid4().hex
        try:
            if not _is_websocket_path(socket.scope):
                raise ResourceNotFound
            await self._limits.of_address(socket.address)
        except RateLimitExceeded as error:
            reply = render_refusal(error, language, trace_id)
            reply.headers.update(error.headers)
        except ResourceNotFound as error:
            reply = render_refusal(error, language, trace_id)
        else:
            await self._updates.serve(socket)
            return
        with suppress(Disconnected):
            await socket.refuse(reply)

    async def _over_limit(self, scope: Any, given: dict[bytes, bytes], limited: dict[str, str], trace_id: str) -> Any:
        client = scope.get("client")
        try:
            limited.update(await self._limits.of_address(client[0] if client else ""))
        except RateLimitExceeded as error:
            limited.update(error.headers)
            return render_refusal(error, language_of(given.get(b"accept-language", b"").decode("latin-1")), trace_id)
        return None

    def _cors(self, given: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
        # Also without an origin, or with a refused one: a cache must not give that answer to an allowed page.
        vary = [_BY_ORIGIN] if self._origins else []
        sent = given.get(b"origin")
        if sent is None:
            return vary
        origin = sent.decode("latin-1")
        if origin not in self._origins:
            # Browsers send an origin also for pages of the service itself, which need no permission.
            if origin.partition("://")[2] != given.get(b"host", b"").decode("latin-1"):
                self._origins.refuse(origin, "http")
            return vary
        return [
            (b"access-control-allow-origin", sent),
            (b"access-control-expose-headers", _EXPOSED_HEADERS),
            *vary,
        ]


def _is_health(scope: Any) -> bool:
    """Returns whether the request is a health check, which is neither limited nor counted for its address."""
    return scope["path"].rstrip("/") in _HEALTH


_WANTED = frozenset(
    {
        b"accept-encoding",
        b"accept-language",
        b"x-request-id",
        b"host",
        b"origin",
        b"traceparent",
        b"access-control-request-method",
    }
)


def _wanted(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    return {name: value for name, value in headers if name in _WANTED}


def _is_websocket_path(scope: Any) -> bool:
    path: str = scope["path"]
    return path.rstrip("/") == PATH


def _broken_rule(scope: Any) -> str | None:
    """Returns the rule of HTTP that a request breaks; None if it breaks none."""
    if len(scope["headers"]) > _MOST_HEADERS:
        return "too_many_headers"
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(hosts) > 1 or (not hosts and scope["http_version"] == "1.1"):
        return "malformed_http"  # RFC 9112, 3.2
    if hosts and (len(hosts[0]) > _LONGEST_HOST or not _HOST.fullmatch(hosts[0])):
        return "malformed_http"
    if not scope["path"].startswith("/"):
        return "malformed_http"
    if scope["method"] == "GET" and _is_websocket_path(scope):
        return "websocket_expected"
    return None


def _bad_request(rule: str, given: dict[bytes, bytes], trace_id: str) -> Any:
    language = language_of(given.get(b"accept-language", b"").decode("latin-1"))
    return render_refusal(BadRequest(rule), language, trace_id)


def _unless_given(limited: dict[str, str], given: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Returns the headers of the limit per address, unless the response has those of the player's limit."""
    if not limited or any(name.lower() == b"x-ratelimit-limit" for name, _ in given):
        return []
    return [(name.lower().encode(), value.encode()) for name, value in limited.items()]


async def _preflight(send: Any) -> None:
    headers = [
        (b"access-control-allow-methods", _ALLOWED_METHODS),
        (b"access-control-allow-headers", _ALLOWED_HEADERS),
        (b"access-control-max-age", _PREFLIGHT_SECONDS),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _answer(send: Any, reply: Any) -> None:
    headers = [(b"content-type", JSON.encode())]
    headers += [(name.lower().encode(), value.encode()) for name, value in reply.headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


def _log_request(scope: Any, method: str, route: str, status: int, seconds: float) -> None:
    """Logs each request that failed with 5xx; others only at level DEBUG, since metrics count them."""
    is_failure = status >= 500 and not _is_health(scope)  # a 503 of readiness reports a state
    level = logging.ERROR if is_failure else logging.DEBUG
    if not _log.isEnabledFor(level):
        return
    fields = {
        "http.method": method,
        "http.route": route,
        "http.status": status,
        "http.duration_ms": round(seconds * 1000, 2),
        "user.id": str(scope.get("user_id", "")),
    }
    _log.log(level, "%s %s %d", method, route, status, extra={"fields": fields})
