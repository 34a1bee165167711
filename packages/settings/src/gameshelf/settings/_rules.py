"""The rules of payloads on plain values: validation, merge of layers, merge patches. No I/O, no clock.

A payload is a JSON object as a Python value: dicts, lists, strings, numbers, booleans and None.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from gameshelf.kernel.errors import InvalidInput, Problem, pointer_step
from gameshelf.kernel.nesting import MAX_LEVELS, too_deep
from gameshelf.kernel.text import is_storable

MAX_VALUES = 20_000
"""The maximum number of values in all objects and lists of a payload. Python code visits each of them."""

Json = dict[str, Any]
Origins = dict[str, Any]
"""For each key of a merged payload the layer that it comes from; a dict where layers share an object."""

_POINTER = "settings_payload"
_CONTAINERS = frozenset({dict, list})
_MIN_INTEGER, _MAX_INTEGER = -(2**63), 2**64 - 1


def checked(payload: Json) -> Json:
    """Returns the payload as it will be read later. Strings and keys keep the code points that were sent.

    Raises InvalidInput, with a JSON Pointer to the place, for NUL and lone surrogates, numbers that are not finite,
    whole numbers beyond 64 bits, and more than 32 levels.
    """
    return _checked_object(payload, [], 1)


def _checked(value: Any, path: list[str | int], level: int) -> Any:
    # A payload may have 20,000 values, and each check here runs once per value: a slow one delays all requests.
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
    """Returns the number as it will be read: PostgreSQL has no -0, and writes 1e16 as a whole number."""
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
    """Returns the problem of a payload with too many values."""
    return Problem("too_many_values", pointer=pointer, params={"max": MAX_VALUES})


def _wrong(rule: str, path: Sequence[str | int]) -> InvalidInput:
    return InvalidInput(Problem(rule, pointer=_pointer(path)))


def _pointer(path: Sequence[str | int]) -> str:
    return "".join((_POINTER, *map(pointer_step, path)))


def has_more_values(payload: Json, most: int) -> bool:
    """Returns whether all objects and lists of a payload have more than ``most`` values together, in at most ``most``
    steps.
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
    """Returns compact JSON, as it is stored."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def from_text(text: str) -> Json:
    """Returns the payload in stored JSON. PostgreSQL writes 1e30 as a 1 and thirty zeros; it becomes a float."""
    payload: Json = json.loads(text, parse_int=_whole)
    return payload


def _whole(digits: str) -> int | float:
    value = int(digits) if len(digits) <= 20 else float(digits)
    return value if _MIN_INTEGER <= value <= _MAX_INTEGER else float(value)


def is_same(one: Json, other: Json | None) -> bool:
    """Returns whether two payloads are equal as JSON, in any order of keys. In Python 1, 1.0 and True are equal."""
    # The second comparison costs more, and is only needed where Python finds no difference.
    return one == other and json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def size(payload: Json) -> int:
    """Returns the size of a payload: the bytes of its compact JSON in UTF-8, with numbers without exponents.

    PostgreSQL stores numbers without exponents, so a few bytes of a request could become a few hundred.
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
    """Applies a JSON Merge Patch to ``target`` (RFC 7396): objects merge, null removes, any other value replaces."""
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
    """Returns the layers as one payload, later ones on top, and the layer of each key.

    Objects merge; any other value replaces the one below it. Null is a value like any other: it hides the value of the
    layers below.
    """
    payload: Json = {}
    origins: Origins = {}
    for name, layer in layers.items():
        payload, origins = _over(payload, origins, layer, name)
    return payload, origins


def _over(below: Json, origins: Origins, layer: Json, name: str) -> tuple[Json, Origins]:
    payload, sources = dict(below), dict(origins)
    for key, value in layer.items():
        under = below.get(key)
        if isinstance(under, dict) and isinstance(value, dict):
            source = origins[key]
            if isinstance(source, str):
                source = dict.fromkeys(under, source)
            payload[key], sources[key] = _over(under, source, value, name)
        else:
            payload[key], sources[key] = value, name
    return payload, sources
