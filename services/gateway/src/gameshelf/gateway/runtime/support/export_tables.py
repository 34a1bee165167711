"""Finds rows of a user by the columns of all tables, so that new tables are exported too."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Statement
from gameshelf.kernel.sql import user
from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    tuple_,
)

USER_COLUMNS = ("user_id", "owner_user_id", "shared_with_user_id", "holder_user_id", "subject_id")
"""A row belongs to a user if one of these columns has their id. The owner of a played copy is not among them."""
_BITS = {BigInteger: 63, SmallInteger: 15}
"""Number of bits of each integer type without the sign."""

ExportTables = Mapping[str, Table]


def _in_audit(tables: ExportTables) -> Any:
    return tables["gateway.audit"].c.user_hash == bindparam("user_hash", type_=LargeBinary)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a user in an object store."""

    name: str
    key: str
    size: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class ExportRules:
    """Rules of an export that do not follow from the columns of a table."""

    found_by: Mapping[tuple[str, str], Callable[[ExportTables], Any]] = field(default_factory=dict)
    """Table and column → a condition that selects the same rows by an index, for columns that begin no index."""
    left_out: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Table → the columns that are not the user's own data."""
    files: Mapping[str, Callable[[Mapping[str, Any]], StoredFile | None]] = field(default_factory=dict)
    """Table → the file of one of its rows; None for a row that no longer has one."""


NO_RULES = ExportRules()
OWN_RULES = ExportRules(
    found_by={("gateway.audit", "user_id"): _in_audit},
    # The staff member who ran a command is not the user's data.
    left_out={"gateway.audit": frozenset({"actor_id", "user_hash"})},
)


@dataclass(frozen=True)
class Source:
    """The rows of a table that belong to a user by one of its columns, ordered by key.

    Its statements are compiled at first use: compiling all of them would take a third of the start.
    """

    table: Table
    column: str
    key: tuple["Column[Any]", ...]
    """The primary key without the column and those that are left out: they are equal in all of the rows. Empty if there
    is at most one row.
    """
    where: Any
    """The condition that selects them."""
    shown: tuple["Column[Any]", ...]
    """The columns that are exported."""

    @property
    def name(self) -> str:
        return f"{self.table.fullname}:{self.column}"

    @cached_property
    def first(self) -> Statement:
        """Parameters ``user_id``, ``user_hash``, ``limit``, ``bytes``: ``row, page_size``, and the key of each row."""
        return _page(self.shown, self.key, self.where)

    @cached_property
    def after(self) -> Statement:
        """The same after a key: parameters ``k0``, ``k1``, …"""
        if not self.key:
            return self.first
        given = (bindparam(f"k{place}", type_=one.type) for place, one in enumerate(self.key))
        return _page(self.shown, self.key, and_(self.where, tuple_(*self.key) > tuple_(*given)))

    @property
    def count(self) -> Any:
        """The number of rows, as a scalar subquery."""
        return select(func.count()).select_from(self.table).where(self.where).scalar_subquery()

    def parse(self, key: list[Any]) -> dict[str, Any]:
        """Parses the key of a cursor into the parameters of ``after``. Raises ValueError, TypeError, OverflowError."""
        return {
            f"k{place}": _value(column, text) for place, (column, text) in enumerate(zip(self.key, key, strict=True))
        }


def sources(metadata: Iterable[MetaData], rules: ExportRules) -> list[Source]:
    """Returns all sources of rows of users, ordered by name."""
    tables = {name: table for one in metadata for name, table in one.tables.items()}
    return [
        _source(tables, tables[name], column, earlier, rules)
        for name in sorted(tables)
        for column, earlier in _columns(tables[name])
    ]


def _columns(table: Table) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Returns the user columns of a table, each with those before it."""
    names = tuple(name for name in USER_COLUMNS if name in table.c)
    return ((name, names[:place]) for place, name in enumerate(names))


def _source(tables: ExportTables, table: Table, column: str, earlier: tuple[str, ...], rules: ExportRules) -> Source:
    find = rules.found_by.get((table.fullname, column))
    # A row that belongs to a user by two columns is exported once.
    not_yet = (table.c[name].is_distinct_from(user()) for name in earlier)
    where = and_(find(tables) if find else table.c[column] == user(), *not_yet)
    left_out = rules.left_out.get(table.fullname, frozenset())
    key = tuple(one for one in table.primary_key.columns if one.name not in {column, *left_out})
    shown = tuple(one for one in table.c if one.name not in left_out)
    return Source(table, column, key, where, shown)


def _page(shown: Sequence["Column[Any]"], key: tuple["Column[Any]", ...], where: Any) -> Statement:
    """Selects rows as JSON: at most ``limit`` rows and about ``bytes`` bytes, but at least one row."""
    pairs = [part for column in shown for part in (literal_column(f"'{column.name}'", Text), _json(column))]
    named = [column.label(f"k{place}") for place, column in enumerate(key)]
    found = (
        select(cast(func.json_build_object(*pairs), Text).label("row"), *named)
        .where(where)
        .order_by(*key)
        .limit(bindparam("limit", type_=Integer))
        .subquery("found")
    )
    order = [found.c[f"k{place}"] for place in range(len(key))]
    length = func.octet_length(found.c.row)
    through = func.sum(length).over(order_by=order or [literal_column("1")], rows=(None, 0))
    page = select(*found.c, func.count().over().label("page_size"), (through - length).label("before")).subquery("page")
    keys = [page.c[f"k{place}"] for place in range(len(key))]
    return Statement(
        select(page.c.row, page.c.page_size, *keys)
        .where(page.c.before < bindparam("bytes", type_=BigInteger))
        .order_by(*keys)
    )


def _json(column: "Column[Any]") -> Any:
    if isinstance(column.type, LargeBinary):
        return func.replace(func.encode(column, "base64"), "\n", "")
    return column


def _value(column: "Column[Any]", text: Any) -> Any:
    kind = column.type.python_type
    if kind is int:
        half = 2 ** next((bits for size, bits in _BITS.items() if isinstance(column.type, size)), 31)
        if not (isinstance(text, int) and -half <= text < half):
            raise ValueError
        return text
    if not isinstance(text, str) or "\0" in text:
        raise ValueError
    if kind is datetime:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError
        return moment.astimezone(UTC)
    return UUID(text) if kind is UUID else text
