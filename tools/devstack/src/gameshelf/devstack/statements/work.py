"""Counts the work of a statement by the server's own counters, for tests that must not measure time."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import asyncpg
from gameshelf.kernel.database import Statement

PLANS = ("force_custom_plan", "force_generic_plan")
"""Settings of ``plan_cache_mode``: a plan for the values that are given, and one for any values."""


@dataclass(frozen=True, slots=True)
class Work:
    """The work of one run of a statement."""

    rows: int
    """Rows that the plan's nodes produced or removed by a filter, all nodes and loops together."""
    pages: int
    """Pages of tables and indexes that were read or written, wherever they were."""
    plan: str
    """The plan in words: a line a node."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A statement that a connection has prepared, and planned already if its plan is one for any values."""

    connection: asyncpg.Connection
    statement: Statement
    name: str
    """Of the prepared statement."""
    plans: str
    """One of ``PLANS``."""

    @classmethod
    async def prepare(cls, connection: asyncpg.Connection, statement: Statement, plans: str) -> "Measured":
        measured = cls(connection, statement, f"measured_{uuid4().hex}", plans)
        await connection.execute(f"SET plan_cache_mode = {plans}")
        await connection.execute(f"PREPARE {measured.name} AS {statement.sql}")
        await connection.execute(f"EXPLAIN EXECUTE {measured._call([None] * len(statement._names))}")
        return measured

    async def run(self, arguments: Sequence[Any]) -> Work:
        """Runs it with these arguments, and rolls it back."""
        transaction = self.connection.transaction()
        await transaction.start()
        try:
            await self.connection.execute(f"SET LOCAL plan_cache_mode = {self.plans}")
            query = f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) EXECUTE {self._call(arguments)}"
            found = await self.connection.fetchval(query)
        finally:
            await transaction.rollback()
        nodes = list(_nodes(json.loads(found)[0]["Plan"]))
        return Work(
            rows=round(sum(_rows(node) for node in nodes)),
            pages=nodes[0]["Shared Hit Blocks"] + nodes[0]["Shared Read Blocks"],
            plan="\n".join(map(_words, nodes)),
        )

    def _call(self, arguments: Sequence[Any]) -> str:
        return f"{self.name}({', '.join(map(_literal, arguments))})" if arguments else self.name


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for part in node.get("Plans", ()):
        yield from _nodes(part)


def _rows(node: dict[str, Any]) -> float:
    removed = sum(count for key, count in node.items() if key.startswith("Rows Removed by"))
    return float((node["Actual Rows"] + removed) * node["Actual Loops"])


def _words(node: dict[str, Any]) -> str:
    names = ("Node Type", "Relation Name", "Index Name", "Index Cond", "Filter", "Join Filter")
    return " | ".join([f"{_rows(node):.0f} rows", *(node[name] for name in names if name in node)])


def _literal(value: Any) -> str:
    """A value as SQL that takes the type of the parameter."""
    if value is None:
        return "NULL"
    text = "{" + ",".join(map(_element, value)) + "}" if isinstance(value, list) else _text(value)
    return "'" + text.replace("'", "''") + "'"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    return '"' + _text(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _text(value: Any) -> str:
    return f"\\x{value.hex()}" if isinstance(value, bytes) else str(value)
