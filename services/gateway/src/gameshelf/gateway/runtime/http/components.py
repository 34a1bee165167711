"""Named schemas of the OpenAPI document, and the envelopes of responses.

Responses are open: a client has to accept fields that it does not know, so nothing here forbids them.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

from gameshelf.gateway.runtime.http.schemas import COUNT, TEXT, Schema, array
from gameshelf.gateway.runtime.http.texts import plain


class Component(dict[str, Any]):
    """A reference to a named schema; the OpenAPI document collects the schemas of all references."""

    def __init__(self, name: str, definition: Schema, example: Any = None, **beside: Any) -> None:
        """``beside`` are keywords next to the reference, for this use of the schema only."""
        super().__init__({"$ref": f"#/components/schemas/{name}", **beside})
        self.name = name
        self.definition = definition
        self.example = example


def described(schema: Schema, description: str) -> Schema:
    """Adds a description to a schema for one use of it."""
    if isinstance(schema, Component):
        return Component(schema.name, schema.definition, schema.example, description=description)
    return {**schema, "description": description}


def enumeration(
    values: type[Enum] | Iterable[str], name: str = "", description: str = "", *, may_grow: bool = False
) -> Component:
    """A component for one of these strings. The name and description of an enum class are the defaults.

    ``may_grow``: a later version may respond with others, so that a generated client has to accept any string.
    """
    if isinstance(values, type):
        name, description = name or values.__name__, description or plain(values.__doc__ or "")
    # The same schema as pydantic makes for a request with this class.
    keyword = "x-extensible-enum" if may_grow else "enum"
    return Component(name, {"description": description, keyword: [str(one) for one in values], "type": "string"})


IMPORT_RESULT = enumeration(
    ("accepted", "duplicate", "rejected"),
    "ImportResult",
    "Result of one element of an import: `accepted`, `duplicate` (it changed nothing) or `rejected`.",
)


def either(name: str, description: str, kinds: Mapping[str, Component]) -> Component:
    """One of several resources, which are distinguished by their ``type``."""
    mapping = {kind: component["$ref"] for kind, component in kinds.items()}
    schema = {
        "description": description,
        "oneOf": list(kinds.values()),
        "discriminator": {"propertyName": "type", "mapping": mapping},
    }
    return Component(name, schema, next(iter(kinds.values())).example)


def record(properties: Mapping[str, Schema], *, optional: Iterable[str] = ()) -> Schema:
    """The schema of an object that has these properties, and may have others."""
    required = [name for name in properties if name not in set(optional)]
    return {"type": "object", "properties": dict(properties), "required": required}


def single(data: Component, meta: Component | None = None, name: str = "") -> Component:
    """The component of ``{"data": …}``, optionally with ``meta``."""
    properties = {"data": data, **({"meta": meta} if meta else {})}
    example = {"data": data.example, **({"meta": meta.example} if meta else {})}
    schema = {**record(properties), "description": f"A response with one `{data.name}`."}
    return Component(name or f"{data.name}Document", schema, example)


def listing(data: Component) -> Component:
    """The component of a response with all elements of a bounded list."""
    schema = {
        **record({"data": described(array(data), "All elements; this list has no pages.")}),
        "description": f"All elements of a list of `{data.name}`.",
    }
    return Component(f"{data.name}List", schema, {"data": [data.example]})


def collection(data: Component, path: str) -> Component:
    """The component of a page of a collection; ``path`` is the one of its links in the example."""
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
                "prev": described(TEXT, "Address of the previous page; absent on the first page."),
                "next": described(TEXT, "Address of the next page; absent on the last page."),
                "last": described(TEXT, "Address of the last page."),
            },
            optional=("prev", "next"),
        ),
        "description": "Addresses of the pages of a collection, relative to the host.",
    },
)
