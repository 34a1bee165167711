"""The Quart application: all routes share the same steps, and all failures the same envelope."""

from asyncio import Semaphore, to_thread
from collections.abc import Awaitable, Callable, Iterable
from functools import lru_cache
from typing import Any, TypeVar, cast
from uuid import UUID

from gameshelf.gateway.runtime.client_ids import set_client_id
from gameshelf.gateway.runtime.errors import (
    BadRequest,
    Language,
    MethodNotAllowed,
    PayloadTooLarge,
    RateLimitExceeded,
)
from gameshelf.gateway.runtime.failures import as_domain_error
from gameshelf.gateway.runtime.http.action import CallContext, RestAction
from gameshelf.gateway.runtime.http.authenticate import Authenticate
from gameshelf.gateway.runtime.http.idempotency import IdempotencyKey
from gameshelf.gateway.runtime.http.json_values import values_hash
from gameshelf.gateway.runtime.http.parse import parse_body, parse_large_body, parse_query, require_no_input
from gameshelf.gateway.runtime.http.reply import BASE, JSON, Reply, render_refusal
from gameshelf.gateway.runtime.http.routing import Route, Signal
from gameshelf.gateway.runtime.large_bodies import values_hash_in_chunks
from gameshelf.gateway.runtime.limits import RateLimits
from gameshelf.gateway.runtime.observability.traces import Tracing, current_trace_id
from gameshelf.kernel.errors import DomainError, InvalidInput, ResourceNotFound
from quart import Quart, Response, request
from quart.routing import QuartRule
from werkzeug.datastructures import LanguageAccept
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_accept_header
from werkzeug.routing import BaseConverter

MAX_BODY_BYTES = 256 * 1024
"""Size limit of a body, except for calls with a limit of their own."""
_MAX_PARSED_IN_LOOP = 32 * 1024
"""A larger body with long lists is parsed beside the event loop."""
_PARSED_AT_ONCE = 2
_MAX_LANGUAGES = 256
"""How many characters of ``Accept-Language`` are read."""
T = TypeVar("T")
_PERSONAL = {"Cache-Control": "private, no-cache", "Vary": "Authorization, X-User-Id, Accept-Language"}
_OF_STATUS: dict[int | None, type[DomainError]] = {404: ResourceNotFound, 405: MethodNotAllowed, 413: PayloadTooLarge}


class RestApi:
    """Serves routes."""

    def __init__(
        self,
        routes: Iterable[Route],
        authenticate: Authenticate,
        limits: RateLimits,
        tracing: Tracing,
        context: CallContext,
        large_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self.routes = tuple(routes)
        self._authenticate = authenticate
        self._limits = limits
        self._tracing = tracing
        self._context = context
        self._large_body_bytes = large_body_bytes
        self._parsing = Semaphore(_PARSED_AT_ONCE)

    def install(self, app: Quart) -> None:
        """Adds the routes to an application."""
        app.config["MAX_CONTENT_LENGTH"] = max(map(self._max_body_bytes, self.routes))
        for route in self.routes:
            app.add_url_rule(
                BASE + route.path,
                endpoint=f"{route.tag}.{route.handler.__name__}",
                view_func=self._view(route),
                methods=[route.method],
            )

    def _max_body_bytes(self, route: Route) -> int:
        if route.max_body_bytes is not None:
            return route.max_body_bytes
        return max(MAX_BODY_BYTES, self._large_body_bytes) if route.takes_large else MAX_BODY_BYTES

    def _view(self, route: Route) -> Callable[..., Awaitable[Response]]:
        template = route.template
        serve = {
            "read": self._read,
            "write": self._write,
            "action": self._read_action if route.method == "GET" else self._write,
            "signal": self._signal,
        }[route.kind]

        async def view(**ids: UUID) -> Response:
            request.scope["route"] = template  # type: ignore[typeddict-unknown-key]
            language = preferred_language()
            limited: dict[str, str] = {}
            try:
                identity = await self._authenticate(request)
                request.scope["user_id"] = identity.user_id  # type: ignore[typeddict-unknown-key]
                limited = await self._limits.of_user(identity.user_id)
                reply = await serve(route, identity.user_id, language, ids)
            except RateLimitExceeded as error:
                limited = error.headers
                reply = self._context.refusal(error, language)
            except HTTPException:
                raise  # refusals of Quart itself, such as a body that is too large
            except Exception as error:
                reply = self._context.refusal(as_domain_error(error), language)
            return respond(reply, {**_PERSONAL, **limited})

        return view

    async def _read(self, route: Route, user_id: UUID, language: Language, ids: dict[str, UUID]) -> Reply:
        arguments: dict[str, Any] = {**ids, **_query(route)}
        if_none_match = request.headers.get("If-None-Match")
        async with self._context.acquire() as connection:
            read = await self._context.read(connection, user_id, language, if_none_match)
            return await route.handler(read, **arguments)

    async def _read_action(self, route: Route, user_id: UUID, language: Language, ids: dict[str, UUID]) -> Reply:
        if_none_match = request.headers.get("If-None-Match")
        action = RestAction(user_id, language, self._context, if_none_match=if_none_match)
        return await route.handler(action, **ids, **_query(route))

    async def _signal(self, route: Route, user_id: UUID, language: Language, ids: dict[str, UUID]) -> Reply:
        _parse_input(route, ids, await self._body(route))
        with self._tracing.child("redis", **{"db.system.name": "redis"}):
            return await route.handler(Signal(user_id), **ids)

    async def _body(self, route: Route) -> bytes:
        """Receives the body. Raises PayloadTooLarge."""
        most = self._max_body_bytes(route)
        if (request.content_length or 0) > most:
            raise PayloadTooLarge  # before the body is received
        body = cast(bytes, await request.get_data(cache=False))
        if len(body) > most:
            raise PayloadTooLarge
        return body

    async def _write(self, route: Route, user_id: UUID, language: Language, ids: dict[str, UUID]) -> Reply:
        body, headers = await self._body(route), request.headers
        set_client_id(headers.get("X-Client-Id"))
        given = headers.get("Idempotency-Key") if route.takes_key else None
        key = await self._parsed(route, body, lambda: _key(route, user_id, given, body)) if given is not None else None
        conditions = headers.get("If-Match"), headers.get("If-None-Match")
        action = RestAction(user_id, language, self._context, key, *conditions)
        try:
            arguments = {**ids, **await self._parsed(route, body, lambda: _parse_input(route, ids, body))}
        except InvalidInput as error:
            return await action.refuse(error)
        if route.kind == "action":
            return await route.handler(action, **arguments)
        opening = route.opening(user_id, **arguments)
        return await action.answer(lambda write: route.handler(write, **arguments), opening=opening)

    async def _parsed(self, route: Route, body: bytes, parse: Callable[[], T]) -> T:
        """Returns what ``parse`` makes of a body: of a large one beside the event loop, and of few at once, since a
        parsed body takes several times its size in memory.
        """
        if not route.has_long_lists or len(body) <= _MAX_PARSED_IN_LOOP:
            return parse()
        async with self._parsing:
            return await to_thread(parse)


def _key(route: Route, user_id: UUID, given: str, body: bytes) -> IdempotencyKey:
    hash_values = values_hash_in_chunks if route.has_long_lists else values_hash
    return IdempotencyKey.of(user_id, f"{route.method} {request.path}", given, body, hash_values)


def _query(route: Route) -> dict[str, Any]:
    return {"query": parse_query(route.query, request.query_string)} if route.query else {}


class _TextConverter(BaseConverter):
    """A text in a path. It may contain slashes, which are percent-encoded in the path."""

    part_isolating = False
    regex = ".+?"


class _PathRule(QuartRule):
    """A route's path, which is matched only. What would build URLs of it is not compiled: that is a fifth of the CPU of
    a start, and nothing calls it.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        return _build_nothing


def _build_nothing(*_: object, **__: object) -> tuple[str, str]:
    raise NotImplementedError("the service builds no URL of a route")


def _parse_input(route: Route, ids: dict[str, UUID], body: bytes) -> dict[str, Any]:
    """Parses the query and the body of a call that changes something.

    Raises UnsupportedMediaType, MalformedJson, InvalidInput.
    """
    path_id = str(next(iter(ids.values()))) if len(ids) == 1 else None
    found = _query(route)
    if route.body:
        parse = parse_large_body if route.has_long_lists else parse_body
        found["body"] = parse(route.body, request.content_type, body, path_id)
    else:
        require_no_input(request.content_type, body, path_id)
    return found


def create_app(api: RestApi) -> Quart:
    """Creates the application with routes and error handlers; the caller adds routes that concern no user."""
    app = Quart("gameshelf.gateway", static_folder=None)
    app.url_rule_class = _PathRule
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # otherwise Quart answers with a redirect in HTML
    app.url_map.converters["text"] = _TextConverter
    api.install(app)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _any_error)
    return app


def respond(reply: Reply, headers: dict[str, str] | None = None) -> Response:
    """Converts a reply to Quart's response."""
    given = {**(headers or {}), **reply.headers}
    if reply.body:
        return Response(reply.body, status=reply.status, headers=given, content_type=JSON)
    response = Response(status=reply.status, headers=given)
    response.headers.pop("Content-Type", None)
    return response


def preferred_language() -> Language:
    """Returns the language of the response: Russian unless the client prefers English."""
    return language_of(request.headers.get("Accept-Language", ""))


def language_of(header: str) -> Language:
    """Returns the language that ``Accept-Language`` prefers; only the beginning of a long header is read."""
    return _language_of(header[:_MAX_LANGUAGES])


@lru_cache(maxsize=256)
def _language_of(header: str) -> Language:
    best = parse_accept_header(header, LanguageAccept).best_match(("ru", "en"), default="ru")
    return "en" if best == "en" else "ru"


async def _http_error(error: HTTPException) -> Response:
    """Answers refusals of Quart itself: an unknown path, a wrong method, a body that is too large."""
    raised = _OF_STATUS[error.code]() if error.code in _OF_STATUS else _other(error)
    reply = render_refusal(raised, preferred_language(), current_trace_id())
    allow = dict(error.get_headers()).get("Allow")
    return respond(reply, {"Allow": allow} if allow else None)


def _other(error: HTTPException) -> DomainError:
    """Converts Quart's other errors: 4xx, such as an incomplete body (408), are mistakes of the client."""
    if error.code is None or error.code >= 500:
        return as_domain_error(error)
    return BadRequest("body_not_received" if error.code == 408 else "malformed_http")


async def _any_error(error: Exception) -> Response:
    return respond(render_refusal(as_domain_error(error), preferred_language(), current_trace_id()))
