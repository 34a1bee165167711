"""The shapes of ``--json``: a JSON Schema for each command, and the columns of ``--csv``.

Most are made from the messages of the service, as ``messages.plain`` makes the data from them. A version of a shape
only grows: a field is neither removed nor given another meaning. ``VERSION`` is raised with the first that is.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import click
from gameshelf.libctl.messages import JSON_FIELDS
from gameshelf.libctl.output import Csv, Output
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

VERSION = 1
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_TIMESTAMP = Timestamp.DESCRIPTOR.full_name

STRING: Mapping[str, Any] = {"type": "string"}
NUMBER: Mapping[str, Any] = {"type": "integer"}
REAL: Mapping[str, Any] = {"type": "number"}
TIME: Mapping[str, Any] = {"type": "string", "format": "date-time"}
FLAG: Mapping[str, Any] = {"type": "boolean"}
TEXT_OR_NULL: Mapping[str, Any] = {"type": ["string", "null"]}
ANYTHING: Mapping[str, Any] = {}


def list_of(items: Any) -> Mapping[str, Any]:
    """Returns the schema of a list."""
    return {"type": "array", "items": items}


def map_of(values: Any) -> Mapping[str, Any]:
    """Returns the schema of an object whose names are data."""
    return {"type": "object", "additionalProperties": values}


def or_null(schema: Any) -> Mapping[str, Any]:
    """Returns the schema of what may be absent."""
    return {"anyOf": [schema, {"type": "null"}]}


@dataclass(frozen=True, slots=True)
class Shape:
    """The JSON of a command: that of a message, with fields that libctl adds or replaces."""

    message: type[Message] | None = None
    rows: str = ""
    """The field with the rows of ``--csv``; "" if it is no list."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Schemas of further fields. A message and a shape stand for their schemas."""
    optional: frozenset[str] = frozenset()
    """Those of the fields that may be absent."""
    also: tuple[str, ...] = ()
    """Further columns of ``--csv``."""
    or_else: "Shape | None" = None
    """Another shape that it may have, such as that of a batch."""


def answers(
    message: type[Message] | None = None, rows: str = "", *, optional: tuple[str, ...] = (), **fields: Any
) -> Callable[[Any], Any]:
    """Declares the shape of a command: adds ``--schema``, and ``--csv`` to a list."""
    return with_shape(Shape(message, rows, fields, frozenset(optional)))


def with_shape(shape: Shape) -> Callable[[Any], Any]:
    """The same with a shape that is there already."""

    def decorate(command: Any) -> Any:
        command.shape = shape
        command = click.option(
            "--schema",
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_print_schema,
            help="Print the JSON Schema of --json, and do nothing else.",
        )(command)
        if shape.rows:
            command = click.option(
                "--csv", is_flag=True, expose_value=False, callback=_as_csv, help="Print the list as CSV."
            )(command)
        return command

    return decorate


def shape_of(command: click.Command) -> Shape | None:
    """Returns the shape of a command; None for one whose JSON has no schema."""
    return getattr(command.callback, "shape", None)


def schema_of(name: str, shape: Shape, *, is_closed: bool = False) -> dict[str, Any]:
    """Returns the JSON Schema of a command's JSON. A closed one allows no further fields; those of later versions have
    some.
    """
    made = _Schemas(is_closed)
    body = made.of_shape(shape)
    if shape.or_else:
        body = {"anyOf": [body, made.of_shape(shape.or_else)]}
    number = name.replace(" ", "-")
    head = {"$schema": _DRAFT, "$id": f"urn:gameshelf:libctl:{number}:{VERSION}", "title": f"libctl {name} --json"}
    return {**head, **body, "$defs": dict(sorted(made.definitions.items()))}


def columns_of(shape: Shape) -> list[str]:
    """Returns the columns of ``--csv``: the fields of a row, those of a message within it by ``message.field``."""
    assert shape.message is not None
    row = shape.message.DESCRIPTOR.fields_by_name[shape.rows].message_type
    return [*_columns(row, ""), *shape.also]


def _columns(message: Any, before: str) -> Iterator[str]:
    for one in message.fields:
        if one.message_type is None or one.is_repeated or one.message_type.full_name == _TIMESTAMP:
            yield before + one.name
        else:
            yield from _columns(one.message_type, f"{before}{one.name}.")


class _Schemas:
    def __init__(self, is_closed: bool) -> None:
        self.definitions: dict[str, Any] = {}
        self._is_closed = is_closed

    def of_shape(self, shape: Shape) -> dict[str, Any]:
        own = {one.name: self._of_field(one) for one in shape.message.DESCRIPTOR.fields} if shape.message else {}
        return self._object({**own, **{name: self._added(one) for name, one in shape.fields.items()}}, shape.optional)

    def _added(self, schema: Any) -> Any:
        if isinstance(schema, Shape):
            return self.of_shape(schema)
        if message := getattr(schema, "DESCRIPTOR", None):
            return self._reference(message)
        within = {name: self._added(schema[name]) for name in ("items", "additionalProperties") if name in schema}
        if "anyOf" in schema:
            within["anyOf"] = [self._added(one) for one in schema["anyOf"]]
        return {**schema, **within}

    def _object(self, properties: dict[str, Any], optional: frozenset[str] = frozenset()) -> dict[str, Any]:
        closed = {"additionalProperties": False} if self._is_closed else {}
        required = [name for name in properties if name not in optional]
        return {"type": "object", "properties": properties, "required": required, **closed}

    def _of_field(self, of: Any) -> Any:
        if of.message_type is not None and of.message_type.GetOptions().map_entry:
            return map_of(self._one(of.message_type.fields_by_name["value"]))
        if of.is_repeated:
            return list_of(self._one(of))
        schema = self._one(of)
        return or_null(schema) if of.has_presence else schema

    def _one(self, of: Any) -> Any:
        if of.message_type is not None:
            is_time = of.message_type.full_name == _TIMESTAMP
            return TIME if is_time else self._reference(of.message_type)
        if of.enum_type is not None:
            return {"enum": [value.name for value in of.enum_type.values]}
        if of.name in JSON_FIELDS and of.type == of.TYPE_STRING:
            return ANYTHING
        if of.type in (of.TYPE_DOUBLE, of.TYPE_FLOAT):
            return REAL
        return {of.TYPE_BOOL: FLAG, of.TYPE_STRING: STRING, of.TYPE_BYTES: STRING}.get(of.type, NUMBER)

    def _reference(self, message: Any) -> Any:
        if message.name not in self.definitions:
            self.definitions[message.name] = {}  # a message may have itself as a field
            fields = {one.name: self._of_field(one) for one in message.fields}
            self.definitions[message.name] = self._object(fields)
        return {"$ref": f"#/$defs/{message.name}"}


def _print_schema(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    shape = shape_of(ctx.command)
    if wanted and shape and not ctx.resilient_parsing:
        click.echo(json.dumps(schema_of(ctx.command_path.partition(" ")[2], shape), indent=2))
        ctx.exit()


def _as_csv(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    shape = shape_of(ctx.command)
    if wanted and shape:
        ctx.ensure_object(Output).csv = Csv(shape.rows, columns_of(shape))
