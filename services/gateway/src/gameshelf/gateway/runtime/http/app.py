"""The Quart application: every route behind the same steps, every failure in the same envelope."""

from collections.abc import Awaitable, Callable, Iterable
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

from gameshelf.gateway.runtime.client_ids import set_client_id
from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.encoding import decode, encode
from gameshelf.gateway.runtime.errors import (
    BadRequest,
    ErrorTable,
    Language,
    MethodNotAllowed,
    PayloadTooLarge,
    RateLimitExceeded,
)
from gameshelf.gateway.runtime.failures import refused, safe_to_repeat
from gameshelf.gateway.runtime.http.authenticate import Authenticate
from gameshelf.gateway.runtime.http.idempotency import Guard, is_brief, kept_of
from gameshelf.gateway.runtime.http.page_cache import PageCache
from gameshelf.gateway.runtime.http.parse import parse_body, parse_query, require_no_input
from gameshelf.gateway.runtime.http.reply import BASE, JSON, Reply, refusal
from gameshelf.gateway.runtime.http.routing import Queries, Read, Route, Signal, Write
from gameshelf.gateway.runtime.limits import RateLimits
from gameshelf.gateway.runtime.observability.traces import Tracing, current_trace_id
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.runtime.transaction import Transactions
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.errors import DomainError, InvalidInput, NotFound
from quart import Quart, Response, request
from werkzeug.datastructures import LanguageAccept
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_accept_header
from werkzeug.routing import BaseConverter

MAX_BODY_BYTES = 256 * 1024
"""How large a body may be, but for the calls that take larger ones."""
_ATTEMPTS = 3
_MAX_LANGUAGES = 256
"""How many characters of ``Accept-Language`` are read."""
_PERSONAL = {"Cache-Control": "private, no-cache", "Vary": "Authorization, X-User-Id, Accept-Language"}
_OF_STATUS: dict[int | None, type[DomainError]] = {404: NotFound, 405: MethodNotAllowed, 413: PayloadTooLarge}


class RestApi:
    """Serves routes. ``acquire`` gives a connection for a read, ``transactions`` opens one user's change."""

    def __init__(
        self,
        routes: Iterable[Route],
        authenticate: Authenticate,
        limits: RateLimits,
        acquire: Acquire,
        streams: UserStreams,
        transactions: Transactions,
        pages: PageCache,
        tracing: Tracing,
        queries: Queries,
        errors: ErrorTable,
        large_body_bytes: int = MAX_BODY_BYTES,
        clock: Clock = utc_now,
    ) -> None:
        self.routes = tuple(routes)
        self._authenticate = authenticate
        self._limits = limits
        self._acquire = acquire
        self._streams = streams
        self._transactions = transactions
        self._pages = pages
        self._tracing = tracing
        self._queries = queries
        self._errors = errors
        self._large_body_bytes = large_body_bytes
        self._clock = clock

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
        serve = {"read": self._read, "write": self._write, "signal": self._signal}[route.kind]

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
                reply = self._refusal(error, language)
            except HTTPException:
                raise  # what Quart refuses itself, such as a body that is too large
            except Exception as error:
                reply = self._refusal(refused(error), language)
            return respond(reply, {**_PERSONAL, **limited})

        return view

    def _refusal(self, error: DomainError, language: Language) -> Reply:
        return refusal(error, language, current_trace_id(), self._errors)

    async def _read(self, route: Route, user_id: UUID, language: Language, ids: dict[str, UUID]) -> Reply:
        arguments: dict[str, Any] = {**ids, **_query(route)}
        async with self._acquire() as connection:
            state = await self._streams.state(connection, user_id)
            if_none_match = request.headers.get("If-None-Match")
            read = Read(
                connection,
                user_id,
                state,
                language,
                if_none_match,
                self._pages,
                self._clock(),
                self._queries,
            )
            found = await route.handler(read, **arguments)
        reply: Reply = await route.finish(found) if route.finish else found
        return reply

    async def _signal(self, route: Route, user_id: UUID, language: Language, ids: dict[str, UUID]) -> Reply:
        _parse_input(route, ids, await self._body(route))
        with self._tracing.child("redis", **{"db.system.name": "redis"}):
            reply: Reply = await route.handler(Signal(user_id), **ids)
        return reply

    async def _body(self, route: Route) -> bytes:
        """Raises PayloadTooLarge."""
        most = self._max_body_bytes(route)
        if (request.content_length or 0) > most:
            raise PayloadTooLarge  # before it is collected
        body = cast(bytes, await request.get_data(cache=False))
        if len(body) > most:
            raise PayloadTooLarge
        return body

    async def _write(self, route: Route, user_id: UUID, language: Language, ids: dict[str, UUID]) -> Reply:
        body = await self._body(route)
        set_client_id(request.headers.get("X-Client-Id"))
        key = request.headers.get("Idempotency-Key") if route.takes_key else None
        guard = Guard.of(user_id, f"{route.method} {request.path}", key, body) if key is not None else None
        arguments: dict[str, Any] = dict(ids)
        # Kept as a reply: an exception in a frame that its own traceback holds stays until the collector comes.
        refused_before: Reply | None = None
        try:
            arguments |= _parse_input(route, ids, body)
        except InvalidInput as error:
            refused_before = self._refusal(error, language)
            if guard is None or not guard.keeps(refused_before):
                return refused_before
        if route.prepare and refused_before is None:
            # What was prepared for the first answer may be over by now, and the answer still stands.
            if guard and (kept := await self._kept(guard)):
                return kept
            try:
                arguments["prepared"] = await route.prepare(user_id, **arguments)
            except DomainError as error:
                refused_before = self._refusal(error, language)
                if guard is None or not guard.keeps(refused_before):
                    raise
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await self._change(route, user_id, language, arguments, guard, refused_before)
            except Exception as error:
                if attempt == _ATTEMPTS or not safe_to_repeat(error):
                    raise
        raise AssertionError("unreachable")

    async def _kept(self, guard: Guard) -> Reply | None:
        """The first answer to a key, before work is done that would be done in vain."""
        async with self._acquire() as connection:
            await self._streams.state(connection, guard.user_id)
            return await guard.replay(connection)

    async def _change(
        self,
        route: Route,
        user_id: UUID,
        language: Language,
        arguments: dict[str, Any],
        guard: Guard | None,
        refused_before: Reply | None,
    ) -> Reply:
        async with self._transactions.begin(user_id) as transaction:
            headers = request.headers
            conditions = headers.get("If-Match"), headers.get("If-None-Match")
            write = Write(transaction, language, self._queries, self._errors, *conditions)
            if guard is None:
                done: Reply = await route.handler(write, **arguments)
                return done
            kept = await guard.replay(transaction.connection)
            if kept is not None:
                transaction.discard()
                return await _renewed(route, write, kept, arguments)
            try:
                if refused_before:
                    reply = refused_before
                    transaction.discard()
                else:
                    async with transaction.savepoint():
                        reply = await route.handler(write, **arguments)
            except DomainError as error:
                reply = self._refusal(error, language)
                if not guard.keeps(reply):
                    raise
                transaction.discard()
            if guard.keeps(reply):
                body = kept_of(reply, route.brief, is_secret=route.is_secret)
                await guard.keep(transaction.connection, reply.status, body)
            return reply


async def _renewed(route: Route, write: Write, kept: Reply, arguments: dict[str, Any]) -> Reply:
    if route.renew is None or kept.status >= 300 or not (route.is_secret or is_brief(kept.body)):
        return kept
    return Reply(kept.status, encode(await route.renew(write, decode(kept.body), **arguments)), kept.headers)


def _query(route: Route) -> dict[str, Any]:
    return {"query": parse_query(route.query, request.query_string)} if route.query else {}


class _TextConverter(BaseConverter):
    """A text in a path, which may have slashes: in the segment that was sent they were encoded."""

    part_isolating = False
    regex = ".+?"


def _parse_input(route: Route, ids: dict[str, UUID], body: bytes) -> dict[str, Any]:
    """The query and the body of a call that changes something.

    Raises UnsupportedMediaType, MalformedJson, InvalidInput.
    """
    path_id = str(next(iter(ids.values()))) if len(ids) == 1 else None
    found = _query(route)
    if route.body:
        found["body"] = parse_body(route.body, request.content_type, body, path_id)
    else:
        require_no_input(request.content_type, body, path_id)
    return found


def create_app(api: RestApi) -> Quart:
    """The application with its routes and error handlers; the caller adds what is not about a user."""
    app = Quart("gameshelf.gateway", static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # it would answer with a redirect, in HTML
    app.url_map.converters["text"] = _TextConverter
    api.install(app)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _any_error)
    return app


def respond(reply: Reply, headers: dict[str, str] | None = None) -> Response:
    """A reply as Quart's response."""
    given = {**(headers or {}), **reply.headers}
    if reply.body:
        return Response(reply.body, status=reply.status, headers=given, content_type=JSON)
    response = Response(status=reply.status, headers=given)
    response.headers.pop("Content-Type", None)
    return response


def preferred_language() -> Language:
    """Russian unless the client prefers English."""
    return language_of(request.headers.get("Accept-Language", ""))


def language_of(header: str) -> Language:
    """What a header ``Accept-Language`` prefers; of a long one its beginning counts."""
    return _language_of(header[:_MAX_LANGUAGES])


@lru_cache(maxsize=256)
def _language_of(header: str) -> Language:
    best = parse_accept_header(header, LanguageAccept).best_match(("ru", "en"), default="ru")
    return "en" if best == "en" else "ru"


async def _http_error(error: HTTPException) -> Response:
    """What Quart refuses itself: an unknown path, a wrong method, a body that is too large."""
    raised = _OF_STATUS[error.code]() if error.code in _OF_STATUS else _other(error)
    reply = refusal(raised, preferred_language(), current_trace_id())
    allow = dict(error.get_headers()).get("Allow")
    return respond(reply, {"Allow": allow} if allow else None)


def _other(error: HTTPException) -> DomainError:
    """A body that never came as a whole (408) and the like are the client's; only what is beyond 4xx is ours."""
    if error.code is None or error.code >= 500:
        return refused(error)
    return BadRequest("body_not_received" if error.code == 408 else "malformed_http")


async def _any_error(error: Exception) -> Response:
    return respond(refusal(refused(error), preferred_language(), current_trace_id()))
