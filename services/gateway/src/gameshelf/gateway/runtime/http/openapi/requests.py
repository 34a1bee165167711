"""Parameters and bodies of requests, from the commands that they are parsed into."""

from typing import Any

from gameshelf.gateway.runtime.http.components import Component, described, record
from gameshelf.gateway.runtime.http.openapi.commands import CommandSchema
from gameshelf.gateway.runtime.http.reply import JSON
from gameshelf.gateway.runtime.http.routing import Route
from gameshelf.gateway.runtime.http.schemas import TEXT, UUID, Schema
from gameshelf.gateway.runtime.http.texts import plain
from pydantic import BaseModel

_TYPE = described(TEXT, "Type of the resource. It documents the request: any value is accepted.")


def path_parameters(route: Route) -> list[Schema]:
    """Returns the parameters for the ids in the path."""
    parameters = []
    for name in route.ids:
        description, example = route.path_ids[name]
        schema = _schema_of_id(route, name)
        given = int(example) if name in route.numbers else example
        parameters.append(
            {
                "name": name,
                "in": "path",
                "required": True,
                "description": description,
                "schema": schema,
                "example": given,
            }
        )
    return parameters


def _schema_of_id(route: Route, name: str) -> Schema:
    if name in route.numbers:
        return {"type": "integer", "minimum": 1}
    return {"type": "string", "minLength": 1} if name in route.texts else UUID


def query_parameters(route: Route, components: dict[str, Any]) -> list[Schema]:
    """Returns the parameters of the query; lists are comma separated."""
    if not route.query:
        return []
    parameters = []
    for name, schema in _schema_of(route.query, components)["properties"].items():
        description = schema.pop("description", "")
        schema = _as_sent(schema)
        parameter = {"name": name, "in": "query", "required": False, "description": description, "schema": schema}
        is_list = schema.get("type") == "array"
        parameters.append(parameter | ({"style": "form", "explode": False} if is_list else {}))
    return parameters


def _as_sent(schema: Schema) -> Schema:
    """Adapts the schema of a parameter to queries, which have neither null nor empty defaults."""
    kinds = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if len(kinds) == 1:
        schema = {**{key: value for key, value in schema.items() if key != "anyOf"}, **kinds[0]}
    return {key: value for key, value in schema.items() if key != "default" or value not in (None, [], "")}


def request_body(route: Route, components: dict[str, Any]) -> Schema:
    """Returns the body of a call that has one, with its example."""
    if route.body is None:
        return {}
    attributes = _schema_of(route.body, components)
    # A default is the value that the service uses for a missing field. Generated clients would send it, and so change
    # fields that should stay unchanged.
    _without(attributes, "default")
    components[route.body.__name__] = attributes
    properties: dict[str, Schema] = {
        "type": _TYPE,
        "attributes": {
            "$ref": f"#/components/schemas/{route.body.__name__}",
            "description": "The input of the request.",
        },
    }
    if len(route.ids) == 1:
        properties["id"] = described(TEXT, "Id of the resource. If it is there, it has to agree with the path.")
    data = record(properties, optional=("type", "id"))
    name = "".join(part.capitalize() for part in route.handler.__name__.split("_"))
    envelope = record({"data": described(data, "The input of the request, with the type of its resource.")})
    summary = {"description": f"The body of `{route.handler.__name__}`."}
    schema = Component(f"{name}Request", {**envelope, **summary})
    example = {"data": {"attributes": dict(route.example)}}
    return {"requestBody": {"required": True, "content": {JSON: {"schema": schema, "example": example}}}}


def _schema_of(model: type[BaseModel], components: dict[str, Any]) -> Schema:
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}", schema_generator=CommandSchema)
    _clean(schema)
    for name, definition in schema.pop("$defs", {}).items():
        _without(definition, "default")
        components[name] = definition
    return schema


def _clean(schema: Any) -> None:
    """Removes titles, which pydantic derives from names, and converts docstrings to CommonMark."""
    for one in _schemas_in(schema):
        one.pop("title", None)
        if "description" in one:
            one["description"] = plain(one["description"])


def _without(schema: Any, key: str) -> None:
    for one in _schemas_in(schema):
        one.pop(key, None)


def _schemas_in(schema: Any) -> list[Schema]:
    """Returns a schema and all schemas within it; names of properties are not keywords."""
    found = [schema]
    for one in found:
        for keyword in ("properties", "$defs"):
            found += one.get(keyword, {}).values()
        for keyword in ("anyOf", "oneOf", "allOf", "prefixItems"):
            found += one.get(keyword, ())
        found += [one[keyword] for keyword in ("items", "additionalProperties") if isinstance(one.get(keyword), dict)]
    return found
