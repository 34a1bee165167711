"""How much a statement does, as the server counts it: for tests of large statements, which must not measure time."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from gameshelf.kernel.database import Statement

PLANS = ("force_custom_plan", "force_generic_plan")
"""Settings of ``plan_cache_mode``: a plan for the values that are given, and one for any values."""


@dataclass(frozen=True, slots=True)
class Work:
    """What one run of a statement did."""

    rows: int
    """Rows that the plan's nodes produced or removed by a filter, all nodes and loops together."""
    pages: int
    """Pages of tables and indexes that were read or written, wherever they were."""
    plan: str
    """The plan in words: a line a node."""


async def work(connection: asyncpg.Connection, statement: Statement, arguments: Sequence[Any], plans: str) -> Work:
    """Runs a statement with these arguments, rolls it back, and says what it did. ``plans`` is one of ``PLANS``."""
    await connection.execute(f"PREPARE measured AS {statement.sql}")
    call = f"measured({', '.join(map(_literal, arguments))})" if arguments else "measured"
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(f"SET LOCAL plan_cache_mode = {plans}")
        found = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) EXECUTE {call}")
    finally:
        await transaction.rollback()
        await connection.execute("DEALLOCATE measured")
    nodes = list(_nodes(json.loads(found)[0]["Plan"]))
    return Work(
        rows=round(sum(_rows(node) for node in nodes)),
        pages=nodes[0]["Shared Hit Blocks"] + nodes[0]["Shared Read Blocks"],
        plan="\n".join(map(_words, nodes)),
    )


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
