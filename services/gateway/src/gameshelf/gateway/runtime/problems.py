"""What a model refuses, as problems of an answer: bounded in number and size, whatever was sent."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from gameshelf.kernel.errors import Problem, pointer_step
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

MAX_PROBLEMS = 50
"""How many problems one answer names."""
_MAX_DESCRIBED = 1000
"""Of how many pydantic is asked for the description: it describes all of them or none, and each takes microseconds."""
_ALLOWED_BESIDE = 1000
"""How many values a document may have beside those of its model: clients send back relationships and links, and who
misspells a field is to be told which one."""
_CONTAINERS = frozenset({dict, list})
_SEPARATORS_PER_VALUE = 4
"""A document with more separators than this for each value it may have is refused without being parsed: the separators
of ordinary text in its strings are far fewer."""


def entries_of(error: ValidationError, most: int = MAX_PROBLEMS) -> list[Any]:
    """The first of pydantic's entries; of thousands none but one that says so."""
    if error.error_count() > _MAX_DESCRIBED:
        return [{"type": "too_many_problems", "loc": (), "msg": "too many problems", "ctx": {"max": _MAX_DESCRIBED}}]
    entries = error.errors(include_url=False, include_input=False)
    if any(entry["type"] == "too_short" for entry in entries):
        # pydantic counts good elements only: a list with a bad one is not too short as well.
        bad_lists = {entry["loc"][:length] for entry in entries for length in range(len(entry["loc"]))}
        entries = [entry for entry in entries if entry["type"] != "too_short" or entry["loc"] not in bad_lists]
    return list(entries[:most])


def problems_of(error: ValidationError, pointer: Callable[[tuple[int | str, ...]], str]) -> list[Problem]:
    """The same as problems; ``pointer`` makes their place of pydantic's location."""
    return [
        Problem(entry["type"], pointer=pointer(entry["loc"]), params=entry.get("ctx", {}))
        for entry in entries_of(error)
    ]


def json_pointer(location: tuple[int | str, ...]) -> str:
    """A location as a JSON Pointer (RFC 6901)."""
    return "".join(map(pointer_step, location))


def excess(model: type[BaseModel], document: bytes, most: int | None = None) -> Problem | None:
    """What a JSON document has more of than any document of the model may: elements of one list, or values altogether.

    ``most`` bounds the values of a model that takes objects of any kind. pydantic looks at each element of a list
    before it says that there are too many, and at each unknown field of an object; each of them costs microseconds, and
    a megabyte holds half a million. So they are counted first. Anything else that is wrong is left to the model.
    """
    longest, most = _longest_list(model), _ALLOWED_BESIDE + (_most_values(model) if most is None else most)
    separators = count_separators(document)
    if separators <= most and (not longest or document.count(b",") < longest):
        return None
    too_many = Problem("too_many_values", pointer="", params={"max": most})
    if separators > _SEPARATORS_PER_VALUE * most:
        return too_many
    try:
        parsed = from_json(document)
    except ValueError:
        return None
    if longest and (too_long := _too_long_list(parsed, longest, most)):
        return too_long
    return too_many if _has_more_values(parsed, most) else None


def _too_long_list(document: Any, longest: int, most: int) -> Problem | None:
    """The first list that is found to be longer, in a walk over so many values."""
    waiting = [(document, "")]
    while waiting and most >= 0:
        value, pointer = waiting.pop()
        if type(value) is list:
            if len(value) > longest:
                return Problem("too_long", pointer=pointer, params={"max_length": longest})
            waiting += [(part, f"{pointer}/{at}") for at, part in enumerate(value) if type(part) in _CONTAINERS]
        elif type(value) is dict:
            waiting += [(part, pointer + pointer_step(key)) for key, part in value.items() if type(part) in _CONTAINERS]
        most -= len(value) if type(value) in _CONTAINERS else 0
    return None


def _has_more_values(document: Any, most: int) -> bool:
    """Whether a document has more values than so many, in a walk over no more of them."""
    waiting = [document]
    while waiting and most >= 0:
        value = waiting.pop()
        if type(value) in _CONTAINERS:
            most -= len(value)
            parts = value.values() if type(value) is dict else value
            waiting += [part for part in parts if type(part) in _CONTAINERS and part]
    return most < 0


def count_separators(document: bytes) -> int:
    """An upper bound of the number of values in a JSON document; separators within strings count, too."""
    return 1 + document.count(b",") + document.count(b"[") + document.count(b"{")


@cache
def _longest_list(model: type[BaseModel]) -> int:
    """The largest ``maxItems`` in a model; 0 where it has no lists, or values of any kind at all."""
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
    """How many values a document of the model has at the most; what is of any kind counts as one."""
    schema = model.model_json_schema()
    return _values_of(schema, schema.get("$defs", {}))


def _values_of(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> int:
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    inside = [_values_of(part, definitions) for part in schema.get("properties", {}).values()]
    kinds = [_values_of(part, definitions) for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ()))]
    elements = schema.get("maxItems", 0) * _values_of(schema["items"], definitions) if "items" in schema else 0
    return 1 + sum(inside) + max(kinds, default=0) + elements
