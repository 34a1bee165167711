"""What a model refuses, as problems of an answer: bounded in number and size, whatever was sent."""

from collections.abc import Callable
from functools import cache
from typing import Any

from gameshelf.kernel.errors import Problem, pointer_step
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

MAX_PROBLEMS = 50
"""How many problems one answer names."""
_MAX_DESCRIBED = 1000
"""Of how many pydantic is asked for the description: it describes all of them or none, and each takes microseconds."""


def entries_of(error: ValidationError, most: int = MAX_PROBLEMS) -> list[Any]:
    """The first of pydantic's entries; of thousands none but one that says so."""
    if error.error_count() > _MAX_DESCRIBED:
        return [{"type": "too_many_problems", "loc": (), "msg": "too many problems", "ctx": {"max": _MAX_DESCRIBED}}]
    return list(error.errors(include_url=False, include_input=False)[:most])


def problems_of(error: ValidationError, pointer: Callable[[tuple[int | str, ...]], str]) -> list[Problem]:
    """The same as problems; ``pointer`` makes their place of pydantic's location."""
    return [
        Problem(entry["type"], pointer=pointer(entry["loc"]), params=entry.get("ctx", {}))
        for entry in entries_of(error)
    ]


def json_pointer(location: tuple[int | str, ...]) -> str:
    """A location as a JSON Pointer (RFC 6901)."""
    return "".join(map(pointer_step, location))


def too_long_list(model: type[BaseModel], document: bytes) -> Problem | None:
    """A list in a JSON document that is longer than any list of the model may be.

    pydantic checks each element of a list before it says that there are too many, and a megabyte holds half a million.
    Anything else that is wrong with the document is left to the model.
    """
    longest = _longest_list(model)
    if not longest or document.count(b",") < longest:
        return None
    try:
        parsed = from_json(document)
    except ValueError:
        return None
    waiting: list[tuple[Any, str]] = [(parsed, "")]
    while waiting:
        value, pointer = waiting.pop()
        if isinstance(value, list) and len(value) > longest:
            return Problem("too_long", pointer=pointer, params={"max_length": longest})
        # By its kind, since a pointer for each of a hundred thousand values would cost what this is to save.
        if isinstance(value, dict):
            waiting += [
                (part, pointer + pointer_step(key)) for key, part in value.items() if isinstance(part, dict | list)
            ]
        else:
            waiting += [(part, f"{pointer}/{at}") for at, part in enumerate(value) if isinstance(part, dict | list)]
    return None


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
