"""Parses bodies with lists of thousands of objects, in steps that leave the event loop its turns.

A thread alone would not help: one call of the JSON parser or of pydantic holds the interpreter until it ends. So the
lists are validated in chunks of `CHUNK` elements, and the rest of the body in one step, with the same problems as if
the body were validated at once.
"""

from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256
from types import GenericAlias
from typing import Any, TypeVar, get_args, get_origin

import orjson
from gameshelf.gateway.runtime.problems import (
    MAX_PROBLEMS,
    WHOLE_BODY,
    count_separators,
    entries_of,
    json_pointer,
    problems_of,
)
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.kernel.nesting import too_deep
from pydantic import BaseModel, TypeAdapter, ValidationError, create_model
from pydantic.fields import FieldInfo

M = TypeVar("M", bound=BaseModel)

CHUNK = 250
"""How many elements of a list are validated at once."""
_MOST_VALUES = 200_000


def values_hash_in_chunks(body: bytes) -> bytes | None:
    """Returns a hash of a body's values, as ``values_hash`` does for smaller bodies; None if the body is not JSON.

    Whole numbers with a point or an exponent, which no list of files may contain, are compared as doubles. Of a body
    with more values than any may have the bytes are hashed: it is refused anyway.
    """
    if count_separators(body) > _MOST_VALUES:
        return sha256(body).digest()
    digest = sha256()
    try:
        for part in _canonical(orjson.loads(body) if body else None):
            digest.update(part)
    except ValueError:
        return None
    except (TypeError, RecursionError):  # nested too deeply for the encoder, and so refused anyway
        return sha256(body).digest()
    return digest.digest()


def _canonical(value: Any) -> Iterator[bytes]:
    """Yields the parts of a canonical text. Only objects around long lists are walked, so the depth is bounded."""
    if type(value) is dict:
        yield b"{"
        for key in sorted(value):
            yield orjson.dumps(key)
            yield from _canonical(value[key])
        yield b"}"
    elif type(value) is list and len(value) > CHUNK:
        for chunk in _chunks(value):
            yield orjson.dumps([_whole(one) for one in chunk], option=orjson.OPT_SORT_KEYS)
    else:
        yield orjson.dumps(_whole(value), option=orjson.OPT_SORT_KEYS)


def _whole(value: Any) -> Any:
    """Returns a value in which 1.0 and 1e0 are 1."""
    if type(value) is dict:
        return {key: _whole(one) for key, one in value.items()}
    if type(value) is list:
        return [_whole(one) for one in value]
    return int(value) if type(value) is float and value.is_integer() and abs(value) < 2**63 else value


def _chunks(values: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]


@dataclass(frozen=True, slots=True)
class _Lists:
    """The lists of a model that are validated in chunks, and a model of all else."""

    elements: Mapping[str, TypeAdapter[list[Any]]]
    rest: type[BaseModel]


@cache
def _lists_of(model: type[BaseModel]) -> _Lists:
    """Returns the long lists of a model: tuples of more than `CHUNK` elements."""
    elements: dict[str, TypeAdapter[list[Any]]] = {}
    fields: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        element = _element_of(field) if _longest(model, name) > CHUNK else None
        if element is not None:
            of_elements: Any = GenericAlias(list, (element,))
            elements[name] = TypeAdapter(of_elements)
            # The list is taken out before; what is not a list is refused by the type of the field.
            field = copy(field)
            field.default = None
        fields[name] = (field.annotation, field)
    return _Lists(elements, create_model(f"{model.__name__}Rest", __config__=model.model_config, **fields))


def _element_of(field: FieldInfo) -> Any:
    for kind in (field.annotation, *get_args(field.annotation)):
        if get_origin(kind) is tuple and get_args(kind)[1:] == (...,):
            return get_args(kind)[0]
    return None


def _longest(model: type[BaseModel], name: str) -> int:
    schema = model.model_json_schema()["properties"][name]
    return max((one.get("maxItems", 0) for one in (schema, *schema.get("anyOf", ()))), default=0)


def parse_in_chunks(model: type[M], attributes: Mapping[str, Any], place: str = "/data/attributes") -> M:
    """Validates attributes strictly as ``model``; ``place`` is their pointer.

    Raises InvalidInput with the problems that ``model_validate_json`` would have, except that validators of the whole
    model run only if all fields are valid.
    """
    lists, given = _lists_of(model), dict(attributes)
    taken = {name: given.pop(name) for name in lists.elements if type(given.get(name)) is list}
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    try:
        rest = lists.rest.model_validate_json(_encoded(given), strict=True)
    except ValidationError as error:
        problems += problems_of(error, partial(_joined, place))
    else:
        values = {name: getattr(rest, name) for name in rest.model_fields_set}
    for name, elements in taken.items():
        parsed = _parse_list(lists.elements[name], elements, f"{place}/{name}", problems)
        values[name] = tuple(parsed)
    if problems:
        raise InvalidInput(*problems[:MAX_PROBLEMS])
    try:
        return model.model_validate(values, strict=True)
    except ValidationError as error:
        raise InvalidInput(*problems_of(error, partial(_joined, place))) from None


def _parse_list(adapter: TypeAdapter[list[Any]], given: list[Any], place: str, problems: list[Problem]) -> list[Any]:
    parsed: list[Any] = []
    for number, chunk in enumerate(_chunks(given)):
        if len(problems) >= MAX_PROBLEMS:
            break
        try:
            parsed += adapter.validate_json(_encoded(chunk), strict=True)
        except ValidationError as error:
            first = number * CHUNK
            for entry in entries_of(error):
                at = entry["loc"]
                pointer = f"{place}{json_pointer((first + at[0], *at[1:]))}" if at else WHOLE_BODY
                problems.append(Problem(entry["type"], pointer=pointer, params=entry.get("ctx", {})))
    return parsed


def _encoded(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:
        raise InvalidInput(too_deep("/data")) from None


def _joined(place: str, location: tuple[int | str, ...]) -> str:
    return place + json_pointer(location) if location else place
