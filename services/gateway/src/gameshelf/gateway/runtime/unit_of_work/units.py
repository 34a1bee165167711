"""Connections that collect writes, for changes of one user: in a transaction with a lock, or without both."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import asyncpg
from gameshelf.gateway.runtime.distributed import is_distributed
from gameshelf.gateway.runtime.unit_of_work.combine import (
    NotCombinable,
    is_plain_read,
    lookups_together,
    uses_any,
    writes_together,
    written_tables,
)
from gameshelf.kernel.database import BatchingConnection, BoundStatement, Connection, Statement
from sqlalchemy import literal, select


class NeedsLock(Exception):
    """The work does what an optimistic change can't, so it runs again with a lock: it locks rows, needs the result of a
    change, reads what it has written, or comes after another change.
    """


class _Write(NamedTuple):
    query: str
    values: Sequence[Any]
    is_elsewhere: bool = False
    """Whether its rows may be on another shard than those of the others."""


class _Known(NamedTuple):
    lookup: BoundStatement
    rows: list[Any]
    seen: int
    """How many changes of tables came before it."""


_MAYBE_A_RACE = (asyncpg.IntegrityConstraintViolationError, asyncpg.InternalServerError)
"""How an optimistic change may end that another one overtook, where Citus runs the parts of a statement in an order of
its own: a constraint of theirs is violated before the user's version is compared. A part that runs on the shards is
reported as an internal error.
"""
_NOTHING = Statement(select(literal(1).label("one")))
"""A statement with one row, beside which others are read."""


class UnitOfWork(BatchingConnection):
    """Has the methods of a connection that domain packages call. Reads run at once, writes at the end."""

    def __init__(self, connection: Any) -> None:
        self._connection: Connection = connection
        self._writes: list[_Write] = []
        self._looked_up: list[_Known] = []
        self._changes: list[frozenset[str]] = []
        """The tables that were written, or will be, in the order of the writes."""
        self._is_elsewhere = False

    @property
    def has_writes(self) -> bool:
        """Whether anything waits to be written."""
        return bool(self._writes)

    async def look_up(self, first: BoundStatement, lookups: Sequence[BoundStatement]) -> Any:
        """Returns the one row of ``first``, or None. The rows of the others are kept for the first caller who asks.

        One round trip for all.
        """
        self._looked_up.clear()
        return await self._look_up(first, lookups)

    async def look_ahead(self, lookups: Sequence[BoundStatement]) -> None:
        waiting = frozenset[str]().union(*(written_tables(one.query) for one in self._writes))
        if not any(uses_any(one.statement.sql, waiting) for one in lookups):
            await self._look_up(_NOTHING.bind(), lookups)

    async def _look_up(self, first: BoundStatement, lookups: Sequence[BoundStatement]) -> Any:
        shape = tuple((one.statement.sql, len(one.statement.columns)) for one in lookups)
        seen = len(self._changes)
        values = [*first.values, *(value for one in lookups for value in one.values)]
        rows = await self._connection.fetch(lookups_together(first.statement.sql, shape), *values)
        at = len(first.statement.columns)
        for lookup in lookups:
            end = at + 1 + len(lookup.statement.columns)
            make = _row_type(lookup.statement.columns)
            by_number = {values[at]: make(values[at + 1 : end]) for values in rows if values[at] is not None}
            self._looked_up.append(_Known(lookup, [by_number[number] for number in sorted(by_number)], seen))
            at = end
        return rows[0] if rows else None

    async def fetch(self, query: str, *args: Any) -> list[Any]:
        known = self._take(query, args)
        if known is not None:
            return known
        await self._prepare(query)
        return await self._connection.fetch(query, *args)

    async def fetchrow(self, query: str, *args: Any) -> Any:
        known = self._take(query, args)
        if known is not None:
            return known[0] if known else None
        await self._prepare(query)
        return await self._connection.fetchrow(query, *args)

    async def execute(self, query: str, *args: Any) -> str:
        await self._prepare(query)
        return await self._connection.execute(query, *args)

    def is_in_transaction(self) -> bool:
        """Returns True: what is written here becomes visible together, also without a transaction."""
        return True

    @contextmanager
    def elsewhere(self) -> Iterator[None]:
        """Wraps writes of rows of another user. Where tables are distributed they are no part of a statement of the
        user's own rows, which would be about two shards.
        """
        self._is_elsewhere = is_distributed(self._connection)
        try:
            yield
        finally:
            self._is_elsewhere = False

    def collect(self, query: str, values: Sequence[Any]) -> None:
        self._writes.append(_Write(query, values, self._is_elsewhere))
        self._changes.append(written_tables(query))

    @abstractmethod
    def transaction(self) -> AbstractAsyncContextManager[None]:
        """Wraps a part that may fail alone: its writes are undone if it raises."""

    @abstractmethod
    async def close(self, last: BoundStatement) -> None:
        """Ends the change with ``last`` and what was collected: in one statement, if they can run as one."""

    @abstractmethod
    async def _before_dependent(self) -> None:
        """Prepares for a query that changes or locks something, or reads what is still to be written."""

    async def _prepare(self, query: str) -> None:
        """Prepares for a query that runs now."""
        if not is_plain_read(query) or any(uses_any(query, written_tables(one.query)) for one in self._writes):
            await self._before_dependent()
            self._changes.append(written_tables(query))

    def _take(self, query: str, args: Sequence[Any]) -> list[Any] | None:
        """Returns the rows of a lookup, once; None if there is none for this query."""
        for place, known in enumerate(self._looked_up):
            if known.lookup.statement.sql == query and list(known.lookup.values) == list(args):
                del self._looked_up[place]
                is_old = any(uses_any(query, tables) for tables in self._changes[known.seen :])
                return None if is_old else known.rows
        return None


class OptimisticUnit(UnitOfWork):
    """Outside of a transaction: it can only read, and write with one last statement."""

    def collect(self, query: str, values: Sequence[Any]) -> None:
        """Raises NeedsLock for rows of another shard, which one statement can't write as well."""
        if self._is_elsewhere:
            raise NeedsLock("rows of another user are on another shard")
        super().collect(query, values)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        before = len(self._writes)
        try:
            yield
        except BaseException:
            del self._writes[before:]
            raise

    async def close(self, last: BoundStatement) -> None:
        """Raises NeedsLock if not all can run as one statement, or if it violates a constraint: it does so again under
        the lock, unless another change has overtaken it. Nothing is written then.
        """
        try:
            query = writes_together(last.statement.sql, tuple(one.query for one in self._writes))
        except NotCombinable as error:
            raise NeedsLock(str(error)) from None
        values = [*last.values, *(value for one in self._writes for value in one.values)]
        try:
            await self._connection.fetch(query, *values)
        except _MAYBE_A_RACE as error:
            raise NeedsLock(str(error)) from error

    async def _before_dependent(self) -> None:
        raise NeedsLock("a result of a change is needed before the end")


class LockedUnit(UnitOfWork):
    """In a transaction. It writes before the end if something has to run after the writes."""

    def __init__(self, connection: Any, locked: Sequence[BoundStatement] = ()) -> None:
        super().__init__(connection)
        self._locked = list(locked)
        self._part: _Part | None = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        if self._part:
            raise RuntimeError("a part of a part can't fail alone")
        part = self._part = _Part(len(self._writes))
        try:
            yield
        except BaseException:
            del self._writes[part.first_write :]
            if part.has_savepoint:
                await self._connection.execute("ROLLBACK TO SAVEPOINT part")
            raise
        finally:
            self._part = None

    async def fetchrow(self, query: str, *args: Any) -> Any:
        for lock in self._locked:
            if lock.statement.sql == query and list(lock.values) == list(args):
                return None  # it was locked when the transaction began
        return await super().fetchrow(query, *args)

    async def close(self, last: BoundStatement) -> None:
        try:
            await self._run([_Write(last.statement.sql, last.values), *self._writes])
        except NotCombinable:
            await self.flush()
            await self._connection.execute(last.statement.sql, *last.values)
        self._writes.clear()

    async def flush(self) -> None:
        """Runs what was collected: as one statement, or one by one in its order."""
        writes, self._writes = self._writes, []
        try:
            await self._run(writes)
        except NotCombinable:
            for one in writes:
                await self._connection.execute(one.query, *one.values)

    async def _before_dependent(self) -> None:
        part = self._part
        if part and not part.has_savepoint:
            inside = self._writes[part.first_write :]
            del self._writes[part.first_write :]
            await self.flush()
            await self._connection.execute("SAVEPOINT part")
            part.has_savepoint, part.first_write, self._writes = True, 0, inside
        await self.flush()

    async def _run(self, writes: Sequence[_Write]) -> None:
        """Runs writes as one statement, after those of other shards. Raises NotCombinable before it has run any."""
        together = [one for one in writes if not one.is_elsewhere]
        query = writes_together(together[0].query, tuple(one.query for one in together[1:])) if together else None
        for one in writes:
            if one.is_elsewhere:
                await self._connection.execute(one.query, *one.values)
        if query:
            await self._connection.execute(query, *(value for one in together for value in one.values))


@dataclass(slots=True)
class _Part:
    """A part of a locked change that may fail alone. It has a savepoint only if something runs in it before the end."""

    first_write: int
    has_savepoint: bool = False


@cache
def _row_type(columns: tuple[str, ...]) -> type[tuple[Any, ...]]:
    """Returns a class whose values are read like those of a row of asyncpg: by name, number or slice."""
    places = {name: place for place, name in enumerate(columns)}

    class Row(tuple[Any, ...]):
        __slots__ = ()

        def __getitem__(self, key: Any) -> Any:
            return tuple.__getitem__(self, places[key] if isinstance(key, str) else key)

    return Row
