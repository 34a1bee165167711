"""Converts pydantic's errors to the problems of a response, bounded in number and size for any input."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from gameshelf.kernel.errors import Problem, pointer_step
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

MAX_PROBLEMS = 50
"""Maximum number of problems in a response."""
_MAX_DESCRIBED = 1000
"""Up to this number of errors pydantic describes them: it describes all or none, and each one takes microseconds."""
_ALLOWED_BESIDE = 1000
"""How many values a document may have besides those of its model: clients send back relationships and links, and the
response should name a misspelt field."""
WHOLE_BODY = "#"
"""Pointer of a problem with the whole body of a request; the empty pointer is that of a command as a whole."""
_CONTAINERS = frozenset({dict, list})
_SEPARATORS_PER_VALUE = 4
"""A document with more separators than this for each value it may have is refused without being parsed: the separators
of ordinary text in its strings are far fewer."""


def entries_of(error: ValidationError, most: int = MAX_PROBLEMS) -> list[Any]:
    """Returns the first of pydantic's entries; for thousands of them a single entry that says so."""
    if error.error_count() > _MAX_DESCRIBED:
        return [{"type": "too_many_problems", "loc": (), "msg": "too many problems", "ctx": {"max": _MAX_DESCRIBED}}]
    entries = error.errors(include_url=False, include_input=False)
    if any(entry["type"] == "too_short" for entry in entries):
        # pydantic counts valid elements only, so it would report a list with an invalid one as too short as well.
        bad_lists = {entry["loc"][:length] for entry in entries for length in range(len(entry["loc"]))}
        entries = [entry for entry in entries if entry["type"] != "too_short" or entry["loc"] not in bad_lists]
    return list(entries[:most])


def problems_of(error: ValidationError, pointer: Callable[[tuple[int | str, ...]], str]) -> list[Problem]:
    """Converts pydantic's entries to problems; ``pointer`` converts their locations."""
    return [
        Problem(entry["type"], pointer=pointer(entry["loc"]), params=entry.get("ctx", {}))
        for entry in entries_of(error)
    ]


def json_pointer(location: tuple[int | str, ...]) -> str:
    """Converts a location to a JSON Pointer (RFC 6901), or ``WHOLE_BODY``."""
    return "".join(map(pointer_step, location)) or WHOLE_BODY


def excess(
    model: type[BaseModel],
    document: bytes,
    most: int | None = None,
    parse: Callable[[bytes], Any] = from_json,
) -> Problem | None:
    """Returns a problem if a JSON document is larger than the model allows: too long a list, or too many values.

    ``most`` bounds the values of a model that accepts objects of any kind, or many of a few kinds. pydantic examines
    each element of a list before it reports that there are too many, and each unknown field of an object. Each one
    costs microseconds, and a megabyte holds half a million, so they are counted first. The model finds all other
    problems.
    """
    longest, most = _longest_list(model), _ALLOWED_BESIDE + (_most_values(model) if most is None else most)
    separators = count_separators(document)
    if separators <= most and (not longest or document.count(b",") < longest):
        return None
    too_many = Problem("too_many_values", pointer=WHOLE_BODY, params={"max": most})
    if separators > _SEPARATORS_PER_VALUE * most:
        return too_many
    try:
        parsed = parse(document)
    except ValueError:
        return None
    if longest and (too_long := _too_long_list(parsed, longest, most)):
        return too_long
    return too_many if _has_more_values(parsed, most) else None


def _too_long_list(document: Any, longest: int, most: int) -> Problem | None:
    """Returns a problem for the first list with more than ``longest`` elements, in a walk over ``most`` values."""
    waiting = [(document, "")]
    while waiting and most >= 0:
        value, pointer = waiting.pop()
        if type(value) is list:
            if len(value) > longest:
                return Problem("too_long", pointer=pointer or WHOLE_BODY, params={"max_length": longest})
            waiting += [(part, f"{pointer}/{at}") for at, part in enumerate(value) if type(part) in _CONTAINERS]
        elif type(value) is dict:
            waiting += [(part, pointer + pointer_step(key)) for key, part in value.items() if type(part) in _CONTAINERS]
        most -= len(value) if type(value) in _CONTAINERS else 0
    return None


def _has_more_values(document: Any, most: int) -> bool:
    """Returns whether a document has more than ``most`` values, in a walk that stops there."""
    waiting = [document]
    while waiting and most >= 0:
        value = waiting.pop()
        if type(value) in _CONTAINERS:
            most -= len(value)
            parts = value.values() if type(value) is dict else value
            waiting += [part for part in parts if type(part) in _CONTAINERS and part]
    return most < 0


def count_separators(document: bytes) -> int:
    """Returns an upper bound of the number of values in a JSON document; counts separators within strings, too."""
    return 1 + document.count(b",") + document.count(b"[") + document.count(b"{")


@cache
def _longest_list(model: type[BaseModel]) -> int:
    """Returns the largest ``maxItems`` in a model; 0 if it has no lists, or accepts values of any kind."""
    lengths: list[int] = []
    waiting: list[Any] = [model.model_json_schema()]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if part.get("additionalProperties") is True:
                return 0
            lengths += [part["maxItems"]] if isinstance(part.get("maxItems"), int) else []
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return max(lengths, default=0)


@cache
def _most_values(model: type[BaseModel]) -> int:
    """Returns the maximum number of values in a document of the model; a value of any kind counts as one."""
    schema = model.model_json_schema()
    return _values_of(schema, schema.get("$defs", {}))


def _values_of(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> int:
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    inside = [_values_of(part, definitions) for part in schema.get("properties", {}).values()]
    kinds = [_values_of(part, definitions) for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ()))]
    elements = schema.get("maxItems", 0) * _values_of(schema["items"], definitions) if "items" in schema else 0
    return 1 + sum(inside) + max(kinds, default=0) + elements
