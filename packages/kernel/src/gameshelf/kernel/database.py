"""SQL as SQLAlchemy Core writes it, compiled once, run by asyncpg.

Compiling a Core statement costs more than running it. So a statement is compiled when its module is imported, and
asyncpg, which prepares it once a connection, does the rest.
"""

from collections.abc import Sequence
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


class Statement:
    """A Core statement, compiled once. Its parameters are its ``bindparam`` names.

    Raises TypeError for an insert that relies on Python-side column defaults.

    >>> FIND = Statement(select(Item.title).where(Item.id == bindparam("id")))
    >>> row = await FIND.first(connection, id=item_id)
    """

    __slots__ = ("_arguments", "sql")

    def __init__(self, core: ClauseElement) -> None:
        compiled = core.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
        if compiled.insert_prefetch or compiled.update_prefetch:  # type: ignore[attr-defined]
            # SQLAlchemy's engine would compute them at each execution; here they would silently be null.
            raise TypeError("a column's Python default does not apply here: give the value, or leave it to the server")
        self.sql: str = str(compiled)
        """The text as asyncpg gets it, with ``$1``-style parameters."""
        constants = compiled.params
        names: Sequence[str] = compiled.positiontup or ()  # type: ignore[attr-defined]
        self._arguments = tuple((name, constants.get(name)) for name in names)

    def _values(self, values: dict[str, Any]) -> list[Any]:
        return [values.get(name, constant) for name, constant in self._arguments]

    async def all(self, connection: Connection, **values: Any) -> list[Record]:
        """Every row."""
        return await connection.fetch(self.sql, *self._values(values))

    async def first(self, connection: Connection, **values: Any) -> Record | None:
        """The first row, or None."""
        row: Record | None = await connection.fetchrow(self.sql, *self._values(values))
        return row

    async def run(self, connection: Connection, **values: Any) -> int:
        """Run it for its effect; the number of rows it changed."""
        status = await connection.execute(self.sql, *self._values(values))
        return int(status.rpartition(" ")[2] or 0)
