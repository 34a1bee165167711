"""The OpenAPI document describes everything that it names, and its examples are real."""

import jsonschema_rs
import pytest
from gameshelf.gateway.runtime.http import openapi
from gameshelf.gateway.runtime.http.components import Component, record
from gameshelf.gateway.runtime.http.parse import parse_body
from gameshelf.gateway.runtime.http.routing import Routes
from gameshelf.gateway.runtime.http.schemas import TEXT
from gameshelf.gateway.wiring import ERRORS, ROUTES
from openapi_spec_validator import validate
from orjson import dumps

DOCUMENT = openapi.document(ROUTES, ERRORS.codes)
SCHEMAS = DOCUMENT["components"]["schemas"]
OPERATIONS = {
    call["operationId"]: (method, path, call)
    for path, calls in DOCUMENT["paths"].items()
    for method, call in calls.items()
}
# Names that the readers of the document, and the classes of generated clients, have: not to be changed lightly.
NAMES = {
    "LibraryItem",
    "LibraryItemAttributes",
    "LibraryItemCollection",
    "LibraryItemDocument",
    "SavegameCollection",
    "FamilySeatList",
    "ClaimItemRequest",
    "Error",
    "ErrorCode",
    "ErrorDocument",
    "PageMeta",
    "PageLinks",
}


def resolved(part):
    while "$ref" in part:
        found = DOCUMENT
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part


def schemas_in(schema, place):
    """A schema and every schema within it, each with where it is; not what it refers to."""
    yield place, schema
    for name, one in schema.get("properties", {}).items():
        yield from schemas_in(one, f"{place}.{name}")
    for keyword in ("anyOf", "oneOf", "allOf"):
        for one in schema.get(keyword, ()):
            yield from schemas_in(one, place)
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            yield from schemas_in(schema[keyword], f"{place}[]")


def undescribed():
    for name, schema in SCHEMAS.items():
        if not schema.get("description"):
            yield name
        for place, one in schemas_in(schema, name):
            for field, described in one.get("properties", {}).items():
                if not (described.get("description") or resolved(described).get("description")):
                    yield f"{place}.{field}"
    for name, header in DOCUMENT["components"]["headers"].items():
        if not header["description"]:
            yield name
    for name, (_, _, call) in OPERATIONS.items():
        if not call["summary"] or not call["description"] or call["summary"].endswith("."):
            yield name
        yield from (f"{name}({one['name']})" for one in call["parameters"] if not one["description"])
        yield from (f"{name} {status}" for status, one in call["responses"].items() if not resolved(one)["description"])
    yield from (tag["name"] for tag in DOCUMENT["tags"] if not tag["description"])


def test_everything_is_described():
    validate(DOCUMENT)
    assert list(undescribed()) == []


def test_resources_collections_and_errors_are_named():
    assert SCHEMAS.keys() >= NAMES
    for name, (_, _, call) in OPERATIONS.items():
        for response in map(resolved, call["responses"].values()):
            for media in response.get("content", {}).values():
                assert "$ref" in media["schema"], name


def test_responses_are_open_to_new_fields():
    for name, (_, _, call) in OPERATIONS.items():
        for response in map(resolved, call["responses"].values()):
            for media in response.get("content", {}).values():
                waiting, seen = [media["schema"]], []
                for schema in waiting:
                    for _, one in schemas_in(resolved(schema), ""):
                        assert one.get("additionalProperties") is not False, (name, one)
                        if "$ref" in one and one["$ref"] not in seen:
                            seen.append(one["$ref"])
                            waiting.append(one)


def test_every_example_is_as_its_schema_says():
    tried = 0
    for name, (_, _, call) in OPERATIONS.items():
        parts = [call.get("requestBody", {}), *map(resolved, call["responses"].values())]
        for media in [media for part in parts for media in part.get("content", {}).values()]:
            examples = [one["value"] for one in map(resolved, media.get("examples", {}).values())]
            for example in [*examples, *([media["example"]] if "example" in media else [])]:
                jsonschema_rs.Draft202012Validator({**media["schema"], "components": DOCUMENT["components"]}).validate(
                    example
                )
                tried += 1
            assert examples or "example" in media, name
        for parameter in call["parameters"]:
            if "example" in parameter:
                jsonschema_rs.Draft202012Validator(parameter["schema"]).validate(parameter["example"])
    for schema in SCHEMAS.values():
        for example in schema.get("examples", ()):
            jsonschema_rs.Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(example)
            tried += 1
    assert tried > 200


@pytest.mark.parametrize("route", [route for route in ROUTES if route.body], ids=lambda route: route.handler.__name__)
def test_the_example_of_a_request_is_accepted(route):
    parse_body(route.body, "application/json", dumps({"data": {"attributes": dict(route.example)}}))


def test_no_parameter_of_a_query_is_null():
    for name, (_, _, call) in OPERATIONS.items():
        for parameter in call["parameters"]:
            assert "null" not in str(parameter["schema"]), (name, parameter)
            assert parameter["schema"].get("default", "given") not in (None, [], ""), (name, parameter)


def test_a_request_has_no_defaults_that_a_client_would_send():
    """A field of a change has no default: a client that sent it would change the field."""
    for name, (_, _, call) in OPERATIONS.items():
        if "requestBody" in call:
            for schema in [call["requestBody"]["content"]["application/json"]["schema"]]:
                reference = resolved(schema)["properties"]["data"]["properties"]["attributes"]
                for place, one in schemas_in(resolved(reference), name):
                    assert "default" not in one, place


def test_the_codes_are_listed_and_each_has_an_example():
    assert SCHEMAS["ErrorCode"]["x-extensible-enum"] == sorted(ERRORS.codes)
    # A method that a path does not have is no operation, so no operation answers that it is not allowed.
    assert DOCUMENT["components"]["examples"].keys() == ERRORS.codes.keys() - {"METHOD_NOT_ALLOWED"}


def test_every_header_of_a_call_is_described():
    for route in ROUTES:
        _, _, call = OPERATIONS[route.handler.__name__]
        names = [one["name"] for one in call["parameters"] if one["in"] == "header"]
        assert ("X-Client-Id" in names) == route.is_change, route.template
        assert ("Idempotency-Key" in names) == route.takes_key, route.template
        assert ("If-Match" in names) == (route.has_etag and route.method != "GET"), route.template
        for status, response in call["responses"].items():
            headers = resolved(response)["headers"]
            assert {"X-Request-ID", "X-RateLimit-Remaining", "Vary"} <= headers.keys()
            assert ("Retry-After" in headers) == (status in ("202", "429", "503")), (route.template, status)
            assert ("WWW-Authenticate" in headers) == (status == "401")


def test_two_components_of_one_name_are_refused():
    routes = Routes("tag", "Description.")
    for number, name in enumerate(("first", "second")):

        async def handler(read):
            """Summary."""

        handler.__name__ = name
        answers = Component("Same", {**record({name: TEXT}), "description": str(number)})
        routes.read(f"/{name}", answers=answers)(handler)
    with pytest.raises(ValueError, match="two components are called Same"):
        openapi.document(routes.all, ERRORS.codes)
