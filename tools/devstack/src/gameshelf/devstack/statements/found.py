"""Finds every ``Statement`` that the modules of a package hold, wherever it stands in them."""

import ast
import enum
import functools
import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from itertools import combinations
from pathlib import Path
from types import ModuleType, NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from gameshelf.devstack.source_tree import parse_source
from gameshelf.kernel.database import Statement
from gameshelf.kernel.distribution import user_column
from gameshelf.kernel.happenings import Happenings
from gameshelf.kernel.sql import RowErasure
from sqlalchemy import MetaData

PACKAGES = (
    "gameshelf.kernel",
    "gameshelf.library",
    "gameshelf.playtime",
    "gameshelf.achievements",
    "gameshelf.wishlist",
    "gameshelf.savegames",
    "gameshelf.settings",
    "gameshelf.gateway",
)
"""The packages that are searched for statements."""


def modules(package: str) -> list[ModuleType]:
    """All modules of a package but its migrations and programs, imported."""
    root = importlib.import_module(package)
    names = [found.name for found in pkgutil.walk_packages(root.__path__, f"{package}.")]
    kept = [name for name in names if ".migrations" not in name and not name.endswith("__main__")]
    return [root, *map(importlib.import_module, kept)]


def found(package: str) -> dict[str, Statement]:
    """The statements of a package by where they stand: module below ``gameshelf``, name, a number if it has several.

    A function that makes statements as they are needed, and keeps them (``functools.cache``), is asked for one of each
    of its options: with every two values of its arguments, or of the fields of a dataclass.
    """
    named: dict[str, Statement] = {}
    seen: set[int] = set()
    for module in modules(package):
        where = module.__name__.removeprefix("gameshelf.")
        for name in _own_names(module):
            for number, statement in enumerate(_inside(getattr(module, name, None))):
                if id(statement) not in seen:
                    seen.add(id(statement))
                    named[f"{where}.{name}" + (f" {number}" if number else "")] = statement
    return named


def tables(package: str) -> dict[str, str | None]:
    """The tables of a package, with their schema, each with the column of its users; None is a table of nobody."""
    keys: dict[str, str | None] = {}
    for module in modules(package):
        for value in vars(module).values():
            if isinstance(value, MetaData):
                keys |= {
                    str(table): user_column([column.name for column in table.primary_key.columns])
                    for table in value.tables.values()
                }
    return keys


def _own_names(module: ModuleType) -> list[str]:
    """The names that a module gives itself, in order; those that it imports are others'."""
    names: dict[str, None] = {}
    for node in ast.walk(parse_source(Path(str(module.__file__)).read_text())):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names[node.id] = None
        elif isinstance(node, ast.FunctionDef):
            names[node.name] = None
    return [name for name in names if name in vars(module)]


def _inside(value: Any) -> Iterator[Statement]:
    if isinstance(value, Statement):
        yield value
    elif isinstance(value, RowErasure | Happenings):
        yield from value.statements
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _inside(one)
    elif isinstance(value, list | tuple | frozenset | set):
        for one in value:
            yield from _inside(one)
    elif isinstance(value, functools._lru_cache_wrapper):
        hints = get_type_hints(value)
        if hints.pop("return", None) is Statement:
            for arguments in _options(hints):
                yield value(**arguments)


def _options(hints: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Arguments of these types: the first value of each, and with it every other value and every two of them."""
    values = {name: _values(kind) for name, kind in hints.items()}
    first = {name: some[0] for name, some in values.items()}
    others = [(name, value) for name, some in values.items() for value in some[1:]]
    yield first
    for name, value in others:
        yield first | {name: value}
    for (name, value), (second, other) in combinations(others, 2):
        if name != second:
            yield first | {name: value, second: other}


def _values(kind: Any) -> list[Any]:
    if kind is bool:
        return [False, True]
    if kind is NoneType:
        return [None]
    if get_origin(kind) in (Union, UnionType):
        return [value for one in get_args(kind) for value in _values(one)]
    if get_origin(kind) is Literal:
        return list(get_args(kind))
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return list(kind)
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        return [kind(**arguments) for arguments in _options({field.name: hints[field.name] for field in fields(kind)})]
    raise TypeError(f"{kind} has no values that could be listed")
