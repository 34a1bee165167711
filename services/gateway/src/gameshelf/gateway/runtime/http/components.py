"""Named schemas of the OpenAPI document, and the envelopes of responses.

Responses are open: a client has to accept fields that it does not know, so nothing here forbids them.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

from gameshelf.gateway.runtime.http.schemas import COUNT, TEXT, Schema, array
from gameshelf.gateway.runtime.http.texts import plain


class Component(dict[str, Any]):
    """A reference to a schema with a name of its own; the OpenAPI document collects what stands behind references."""

    def __init__(self, name: str, definition: Schema, example: Any = None, **beside: Any) -> None:
        """``beside`` stands beside the reference, and is about this use of the schema alone."""
        super().__init__({"$ref": f"#/components/schemas/{name}", **beside})
        self.name = name
        self.definition = definition
        self.example = example


def described(schema: Schema, description: str) -> Schema:
    """The schema with what it means in one place."""
    if isinstance(schema, Component):
        return Component(schema.name, schema.definition, schema.example, description=description)
    return {**schema, "description": description}


def enumeration(values: type[Enum] | Iterable[str], name: str = "", description: str = "") -> Component:
    """One of these strings, as a component. That of a class is called and described like the class."""
    if isinstance(values, type):
        name, description = name or values.__name__, description or plain(values.__doc__ or "")
    # The same as pydantic makes for a request that has the class, too.
    return Component(name, {"description": description, "enum": [str(one) for one in values], "type": "string"})


IMPORT_RESULT = enumeration(
    ("accepted", "duplicate", "rejected"),
    "ImportResult",
    "Result of one element of an import: `accepted`, `duplicate` (it changed nothing) or `rejected`.",
)


def either(name: str, description: str, kinds: Mapping[str, Component]) -> Component:
    """One of several resources, told apart by their ``type``."""
    mapping = {kind: component["$ref"] for kind, component in kinds.items()}
    schema = {
        "description": description,
        "oneOf": list(kinds.values()),
        "discriminator": {"propertyName": "type", "mapping": mapping},
    }
    return Component(name, schema, next(iter(kinds.values())).example)


def record(properties: Mapping[str, Schema], *, optional: Iterable[str] = ()) -> Schema:
    """An object that has these properties, and may have others."""
    required = [name for name in properties if name not in set(optional)]
    return {"type": "object", "properties": dict(properties), "required": required}


def single(data: Component, meta: Component | None = None, name: str = "") -> Component:
    """``{"data": …}``, with ``meta`` beside it."""
    properties = {"data": data, **({"meta": meta} if meta else {})}
    example = {"data": data.example, **({"meta": meta.example} if meta else {})}
    schema = {**record(properties), "description": f"A response with one `{data.name}`."}
    return Component(name or f"{data.name}Document", schema, example)


def listing(data: Component) -> Component:
    """All of a bounded list."""
    schema = {
        **record({"data": described(array(data), "All elements; this list has no pages.")}),
        "description": f"All elements of a list of `{data.name}`.",
    }
    return Component(f"{data.name}List", schema, {"data": [data.example]})


def collection(data: Component, path: str) -> Component:
    """A page of a collection; ``path`` is that of its links in the example."""
    schema = {
        **record({"data": described(array(data), "The elements of this page."), "meta": _PAGE, "links": _LINKS}),
        "description": f"A page of a collection of `{data.name}`.",
    }
    page = f"{path}?page=1&limit=20"
    example = {
        "data": [data.example],
        "meta": {"total_items": 1, "current_page": 1, "per_page": 20},
        "links": {"self": page, "first": page, "last": page},
    }
    return Component(f"{data.name}Collection", schema, example)


_PAGE = Component(
    "PageMeta",
    {
        **record(
            {
                "total_items": described(COUNT, "Number of elements of all pages."),
                "current_page": described(COUNT, "Number of this page, counted from 1."),
                "per_page": described(COUNT, "Maximum number of elements of a page (`limit`)."),
            }
        ),
        "description": "Position of a page in its collection.",
    },
)
_LINKS = Component(
    "PageLinks",
    {
        **record(
            {
                "self": described(TEXT, "Address of this page."),
                "first": described(TEXT, "Address of the first page."),
                "prev": described(TEXT, "Address of the page before; absent on the first page."),
                "next": described(TEXT, "Address of the page after; absent on the last page."),
                "last": described(TEXT, "Address of the last page."),
            },
            optional=("prev", "next"),
        ),
        "description": "Addresses of the pages of a collection, relative to the host.",
    },
)
