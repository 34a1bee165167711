"""JSON Schemas of what the REST API answers; requests have theirs from the commands that they are parsed into."""

from typing import Any

Schema = dict[str, Any]

UUID: Schema = {"type": "string", "format": "uuid"}
TIME: Schema = {"type": "string", "format": "date-time"}
TEXT: Schema = {"type": "string"}
DATE: Schema = {"type": "string", "format": "date"}
COUNT: Schema = {"type": "integer", "minimum": 0}
PERCENT: Schema = {"type": "number", "minimum": 0, "maximum": 100}


def nullable(schema: Schema) -> Schema:
    """The schema, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def one_of(values: Any) -> Schema:
    """One of these strings."""
    return {"type": "string", "enum": [str(value) for value in values]}


def either(*schemas: Schema) -> Schema:
    """What one of these describes."""
    return {"anyOf": list(schemas)}


def closed(properties: dict[str, Schema], *, optional: tuple[str, ...] = ()) -> Schema:
    """An object with exactly these properties."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def resource(kind: str, attributes: dict[str, Schema], relationships: Schema | None = None) -> Schema:
    """A resource of that type that has an address of its own."""
    properties: dict[str, Schema] = {"type": {"const": kind}, "id": UUID, "attributes": closed(attributes)}
    if relationships:
        properties["relationships"] = relationships
    properties["links"] = closed({"self": TEXT})
    return closed(properties)


def value(kind: str, attributes: dict[str, Schema], identity: Schema = UUID) -> Schema:
    """A resource of that type that is found by other calls only."""
    return closed({"type": {"const": kind}, "id": identity, "attributes": closed(attributes)})


def single(data: Schema, meta: Schema | None = None) -> Schema:
    """``{"data": …}``, with ``meta`` beside it."""
    return closed({"data": data, **({"meta": meta} if meta else {})})


def listing(data: Schema) -> Schema:
    """All of a bounded list."""
    return closed({"data": {"type": "array", "items": data}})


def collection(data: Schema) -> Schema:
    """A page of a collection."""
    meta = closed({"total_items": COUNT, "current_page": COUNT, "per_page": COUNT})
    links = closed(dict.fromkeys(("self", "first", "prev", "next", "last"), TEXT), optional=("prev", "next"))
    return closed({"data": {"type": "array", "items": data}, "meta": meta, "links": links})


_NAMES = {"title": nullable(TEXT), "cover_image_url": nullable(TEXT)}


def named(described: Schema) -> Schema:
    """A resource, or an object, in a list that also shows titles and covers of the products that it names."""
    properties = described["properties"]
    if "attributes" in properties:
        return closed({**properties, "attributes": named(properties["attributes"])})
    return closed({**properties, **_NAMES})


ERROR = closed(
    {
        "errors": {
            "type": "array",
            "minItems": 1,
            "items": closed(
                {
                    "code": TEXT,
                    "title": TEXT,
                    "detail": TEXT,
                    "source": closed({"pointer": TEXT, "parameter": TEXT}, optional=("pointer", "parameter")),
                    "meta": {"type": "object"},
                },
                optional=("source", "meta"),
            ),
        },
        "meta": closed({"trace_id": TEXT}),
    }
)
