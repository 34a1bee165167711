"""Decisions on plain values: what a payload may be, how layers become one, what a patch changes. No I/O, no clock.

A payload is a JSON object as Python has it: dicts, lists, strings, numbers, booleans and None.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from gameshelf.kernel.errors import InvalidInput, Problem, pointer_step
from gameshelf.kernel.nesting import MAX_LEVELS, too_deep
from gameshelf.kernel.text import is_storable

MAX_VALUES = 20_000
"""How many values a payload may have, in all its objects and lists together. Each of them is looked at in Python."""

Json = dict[str, Any]
Origins = dict[str, Any]
"""For each key of a merged payload the layer that it came from; a dict where layers share an object."""

_POINTER = "settings_payload"
_CONTAINERS = frozenset({dict, list})
_MIN_INTEGER, _MAX_INTEGER = -(2**63), 2**64 - 1


def checked(payload: Json) -> Json:
    """The payload as it will be read again: strings and keys code point by code point as they were sent.

    Raises InvalidInput, with a JSON Pointer to the place: NUL and lone surrogates, numbers that are not finite or whole
    ones beyond 64 bits, more than 32 levels.
    """
    return _checked_object(payload, [], 1)


def _checked(value: Any, path: list[str | int], level: int) -> Any:
    # A payload may have a hundred thousand values: whatever is asked of each of them is felt by everybody.
    kind = type(value)
    if kind is str:
        _require_storable(value, path)
    elif kind is int:
        if not _MIN_INTEGER <= value <= _MAX_INTEGER:
            raise _wrong("integer_too_large", path)
    elif kind is float:
        if not math.isfinite(value):
            raise _wrong("finite_number", path)
        return _as_read_back(value)
    elif kind is dict:
        return _checked_object(value, path, level + 1)
    elif kind is list:
        return _checked_list(value, path, level + 1)
    return value


def _as_read_back(value: float) -> int | float:
    """The number as it is read again: PostgreSQL knows no -0, and writes 1e16 out, which is then a whole number."""
    if abs(value) >= 1e16 and _MIN_INTEGER <= value <= _MAX_INTEGER:
        return int(value)
    return value + 0.0


def _checked_object(value: Json, path: list[str | int], level: int) -> Json:
    _require_level(path, level)
    found: Json = {}
    path.append("")
    for key, item in value.items():
        path[-1] = key
        _require_storable(key, path)
        found[key] = _checked(item, path, level)
    path.pop()
    return found


def _checked_list(value: list[Any], path: list[str | int], level: int) -> list[Any]:
    _require_level(path, level)
    found = []
    path.append(0)
    for index, item in enumerate(value):
        path[-1] = index
        found.append(_checked(item, path, level))
    path.pop()
    return found


def _require_storable(text: str, path: Sequence[str | int]) -> None:
    if not ((text.isascii() and "\0" not in text) or is_storable(text)):
        raise _wrong("text_forbidden_character", path)


def _require_level(path: Sequence[str | int], level: int) -> None:
    if level > MAX_LEVELS:
        raise InvalidInput(too_deep(_pointer(path)))


def too_many_values(pointer: str = _POINTER) -> Problem:
    """What is wrong with a payload of too many values."""
    return Problem("too_many_values", pointer=pointer, params={"max": MAX_VALUES})


def _wrong(rule: str, path: Sequence[str | int]) -> InvalidInput:
    return InvalidInput(Problem(rule, pointer=_pointer(path)))


def _pointer(path: Sequence[str | int]) -> str:
    return "".join((_POINTER, *map(pointer_step, path)))


def has_more_values(payload: Json, most: int) -> bool:
    """Whether a payload has more values than so many, in all its objects and lists together.

    The answer costs no more than that many steps, however large the payload is.
    """
    containers: list[Any] = [payload]
    while containers:
        container = containers.pop()
        most -= len(container)
        if most < 0:
            return True
        values = container.values() if type(container) is dict else container
        containers += [value for value in values if type(value) in _CONTAINERS and value]
    return False


def as_text(payload: Json) -> str:
    """Compact JSON, as it is stored."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def from_text(text: str) -> Json:
    """The payload in stored JSON. PostgreSQL writes 1e30 as a 1 and thirty zeros: that is a float again."""
    payload: Json = json.loads(text, parse_int=_whole)
    return payload


def _whole(digits: str) -> int | float:
    value = int(digits) if len(digits) <= 20 else float(digits)
    return value if _MIN_INTEGER <= value <= _MAX_INTEGER else float(value)


def is_same(one: Json, other: Json | None) -> bool:
    """Whether two payloads say the same, whatever the order of their keys. To Python 1, 1.0 and True are equal."""
    # What differs to Python differs; only what is equal to it has to be looked at more closely, which costs more.
    return one == other and json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def size(payload: Json) -> int:
    """How many bytes a payload counts: those of its compact JSON in UTF-8, with numbers written out without exponents.

    PostgreSQL writes them out, so that a few bytes sent could otherwise be a few hundred stored.
    """
    return len(as_text(payload).encode()) + _exponents(payload)


def _exponents(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(_exponents, value.values()))
    if isinstance(value, list):
        return sum(map(_exponents, value))
    if isinstance(value, float) and not 1e-4 <= abs(value) < 1e16:  # between these Python writes no exponent
        return abs(int(repr(value).partition("e")[2] or 0))
    return 0


def patched(target: Any, patch: Any) -> Any:
    """``target`` with a JSON Merge Patch applied (RFC 7396): objects merge, null removes, all else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = patched(result.get(key), value)
    return result


def merged(layers: Mapping[str, Json]) -> tuple[Json, Origins]:
    """The layers as one payload, later ones on top, and where each key came from.

    Objects merge; anything else replaces what is below it. Null is a value like any other: in a layer it hides what the
    layers below say.
    """
    payload: Json = {}
    origins: Origins = {}
    for name, layer in layers.items():
        payload, origins = _over(payload, origins, layer, name)
    return payload, origins


def _over(below: Json, origins: Origins, layer: Json, name: str) -> tuple[Json, Origins]:
    payload, told = dict(below), dict(origins)
    for key, value in layer.items():
        under = below.get(key)
        if isinstance(under, dict) and isinstance(value, dict):
            source = origins[key]
            if isinstance(source, str):
                source = dict.fromkeys(under, source)
            payload[key], told[key] = _over(under, source, value, name)
        else:
            payload[key], told[key] = value, name
    return payload, told
