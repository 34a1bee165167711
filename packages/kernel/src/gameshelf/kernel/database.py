"""Statements of SQLAlchemy Core, compiled once and run by asyncpg.

Compiling a Core statement costs more than running it. So a statement is compiled once, at its first use: to compile all
of them at import took a fifth of the start. asyncpg prepares it once per connection.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from asyncpg import Record
from sqlalchemy import ColumnClause, Label
from sqlalchemy.dialects.postgresql import asyncpg as _asyncpg
from sqlalchemy.sql import ClauseElement

_DIALECT = _asyncpg.dialect()  # type: ignore[no-untyped-call]
_COMPILED = frozenset(("_constants", "_names", "columns", "sql"))
"""What a statement has once it is compiled."""


class Connection(Protocol):
    """The methods of an asyncpg connection (or of one from a pool) that domain packages call."""

    async def fetch(self, query: str, *args: Any) -> list[Any]: ...

    async def fetchrow(self, query: str, *args: Any) -> Any: ...

    async def execute(self, query: str, *args: Any) -> str: ...

    def is_in_transaction(self) -> bool: ...


class BatchingConnection:
    """A connection that saves round trips: it runs writes later, and reads several statements together."""

    def collect(self, query: str, values: Sequence[Any]) -> None:
        """Takes a write, which runs at the latest when the transaction ends."""
        raise NotImplementedError

    async def look_ahead(self, lookups: "Sequence[BoundStatement]") -> None:
        """Reads these together. A later call for one of them gets its rows, without a round trip."""
        raise NotImplementedError


class Statement:
    """A Core statement, compiled once. Its parameters are the names of its ``bindparam``s, passed by name in each call.

    Values are passed to asyncpg unchanged: a UUID, a datetime, a list for an array. Names that the statement does not
    have are ignored, so that callers can treat several statements alike; a missing one raises TypeError. So does the
    first use of a statement that relies on a column's Python-side default; a test compiles all of them.

    >>> FIND = Statement(select(Item.title).where(Item.id == bindparam("id", type_=Uuid)))
    >>> row = await FIND.first(connection, id=item_id)
    """

    __slots__ = ("_constants", "_core", "_names", "columns", "sql")

    sql: str
    """The text for asyncpg, with ``$1``-style parameters."""
    columns: tuple[str, ...]
    """The names of the columns of its rows, in their order; none where it returns no rows."""
    _names: tuple[str, ...]
    _constants: dict[str, Any]

    def __init__(self, core: ClauseElement) -> None:
        self._core: ClauseElement | None = core

    if not TYPE_CHECKING:  # a type checker would accept any name

        def __getattr__(self, name: str) -> Any:
            # Python calls this only while a slot is empty, so a compiled statement has no cost from it.
            if name not in _COMPILED:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            core = self._core
            if name == "columns" and core is not None and (columns := _named_columns(core)):
                self.columns = columns  # a RowReader, which is made at import, needs no more
            else:
                self._compile()
            return getattr(self, name)

    def _compile(self) -> None:
        core: Any = self._core
        if core is None:
            return  # another thread was quicker
        compiled = core.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
        if compiled.insert_prefetch or compiled.update_prefetch:
            # SQLAlchemy's engine would compute them at each execution; here they would be null without an error.
            raise TypeError("a column's Python default does not apply here: give the value, or leave it to the server")
        self.sql = str(compiled)
        self.columns = tuple(column.keyname for column in compiled._result_columns)
        self._names = tuple(compiled.positiontup or ())
        required = {name for name, bound in compiled.binds.items() if bound.required}
        self._constants = {name: value for name, value in compiled.params.items() if name not in required}
        self._core = None

    def _values(self, given: dict[str, Any]) -> list[Any]:
        values = self._constants | given
        try:
            return [values[name] for name in self._names]
        except KeyError as missing:
            # A null instead would match no row, or store nothing, without an error.
            raise TypeError(f"the statement's parameter {missing} is not given") from None

    async def all(self, connection: Connection, **values: Any) -> list[Record]:
        """Returns every row."""
        return await connection.fetch(self.sql, *self._values(values))

    async def first(self, connection: Connection, **values: Any) -> Record | None:
        """Returns the first row, or None."""
        row: Record | None = await connection.fetchrow(self.sql, *self._values(values))
        return row

    async def run(self, connection: Connection, **values: Any) -> int:
        """Runs an insert, update or delete. Returns the number of rows that it changed."""
        status = await connection.execute(self.sql, *self._values(values))
        return int(status.rpartition(" ")[2] or 0)

    async def write(self, connection: Connection, **values: Any) -> None:
        """Runs an insert, update or delete of which nobody needs a result. A ``BatchingConnection`` runs it later.

        So it may only be followed by reads that do not depend on it.
        """
        if isinstance(connection, BatchingConnection):
            connection.collect(self.sql, self._values(values))
        else:
            await connection.execute(self.sql, *self._values(values))

    def bind(self, **values: Any) -> "BoundStatement":
        """Returns this statement with its values."""
        return BoundStatement(self, self._values(values))


@dataclass(frozen=True, slots=True)
class BoundStatement:
    """A statement with its values. A use case names those that it reads first, so that a caller can read all of them in
    one round trip.
    """

    statement: Statement
    values: Sequence[Any]

    async def all(self, connection: Connection) -> list[Record]:
        """Returns every row."""
        return await connection.fetch(self.statement.sql, *self.values)

    async def first(self, connection: Connection) -> Record | None:
        """Returns the first row, or None."""
        row: Record | None = await connection.fetchrow(self.statement.sql, *self.values)
        return row


async def look_ahead(connection: Connection, *lookups: BoundStatement) -> None:
    """Reads together what the caller is about to read one by one, if the connection can; otherwise it does nothing."""
    if isinstance(connection, BatchingConnection):
        await connection.look_ahead(lookups)


def _named_columns(core: Any) -> tuple[str, ...] | None:
    """The names of the columns of a statement's rows; None where only compiling it gives them."""
    columns = list(core.exported_columns)
    if not all(isinstance(column, ColumnClause | Label) for column in columns):
        return None  # SQLAlchemy names an expression without a label while it compiles
    names = tuple(str(column.name) for column in columns)
    return names if names and len(set(names)) == len(names) else None
