"""Error responses: one schema, the codes that there are, and an example of each code."""

from collections.abc import Mapping, Sequence
from typing import Any

from gameshelf.gateway.runtime.errors import Code
from gameshelf.gateway.runtime.http.components import Component, described, enumeration, record
from gameshelf.gateway.runtime.http.openapi.headers import response_headers
from gameshelf.gateway.runtime.http.reply import JSON
from gameshelf.gateway.runtime.http.routing import Route
from gameshelf.gateway.runtime.http.schemas import TEXT, Schema, array

Codes = Mapping[str, Code]
EVERYWHERE = ("UNAUTHENTICATED", "RATE_LIMIT_EXCEEDED", "INTERNAL_ERROR", "SERVICE_UNAVAILABLE")
"""Codes that every call may answer."""
_SHARED = {
    "UNAUTHENTICATED": "Unauthenticated",
    "RATE_LIMIT_EXCEEDED": "RateLimitExceeded",
    "INTERNAL_ERROR": "InternalError",
    "SERVICE_UNAVAILABLE": "ServiceUnavailable",
}
_HEADERS = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}
_TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"


def error_document(codes: Codes) -> Component:
    """Returns the component of the error envelope, with all codes."""
    description = "Stable code of an error. A later version may add codes."
    code = enumeration(sorted(codes), "ErrorCode", description, may_grow=True)
    source = record(
        {
            "pointer": described(TEXT, "JSON Pointer of the field of the body."),
            "parameter": described(TEXT, "Name of the query parameter."),
        },
        optional=("pointer", "parameter"),
    )
    error = record(
        {
            "code": code,
            "title": described(TEXT, "Short title in the language of the response."),
            "detail": described(TEXT, "Description of the problem, in the language of the response."),
            "source": described(source, "Part of the request that is wrong."),
            "meta": {"type": "object", "description": "Context of the error, such as the current state after a 412."},
        },
        optional=("source", "meta"),
    )
    entry = Component("Error", {**error, "description": "One problem of a request."})
    meta = record({"trace_id": described(TEXT, "Id of the request in logs and traces, to be reported to support.")})
    envelope = record(
        {
            "errors": described(array(entry, minItems=1), "The problems: of a body all of them at once."),
            "meta": described(meta, "About the response."),
        }
    )
    return Component("ErrorDocument", {**envelope, "description": "The body of every response from 400 on."})


def codes_of(route: Route, codes: Codes) -> list[str]:
    """Returns the codes of a call: declared ones, those that follow from its declaration, and common ones."""
    found = []
    if route.query or route.body or route.is_change:
        found.append("VALIDATION_ERROR")
    if route.body:
        found += ["MALFORMED_JSON", "UNSUPPORTED_MEDIA_TYPE", "PAYLOAD_TOO_LARGE"]
    if route.takes_key:
        found.append("IDEMPOTENCY_KEY_REUSED")
    if route.ids and not any(codes[code].http == 404 for code in route.refuses):
        found.append("NOT_FOUND")
    return [*found, *route.refuses, *EVERYWHERE]


def error_responses(route: Route, schema: Component, codes: Codes) -> dict[str, Any]:
    """Returns the error responses of a call by their status."""
    by_status: dict[int, dict[str, Code]] = {}
    for name in codes_of(route, codes):
        by_status.setdefault(codes[name].http, {})[name] = codes[name]
    return {str(status): _response(status, named, schema, route) for status, named in sorted(by_status.items())}


def shared_responses(schema: Component, codes: Codes) -> dict[str, Any]:
    """Returns the responses that every call may have, as components."""
    return {_SHARED[name]: _described(codes[name].http, {name: codes[name]}, schema) for name in EVERYWHERE}


def examples(routes: Sequence[Route], codes: Codes) -> dict[str, Any]:
    """Returns an example of each code that one of these calls may answer, as components."""
    answered = {code for route in routes for code in codes_of(route, codes)}
    return {name: _example(name, code) for name, code in codes.items() if name in answered}


def _response(status: int, codes: Codes, schema: Component, route: Route) -> Schema:
    shared = [_SHARED[name] for name in codes if name in _SHARED]
    if len(codes) == len(shared) == 1:
        return {"$ref": f"#/components/responses/{shared[0]}"}
    is_kept = route.takes_key and status < 500
    return _described(status, codes, schema, *(("Idempotency-Replayed",) if is_kept else ()))


def _described(status: int, codes: Codes, schema: Component, *headers: str) -> Schema:
    texts = [f"`{name}`: {code.detailed('en')}" for name, code in codes.items()]
    content = {"schema": schema, "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes}}
    return {
        "description": "\n\n".join(texts),
        "headers": response_headers(*headers, *_HEADERS.get(status, ())),
        "content": {JSON: content},
    }


def _example(name: str, code: Code) -> dict[str, Any]:
    entry: dict[str, Any] = {"code": name, "title": code.titled("en"), "detail": code.detailed("en")}
    if name == "VALIDATION_ERROR":
        entry |= {"detail": "A UUID is expected.", "source": {"pointer": "/data/attributes/product_id"}}
    return {"summary": code.titled("en"), "value": {"errors": [entry], "meta": {"trace_id": _TRACE_ID}}}
