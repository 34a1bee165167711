"""The OpenAPI 3.1 document, made from the routes themselves."""

from collections.abc import Iterable
from typing import Any

from gameshelf.gateway import __version__
from gameshelf.gateway.runtime.client_ids import CLIENT_ID_PATTERN
from gameshelf.gateway.runtime.errors import CODES
from gameshelf.gateway.runtime.http import schemas
from gameshelf.gateway.runtime.http.routing import Route
from pydantic import BaseModel

_CLIENT_ID = {
    "name": "X-Client-Id",
    "in": "header",
    "required": False,
    "description": "Which client asks: the device messages of this change carry it as `origin`.",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": 64,
        "pattern": f"^{CLIENT_ID_PATTERN}$",
        "examples": ["deck-7"],
    },
}
_EVERYWHERE = ("UNAUTHENTICATED", "RATE_LIMIT_EXCEEDED", "INTERNAL_ERROR", "SERVICE_UNAVAILABLE")
_INTRODUCTION = (
    "What a player owns, plays, has achieved, wishes for, has saved and has set. "
    "JSON, UTF-8, snake_case; times are RFC 3339 in UTC. Errors are Russian, English under `Accept-Language: en`."
)


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """The document of these routes."""
    components: dict[str, Any] = {"Error": schemas.ERROR}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.template, {})[route.method.lower()] = _operation(route, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Library Service", "version": __version__, "description": _INTRODUCTION},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _operation(route: Route, components: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.handler.__name__,
        "summary": route.summary.partition("\n")[0],
        "tags": [route.tag],
        "parameters": [*_path_parameters(route), *_query_parameters(route, components), *_headers(route)],
        "responses": _responses(route),
    }
    if route.body:
        attributes = _component(route.body, components)
        data = {"type": "object", "properties": {"type": {}, "attributes": attributes}, "required": ["attributes"]}
        envelope = {"type": "object", "properties": {"data": data}, "required": ["data"]}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": envelope}}}
    return operation


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [{"name": name, "in": "path", "required": True, "schema": _schema_of_id(route, name)} for name in route.ids]


def _schema_of_id(route: Route, name: str) -> dict[str, Any]:
    if name in route.numbers:
        return {"type": "integer", "minimum": 1}
    return {"type": "string", "minLength": 1} if name in route.texts else schemas.UUID


def _query_parameters(route: Route, components: dict[str, Any]) -> list[dict[str, Any]]:
    if not route.query:
        return []
    schema = route.query.model_json_schema(ref_template="#/components/schemas/{model}")
    components.update(schema.pop("$defs", {}))
    return [
        {"name": name, "in": "query", "required": False, "schema": described}
        | ({"style": "form", "explode": False} if described.get("type") == "array" else {})
        for name, described in schema["properties"].items()
    ]


def _headers(route: Route) -> list[dict[str, Any]]:
    language = {
        "name": "Accept-Language",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "examples": ["en"]},
    }
    headers = [language]
    if route.has_etag:
        name = "If-None-Match" if route.method == "GET" else "If-Match"
        headers.append({"name": name, "in": "header", "required": False, "schema": schemas.TEXT})
    if route.takes_key:
        key = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]{1,255}$"}
        headers.append({"name": "Idempotency-Key", "in": "header", "required": False, "schema": key})
    if route.kind == "write":
        headers.append(_CLIENT_ID)
    return headers


def _responses(route: Route) -> dict[str, Any]:
    answered: dict[str, Any] = {"description": "Done"}
    if route.answers is not None:
        answered["content"] = {"application/json": {"schema": route.answers}}
    responses: dict[str, Any] = {str(status): answered for status in (route.status, *route.also)}
    if route.has_etag and route.method == "GET":
        responses["304"] = {"description": "Not modified since the ETag in If-None-Match"}
    codes: dict[int, list[str]] = {}
    for code in (*_own_codes(route), *route.refuses, *_EVERYWHERE):
        codes.setdefault(CODES[code].http, []).append(code)
    for status, names in sorted(codes.items()):
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
        responses[str(status)] = {"description": ", ".join(names), "content": content}
    return responses


def _own_codes(route: Route) -> list[str]:
    """What follows from the shape of a call."""
    codes = []
    if route.query or route.body or route.kind == "write":
        codes.append("VALIDATION_ERROR")
    if route.body:
        codes += ["MALFORMED_JSON", "UNSUPPORTED_MEDIA_TYPE", "PAYLOAD_TOO_LARGE"]
    if route.takes_key:
        codes.append("IDEMPOTENCY_KEY_REUSED")
    if route.ids and not any(CODES[code].http == 404 for code in route.refuses):
        codes.append("NOT_FOUND")
    return codes


def _component(model: type[BaseModel], components: dict[str, Any]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    components.update(schema.pop("$defs", {}))
    components[model.__name__] = schema
    return {"$ref": f"#/components/schemas/{model.__name__}"}
