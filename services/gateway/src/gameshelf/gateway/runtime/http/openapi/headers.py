"""Headers of requests and of responses, as parameters and components of the document."""

from typing import Any

from gameshelf.gateway.runtime.client_ids import CLIENT_ID_PATTERN
from gameshelf.gateway.runtime.http.routing import Route
from gameshelf.gateway.runtime.http.schemas import COUNT, TEXT, TIME, Schema


def _parameter(name: str, description: str, example: str, **bounds: Any) -> Schema:
    schema = {"type": "string", **bounds}
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": schema,
        "example": example,
    }


_ACCEPT_LANGUAGE = _parameter(
    "Accept-Language",
    "Language of titles and of errors: Russian, or English if the header prefers it.",
    "en",
)
_IF_NONE_MATCH = _parameter(
    "If-None-Match",
    "`ETag` of an earlier response: if nothing has changed since, the response is 304 without a body. "
    "Lists, weak tags and `*` are accepted.",
    '"mBDm1-18-5"',
)
_IF_MATCH = _parameter(
    "If-Match",
    "`ETag` of the state that the change is based on: if the state is another one by now, the response is 412 and "
    "nothing changes. Lists and `*` are accepted.",
    '"a5.p3.d7"',
)
_IF_ABSENT = _parameter(
    "If-None-Match",
    "`*`: change nothing if the layer exists already; the response is then 412.",
    "*",
)
_IDEMPOTENCY_KEY = _parameter(
    "Idempotency-Key",
    "A key that the client chooses for this request. The same request with the same key is answered with the first "
    "response for 24 hours, and changes nothing again; another body with the same key is answered with 409.",
    "3f0c2d9e-5a1b-4b7e-9d57-0c8a6f1e2b34",
    minLength=1,
    maxLength=255,
    pattern="^[!-~]{1,255}$",
)
_CLIENT_ID = _parameter(
    "X-Client-Id",
    "Id of this client. Messages about the change carry it as `origin`, so that a client can recognise its own.",
    "deck-7",
    minLength=1,
    maxLength=64,
    pattern=f"^{CLIENT_ID_PATTERN}$",
)
_REQUEST_ID = _parameter(
    "X-Request-ID",
    "Id of this request: up to 128 letters, digits, `.`, `_` and `-`. Another value is replaced by a new id.",
    "b5c1d8e2-7f7a-4b09-8f0e-1c2d3e4f5a6b",
)


def request_headers(route: Route) -> list[Schema]:
    """Returns the headers that a call reads, besides `Authorization`."""
    headers = [_ACCEPT_LANGUAGE, _REQUEST_ID]
    if route.has_etag:
        headers.append(_IF_NONE_MATCH if route.method == "GET" else _IF_MATCH)
    if route.takes_if_absent:
        headers.append(_IF_ABSENT)
    if route.takes_key:
        headers.append(_IDEMPOTENCY_KEY)
    if route.is_change:
        headers.append(_CLIENT_ID)
    return headers


def _header(description: str, schema: Schema, example: Any) -> Schema:
    return {"description": description, "schema": schema, "example": example}


RESPONSE_HEADERS: dict[str, Schema] = {
    "X-Request-ID": _header("Id of the request: that of the client, or a new one.", TEXT, "b5c1d8e2-7f7a-4b09"),
    "X-RateLimit-Limit": _header("Number of requests that are allowed per minute.", COUNT, 600),
    "X-RateLimit-Remaining": _header("Number of requests that are left in this minute.", COUNT, 597),
    "X-RateLimit-Reset": _header("Seconds until the next minute begins.", COUNT, 42),
    "Cache-Control": _header(
        "Only the client itself may store the response, and has to revalidate it.", TEXT, "private, no-cache"
    ),
    "Vary": _header("Request headers that the response depends on.", TEXT, "Authorization, X-User-Id, Accept-Language"),
    "ETag": _header("Version of the content, for `If-None-Match` and `If-Match`.", TEXT, '"a5.p3.d7"'),
    "Idempotency-Replayed": _header(
        "`true`: this is the first response to the `Idempotency-Key` again; nothing was changed now.", TEXT, "true"
    ),
    "Retry-After": _header("Number of seconds to wait before the next attempt.", COUNT, 5),
    "WWW-Authenticate": _header("How to authenticate.", TEXT, "Bearer"),
    "X-Seat-Lost-At": _header(
        "When the session has to end because the owner wants to play their copy; absent if it may continue.",
        TIME,
        "2026-05-20T19:35:00Z",
    ),
}
"""Every header of a response that a client may rely on."""

_ALWAYS = ("X-Request-ID", "Cache-Control", "Vary", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


def response_headers(*names: str) -> dict[str, Any]:
    """Returns references to these headers, and to those that every response has."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*_ALWAYS, *names)}
