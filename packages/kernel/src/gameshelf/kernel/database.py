"""SQL as SQLAlchemy Core writes it, compiled once, run by asyncpg.

Compiling a Core statement costs more than running it. So a statement is compiled when its module is imported, and
asyncpg, which prepares it once a connection, does the rest.
"""

from typing import Any, Protocol

from asyncpg import Record
from sqlalchemy.dialects.postgresql import asyncpg as _asyncpg
from sqlalchemy.sql import ClauseElement

_DIALECT = _asyncpg.dialect()  # type: ignore[no-untyped-call]


class Connection(Protocol):
    """What a domain package needs of an asyncpg connection (or of one taken from a pool)."""

    async def fetch(self, query: str, *args: Any) -> list[Any]: ...

    async def fetchrow(self, query: str, *args: Any) -> Any: ...

    async def execute(self, query: str, *args: Any) -> str: ...

    def is_in_transaction(self) -> bool: ...


class Statement:
    """A Core statement, compiled once. Its parameters are its ``bindparam`` names, each given by name at each call.

    Values reach asyncpg as they are: give a UUID, a datetime, a list for an array. A name that the statement does not
    have is ignored, so that statements of several shapes can be called alike; one that is missing raises TypeError.
    Making a statement raises TypeError for one that relies on a column's Python-side default.

    >>> FIND = Statement(select(Item.title).where(Item.id == bindparam("id", type_=Uuid)))
    >>> row = await FIND.first(connection, id=item_id)
    """

    __slots__ = ("_constants", "_names", "columns", "sql")

    def __init__(self, core: ClauseElement) -> None:
        compiled: Any = core.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
        if compiled.insert_prefetch or compiled.update_prefetch:
            # SQLAlchemy's engine would compute them at each execution; here they would silently be null.
            raise TypeError("a column's Python default does not apply here: give the value, or leave it to the server")
        self.sql: str = str(compiled)
        """The text as asyncpg gets it, with ``$1``-style parameters."""
        self.columns: tuple[str, ...] = tuple(column.keyname for column in compiled._result_columns)
        """The names of the columns of its rows, in their order; none where it returns no rows."""
        self._names: tuple[str, ...] = tuple(compiled.positiontup or ())
        required = {name for name, bound in compiled.binds.items() if bound.required}
        self._constants = {name: value for name, value in compiled.params.items() if name not in required}

    def _values(self, given: dict[str, Any]) -> list[Any]:
        values = self._constants | given
        try:
            return [values[name] for name in self._names]
        except KeyError as missing:
            # A null in its place would match no row, or store nothing, without a word.
            raise TypeError(f"the statement's parameter {missing} is not given") from None

    async def all(self, connection: Connection, **values: Any) -> list[Record]:
        """Every row."""
        return await connection.fetch(self.sql, *self._values(values))

    async def first(self, connection: Connection, **values: Any) -> Record | None:
        """The first row, or None."""
        row: Record | None = await connection.fetchrow(self.sql, *self._values(values))
        return row

    async def run(self, connection: Connection, **values: Any) -> int:
        """Run an insert, update or delete for its effect; the number of rows it changed."""
        status = await connection.execute(self.sql, *self._values(values))
        return int(status.rpartition(" ")[2] or 0)
