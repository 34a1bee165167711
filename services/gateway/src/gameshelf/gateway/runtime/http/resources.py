"""Resources of the REST API: one declaration yields the JSON, the component of the OpenAPI document and its texts.

A `Record` is an object with named fields. A `Resource` has a type, an id and attributes, which are a record. Each is
declared once, in the folder of its domain.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeVar

from gameshelf.gateway.runtime.http import components, schemas
from gameshelf.gateway.runtime.http.components import Component
from gameshelf.gateway.runtime.http.reply import BASE
from gameshelf.gateway.runtime.http.schemas import Schema

T = TypeVar("T")
ReadValue = Callable[[Any, Any], Any]
"""Reads a value from the rendered object and the context of ``render``."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its schema, its meaning, and an example of its value."""

    name: str
    schema: Schema
    description: str
    example: Any = None
    read: ReadValue | str | None = None
    """Reads its value; a string is the path of an attribute, None means the attribute with the name of the field."""
    convert: Callable[[Any], Any] | None = None
    """Converts the value of the attribute to the value of the field; None for one that is shown unchanged."""
    is_optional: bool = False
    """Whether only some responses have it. ``render`` leaves it out; the handler adds it afterwards."""


class ObjectResource(Generic[T]):
    """An object with named fields, rendered from a ``T``."""

    def __init__(self, component: str, of: type[T] | None, description: str, *fields: Field) -> None:
        """``of`` is None for a record that is rendered elsewhere and only described here.

        Raises TypeError for a field that is read from an attribute which ``of`` does not have.
        """
        self.fields = fields
        self.description = description
        self.schema = _component(component, description, fields)
        source = _Source(of)
        self.render: Callable[..., dict[str, Any]] = source.compiled(source.display(fields))


class Resource(Generic[T]):
    """A resource, rendered from a ``T``. Its component has the name of its type with a capital letter."""

    def __init__(
        self,
        kind: str,
        of: type[T],
        description: str,
        *attributes: Field,
        identity: Field,
        address: str | None = None,
        relationships: Sequence[Field] = (),
    ) -> None:
        """``address`` is its path below the base, with ``{id}``; None: other resources lead to it.

        Raises TypeError for a field that is read from an attribute which ``of`` does not have.
        """
        component = kind[0].upper() + kind[1:]
        named = schemas.constant(kind)
        parts = [
            Field("type", named, f"Type of the resource: always `{kind}`.", kind),
            identity,
            _part("attributes", component, f"Attributes of the resource `{kind}`.", attributes),
        ]
        source = _Source(of)
        display = f"'type': {kind!r}, 'id': {source.value(identity)}, 'attributes': {source.display(attributes)}"
        if relationships:
            parts.append(_part("relationships", component, f"Resources related to `{kind}`.", relationships))
            display += f", 'relationships': {source.display(relationships)}"
        if address is not None:
            before, _, after = f"{BASE}{address}".partition("{id}")
            own = {"self": f"{before}{identity.example}{after}"}
            parts.append(Field("links", _LINKS, "Addresses of this resource, relative to the host.", own))
            display += f", 'links': {{'self': f'{before}{{{source.value(identity)}}}{after}'}}"
        self.schema = _component(component, description, parts)
        self.render: Callable[..., dict[str, Any]] = source.compiled(f"{{{display}}}")

    @property
    def document(self) -> Component:
        """The component of a response with one resource."""
        return components.single(self.schema)

    @property
    def listing(self) -> Component:
        """The component of a response with all resources of a bounded list."""
        return components.listing(self.schema)

    def collection(self, path: str) -> Component:
        """The component of a response with a page of resources, at this path below the base."""
        return components.collection(self.schema, BASE + path)


def identity(
    description: str, example: str, read: ReadValue | str | None = None, schema: Schema = schemas.UUID
) -> Field:
    """Declares the id of a resource."""
    return Field("id", schema, description, example, read or "id")


_LINKS = Component(
    "ResourceLinks",
    {
        **components.record({"self": components.described(schemas.TEXT, "Address of the resource.")}),
        "description": "Addresses of a resource, relative to the host.",
    },
)


def _part(name: str, component: str, description: str, fields: Sequence[Field]) -> Field:
    schema = _component(component + name.capitalize(), description, fields)
    return Field(name, schema, description, schema.example)


def _component(name: str, description: str, fields: Sequence[Field]) -> Component:
    properties = {one.name: components.described(one.schema, one.description) for one in fields}
    optional = [one.name for one in fields if one.is_optional]
    example = {one.name: one.example for one in fields}
    definition = {**components.record(properties, optional=optional), "description": description, "examples": [example]}
    return Component(name, definition, example)


@dataclass(slots=True)
class _Source:
    """Python source of a function that renders.

    It is one dict display, like one written by hand, and is compiled in the way of `dataclasses`: a loop over the
    fields takes twice as long, and a page has a hundred resources of many fields. No part of the source is input.
    """

    of: type[Any] | None
    functions: dict[str, Callable[..., Any]] = field(default_factory=dict)

    def display(self, fields: Sequence[Field]) -> str:
        return f"{{{', '.join(f'{one.name!r}: {self.value(one)}' for one in fields if not one.is_optional)}}}"

    def value(self, of: Field) -> str:
        if callable(of.read):
            return f"{self._named(of.read)}(of, context)"
        path = of.read or of.name
        first = path.partition(".")[0]
        if self.of is not None and first not in _attributes(self.of):
            raise TypeError(f"{self.of.__name__} has no attribute {first}")
        return f"{self._named(of.convert)}(of.{path})" if of.convert else f"of.{path}"

    def _named(self, function: Callable[..., Any]) -> str:
        name = f"function_{len(self.functions)}"
        self.functions[name] = function
        return name

    def compiled(self, source: str) -> Callable[..., dict[str, Any]]:
        render: Callable[..., dict[str, Any]] = eval(f"lambda of, context=None: {source}", self.functions)  # noqa: S307
        return render


def _attributes(of: type[Any]) -> set[str]:
    return {one.name for one in fields(of)} | set(dir(of))
