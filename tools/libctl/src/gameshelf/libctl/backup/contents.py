"""The contents of the schemas at one moment, in a form in which two databases can be compared."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from typing import Any, TypeVar

from gameshelf.libctl.postgres import Connection, PostgresDatabase, quoted
from pydantic import BaseModel, ConfigDict

T = TypeVar("T")

SESSION = {
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "iso_8601",
    "TimeZone": "UTC",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "lc_monetary": "C",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
}
"""Settings under which a row has one text only, whatever the role's or the server's are; and time to read them."""

SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

_TABLES = """
SELECT n.nspname AS schema, c.relname AS name, (
    SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
        SELECT 'column ' || attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull || ' ' || atthasdef
               || ' ' || attidentity::text || attgenerated::text AS line
        FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
        UNION ALL SELECT 'index ' || i.relname || ' ' || indisunique || ' ' || indisprimary || ' ' || indnatts
        FROM pg_index JOIN pg_class i ON i.oid = indexrelid WHERE indrelid = c.oid
        UNION ALL SELECT 'constraint ' || conname || ' ' || contype::text FROM pg_constraint WHERE conrelid = c.oid
        UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal
    ) AS lines) AS shape
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY ($1::text[]) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY pg_total_relation_size(c.oid) DESC, 1, 2
"""
_SEQUENCES = """
SELECT schemaname AS schema, sequencename AS name, coalesce(last_value, 0) AS last FROM pg_sequences
WHERE schemaname = ANY ($1::text[]) ORDER BY 1, 2
"""


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Table(Frozen):
    """A table at one moment.

    ``checksum`` is the sum of ``hashtextextended(row::text, 0)`` over its rows, whatever their order; ``shape`` a
    SHA-256 of the names and kinds of its columns, indexes, constraints and triggers: an expression is written otherwise
    by a server that has read it back.
    """

    table_schema: str
    name: str
    rows: int
    checksum: str
    shape: str

    @property
    def full_name(self) -> str:
        return f"{self.table_schema}.{self.name}"


class Sequence_(Frozen):
    """A sequence: no snapshot holds it, so that a copy may be further, and never behind."""

    table_schema: str
    name: str
    at_least: int

    @property
    def full_name(self) -> str:
        return f"{self.table_schema}.{self.name}"


class Contents(Frozen):
    tables: tuple[Table, ...]
    sequences: tuple[Sequence_, ...]


class Difference(Frozen):
    """Something that isn't as it should be.

    ``what`` is rows, checksum, shape, sequence, file, missing or unexpected.
    """

    where: str
    what: str
    expected: str
    found: str


async def names(connection: Connection, schemas: Sequence[str]) -> list[tuple[str, str, str]]:
    """Schema, name and shape of every table, the largest first."""
    rows = await connection.fetch(_TABLES, list(schemas))
    return [(row["schema"], row["name"], hashlib.sha256(row["shape"].encode()).hexdigest()) for row in rows]


async def read(
    database: PostgresDatabase,
    name: str,
    schemas: Sequence[str],
    jobs: int,
    on_table: Callable[[], None],
    snapshot: str | None = None,
) -> Contents:
    """Counts and sums up every row of the schemas, on up to ``jobs`` connections.

    With ``snapshot`` at the moment that it exports; else nobody may write meanwhile.
    """
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(database.connect(name, **SESSION))
        await _begin(first, snapshot)
        sequences = [
            Sequence_(table_schema=row["schema"], name=row["name"], at_least=row["last"])
            for row in await first.fetch(_SEQUENCES, list(schemas))
        ]
        waiting = (await names(first, schemas))[::-1]
        connections = [first]
        for _ in range(min(jobs, len(waiting)) - 1):
            connections.append(await stack.enter_async_context(database.connect(name, **SESSION)))
            await _begin(connections[-1], snapshot)
        tables: list[Table] = []

        async def work(connection: Connection) -> None:
            while waiting:
                schema, table, shape = waiting.pop()
                row: Any = await connection.fetchrow(
                    "SELECT count(*) AS rows, coalesce(sum(hashtextextended(t::text, 0)), 0)::text AS checksum "  # noqa: S608
                    f"FROM {quoted(schema)}.{quoted(table)} AS t"
                )
                tables.append(Table(table_schema=schema, name=table, shape=shape, **row))
                on_table()

        await together(*(work(connection) for connection in connections))
    return Contents(tables=tuple(sorted(tables, key=lambda table: table.full_name)), sequences=tuple(sequences))


def compare(expected: Contents, found: Contents, *, shapes: bool) -> list[Difference]:
    """Returns the differences of ``found``. Shapes are comparable only if servers of one major version wrote both."""
    there = {table.full_name: table for table in found.tables}
    reached = {sequence.full_name: sequence.at_least for sequence in found.sequences}
    differences: list[Difference] = []

    def note(where: str, what: str, before: object, after: object) -> None:
        if before != after:
            differences.append(Difference(where=where, what=what, expected=str(before), found=str(after)))

    for table in expected.tables:
        other = there.pop(table.full_name, None)
        if other is None:
            note(table.full_name, "missing", f"{table.rows} rows", "no table")
            continue
        note(table.full_name, "rows", table.rows, other.rows)
        note(table.full_name, "checksum", table.checksum, other.checksum)
        if shapes:
            note(table.full_name, "shape", table.shape[:16], other.shape[:16])
    for name, table in there.items():
        note(name, "unexpected", "no table", f"{table.rows} rows")
    for sequence in expected.sequences:
        last = reached.get(sequence.full_name)
        if last is None or last < sequence.at_least:
            note(sequence.full_name, "sequence", f"at least {sequence.at_least}", "none" if last is None else str(last))
    return differences


async def together(*work: Coroutine[Any, Any, T] | Awaitable[T]) -> list[T]:
    """Everything at once; the first that fails ends the others, and is what is raised."""
    tasks = [asyncio.ensure_future(part) for part in work]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _begin(connection: Connection, snapshot: str | None) -> None:
    await connection.execute(SNAPSHOT)
    if snapshot:
        await connection.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
