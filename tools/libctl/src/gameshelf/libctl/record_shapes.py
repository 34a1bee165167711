"""The shapes of JSON that is made of dataclasses and models, from the types of their fields."""

import types
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from gameshelf.libctl.shapes import FLAG, NUMBER, REAL, STRING, TIME, list_of, or_null

_PLAIN: Mapping[type, Mapping[str, Any]] = {str: STRING, bool: FLAG, int: NUMBER, float: REAL, datetime: TIME}


def fields_of(record: type, *names: str) -> dict[str, Any]:
    """Returns the schemas of the fields of a record; with names those of these only."""
    hints = get_type_hints(record)
    return {name: _schema(hints[name]) for name in names or hints}


def _schema(hint: Any) -> Any:
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        [value] = [one for one in arguments if one is not types.NoneType]
        return or_null(_schema(value))
    if origin in (list, Sequence):
        return list_of(_schema(arguments[0]))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"enum": [one.value for one in hint]}
    raise TypeError(f"{hint} has no schema")
