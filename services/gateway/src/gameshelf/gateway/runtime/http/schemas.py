"""JSON Schemas of responses; those of requests come from the commands that they are parsed into."""

from typing import Any

Schema = dict[str, Any]

UUID: Schema = {"type": "string", "format": "uuid"}
TIME: Schema = {"type": "string", "format": "date-time"}
TEXT: Schema = {"type": "string"}
DATE: Schema = {"type": "string", "format": "date"}
FLAG: Schema = {"type": "boolean"}
URL: Schema = {"type": "string", "format": "uri"}
COUNT: Schema = {"type": "integer", "minimum": 0}
PERCENT: Schema = {"type": "number", "minimum": 0, "maximum": 100}


def nullable(schema: Schema) -> Schema:
    """Allows null besides the values of a schema."""
    return {"anyOf": [schema, {"type": "null"}]}


def array(items: Schema, **bounds: Any) -> Schema:
    """A list of values of a schema."""
    return {"type": "array", "items": items, **bounds}


def constant(value: str) -> Schema:
    """Always this string."""
    return {"type": "string", "const": value}
