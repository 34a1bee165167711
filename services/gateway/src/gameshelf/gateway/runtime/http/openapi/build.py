"""Builds the OpenAPI document."""

from collections.abc import Mapping, Sequence
from typing import Any

from gameshelf.gateway import __version__
from gameshelf.gateway.runtime.errors import Code
from gameshelf.gateway.runtime.http.components import Component
from gameshelf.gateway.runtime.http.openapi.errors import error_document, error_responses, examples, shared_responses
from gameshelf.gateway.runtime.http.openapi.headers import RESPONSE_HEADERS, request_headers, response_headers
from gameshelf.gateway.runtime.http.openapi.requests import path_parameters, query_parameters, request_body
from gameshelf.gateway.runtime.http.reply import JSON
from gameshelf.gateway.runtime.http.routing import Route
from gameshelf.gateway.runtime.http.texts import description_of, summary_of

_INTRODUCTION = """The library of a player, and the data that belongs to it.

JSON in UTF-8 with names in snake_case; times are RFC 3339 in UTC. Titles and errors are in Russian, or in English if
`Accept-Language` prefers it. Every call acts on the user of the token.

Clients have to ignore fields of responses that they do not know: later versions add some. Requests are strict: an
unknown field or parameter is an error."""
_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "A JSON Web Token of the platform. Its `sub` is the user, who needs the role `user`.",
}


def document(routes: Sequence[Route], codes: Mapping[str, Code]) -> dict[str, Any]:
    """Builds the document of routes and error codes. Raises ValueError if two components have the same name."""
    components: dict[str, Any] = {}
    errors = error_document(codes)
    paths: dict[str, dict[str, Any]] = {}
    tags: dict[str, str] = {}
    for route in routes:
        paths.setdefault(route.template, {})[route.method.lower()] = _operation(route, errors, codes, components)
        tags.setdefault(route.tag, route.tag_description)
    responses = shared_responses(errors, codes)
    _collect((paths, responses), components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Library Service",
            "version": __version__,
            "description": _INTRODUCTION,
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
            "contact": {"name": "gameshelf"},
        },
        "servers": [{"url": "/", "description": "The server that this document comes from."}],
        "security": [{"bearer": []}],
        "tags": [{"name": name, "description": description} for name, description in tags.items()],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": responses,
            "examples": examples(routes, codes),
            "headers": RESPONSE_HEADERS,
            "securitySchemes": {"bearer": _BEARER},
        },
    }


def _operation(
    route: Route, errors: Component, codes: Mapping[str, Code], components: dict[str, Any]
) -> dict[str, Any]:
    return {
        "operationId": route.handler.__name__,
        "summary": summary_of(route.summary),
        "description": description_of(route.summary),
        "tags": [route.tag],
        "parameters": [*path_parameters(route), *query_parameters(route, components), *request_headers(route)],
        **request_body(route, components),
        "responses": {**_success(route), **error_responses(route, errors, codes)},
    }


def _success(route: Route) -> dict[str, Any]:
    headers = [
        *(("ETag",) if route.has_etag and route.answers is not None else ()),
        *(("Idempotency-Replayed",) if route.takes_key else ()),
        *route.sends,
    ]
    response: dict[str, Any] = {"headers": response_headers(*headers)}
    if route.answers is not None:
        response["content"] = {JSON: {"schema": route.answers, "example": route.answers.example}}
    usual = "Done. The response has no body." if route.answers is None else route.answers.definition["description"]
    responses = {str(route.status): {"description": usual, **response}}
    for status, other in route.also.items():
        responses[str(status)] = (
            _other_success(other) if isinstance(other, Component) else {**response, "description": other}
        )
    if route.has_etag and route.method == "GET":
        text = "Not modified: the state is still that of the `ETag` in `If-None-Match`."
        responses["304"] = {"description": text, "headers": response_headers("ETag")}
    return responses


def _other_success(answers: Component) -> dict[str, Any]:
    """Returns a success that has a body of its own, and that asks the client to come again."""
    return {
        "description": answers.definition["description"],
        "headers": response_headers("Retry-After"),
        "content": {JSON: {"schema": answers, "example": answers.example}},
    }


def _collect(part: Any, components: dict[str, Any]) -> None:
    """Adds the components that a part of the document refers to, directly or through other components."""
    if isinstance(part, Component):
        known = components.get(part.name)
        if known is None:
            components[part.name] = part.definition
            _collect(part.definition, components)
        elif known != part.definition:
            raise ValueError(f"two components are called {part.name}")
    elif isinstance(part, dict):
        for value in part.values():
            _collect(value, components)
    elif isinstance(part, list | tuple):
        for value in part:
            _collect(value, components)
