"""Tables that grow: room for updates in the pages of the busiest table, and how fast expired rows are deleted.

The first part updates rows of users, each update a commit, with the page filled to several degrees. The second part
fills each table of the service that retention prunes, half of it with expired rows, and runs the job on it, at first
alone and then while a backup reads. It shows the pages that one transaction of the job reads in a table of this size.
The third part shows the plan of each statement of the job for tables of 100 million rows: the files of a filled table
get their length without its contents (holes), so that the planner counts the pages and rows of the large one.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
from gameshelf.devstack.servers import Postgres
from gameshelf.gateway.runtime.jobs import retention
from gameshelf.gateway.runtime.jobs.retention import Retention
from gameshelf.gateway.runtime.migrate import upgrade
from gameshelf.gateway.wiring import MIGRATIONS
from rich.console import Console
from rich.table import Table

USERS = 200_000
SAMPLE = 200_000
SEGMENT = 2**30
FILLFACTORS = (100, 90, 80)
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
# Expired rows are spread over an hour, as if the job had not run for that long; the others over the time before now.
AGE = "CASE WHEN n % 2 = 0 THEN interval '{kept}' + interval '1 hour' * (n / $1::float) ELSE interval '0' END"
USER = f"md5((n % {USERS})::text)::uuid"
ADD_USERS = (
    f"INSERT INTO gateway.user_streams (user_id) SELECT md5(n::text)::uuid FROM generate_series(0, {USERS - 1}) n "
    "ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class Pruned:
    """A table, what fills it (``$1`` is the number of rows), and its statement of the job."""

    name: str
    kept: str
    fill: str
    statement: Any


TABLES = (
    Pruned(
        "feed",
        "24 hours",
        f"INSERT INTO gateway.feed SELECT {USER}, n, now() - {{age}}, repeat('m', 300)",
        None,
    ),
    Pruned(
        "idempotency_keys",
        "24 hours",
        "INSERT INTO gateway.idempotency_keys (user_id, endpoint, key, request_hash, status, body, created_at) "
        f"SELECT {USER}, 'POST /api/v1/library/categories', n::text, '\\x00', 201, "
        "convert_to(repeat('b', 300), 'UTF8'), now() - {age}",
        retention._PRUNE_KEYS,
    ),
    Pruned(
        "inbox",
        "30 days",
        f"INSERT INTO gateway.inbox SELECT {USER}, 'payment', n::text, now() - {{age}}",
        retention._PRUNE_INBOX,
    ),
    Pruned(
        "dead_letters",
        "90 days",
        "INSERT INTO gateway.dead_letters (user_id, id, topic, reason, detail, value, created_at) "
        f"SELECT {USER}, gen_random_uuid(), 'topic', 'MALFORMED_DATA', 'detail', "
        "convert_to(repeat('v', 300), 'UTF8'), now() - {age}",
        retention._PRUNE_DEAD_LETTERS,
    ),
    Pruned(
        "audit",
        "1095 days",
        "INSERT INTO gateway.audit (user_hash, kind, command, actor_roles, target, happened_at) "
        f"SELECT sha256((n % {USERS})::text::bytea), 'change', 'GrantItem', 'support', '{{{{}}}}', now() - {{age}}",
        retention._PRUNE_AUDIT,
    ),
)


async def update_rows(connection: Any, updates: int) -> list[tuple[str, ...]]:
    """Updates random users with each fillfactor; rates, shares of HOT updates, and sizes."""
    found = []
    for fillfactor in FILLFACTORS:
        await connection.execute(
            f"TRUNCATE gateway.user_streams; ALTER TABLE gateway.user_streams SET (fillfactor = {fillfactor})"
        )
        await connection.execute(ADD_USERS)
        await connection.execute("VACUUM ANALYZE gateway.user_streams")
        await connection.execute("SELECT pg_stat_reset_single_table_counters('gateway.user_streams'::regclass)")
        began = time.perf_counter()
        await connection.execute(
            f"DO $$ DECLARE one uuid; BEGIN FOR n IN 1 .. {updates} LOOP "
            f"one := md5(floor(random() * {USERS})::int::text)::uuid; "
            "UPDATE gateway.user_streams SET version = version + 1, last_sequence = last_sequence + 1 "
            "WHERE user_id = one; COMMIT; END LOOP; END $$"
        )
        seconds = time.perf_counter() - began
        await connection.execute("SELECT pg_stat_force_next_flush()")
        row = await connection.fetchrow(
            "SELECT n_tup_hot_upd::float / n_tup_upd AS hot, pg_relation_size(relid) / 2^20 AS heap, "
            "pg_indexes_size(relid) / 2^20 AS indexes FROM pg_stat_user_tables WHERE relname = 'user_streams'"
        )
        sizes = (f"{row['heap']:.0f}", f"{row['indexes']:.0f}")
        found.append((str(fillfactor), f"{updates / seconds:,.0f}", f"{row['hot']:.1%}", *sizes))
    await connection.execute("TRUNCATE gateway.user_streams")
    return found


@asynccontextmanager
async def backup(dsn: str) -> AsyncIterator[None]:
    """A transaction that reads all the time, as a dump does."""
    connection = await asyncpg.connect(dsn)
    async with connection.transaction(isolation="repeatable_read"):
        await connection.fetchval("SELECT count(*) FROM gateway.backups")
        yield
    await connection.close()


async def prune(dsn: str, connection: Any, table: Pruned, rows: int) -> tuple[str, ...]:
    """Fills a table, and runs the job on its expired rows twice: alone, and beside a backup."""
    if table.name == "feed":
        await connection.execute(ADD_USERS)
    rates, pages = [], ""
    for beside_backup in (False, True):
        await connection.execute(f"TRUNCATE gateway.{table.name}")
        fill = table.fill.format(age=AGE.format(kept=table.kept))
        await connection.execute(f"{fill} FROM generate_series(1, $1::int) n", rows)
        await connection.execute(f"VACUUM ANALYZE gateway.{table.name}")
        if table.statement is not None and not beside_backup:
            pages = await pages_of_a_chunk(connection, table)
        if beside_backup:
            async with backup(dsn):
                rates.append(await rate(connection, rows))
        else:
            rates.append(await rate(connection, rows))
    left = await connection.fetchval(f"SELECT count(*) FROM gateway.{table.name}")
    assert left == rows - rows // 2, f"{table.name} has {left} rows"
    await connection.execute(f"TRUNCATE gateway.{table.name}")
    return table.name, f"{rows:,}", *(f"{rate:,.0f}" for rate in rates), pages


async def rate(connection: Any, rows: int) -> float:
    @asynccontextmanager
    async def acquire() -> AsyncIterator[Any]:
        yield connection

    began = time.perf_counter()
    await Retention(acquire).run_once()
    return rows // 2 / (time.perf_counter() - began)


async def pages_of_a_chunk(connection: Any, table: Pruned) -> str:
    """Runs one transaction of the job, and rolls it back: the pages that it reads per row, and its indexes."""
    amount, unit = table.kept.split()
    kept = timedelta(**{unit: int(amount)})
    values = {"after": f"'{BEGINNING}'", "before": f"'{datetime.now(UTC) - kept}'", "limit": str(retention._CHUNK)}
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(f"PREPARE chunk AS {table.statement.sql}")
    ordered = ", ".join(values[name] for name in table.statement._names)
    text = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE chunk({ordered})")
    await connection.execute("DEALLOCATE chunk")
    await transaction.rollback()
    plan = json.loads(text)[0]["Plan"]
    read = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    scans = dict.fromkeys(
        node.get("Index Name", node["Node Type"]) for node in nodes(plan) if "Scan" in node["Node Type"]
    )
    return f"{read / retention._CHUNK:.1f} by {', '.join(name for name in scans if 'CTE' not in name)}"


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", ()) for node in nodes(child))]


async def planned(postgres: Postgres, sample: int, rows: int) -> list[tuple[str, ...]]:
    """Fills each table with ``sample`` rows, gives its files the length that they have with ``rows``, and explains."""
    connection = await connect(postgres)
    await connection.execute(ADD_USERS)
    for table in TABLES:
        fill = table.fill.format(age=AGE.format(kept=table.kept))
        await connection.execute(f"{fill} FROM generate_series(1, $1::int) n", sample)
        await connection.execute(f"VACUUM ANALYZE gateway.{table.name}")
    files = await connection.fetch(
        "SELECT pg_relation_filepath(c.oid) AS path, pg_relation_size(c.oid) AS size FROM pg_class c "
        "WHERE c.oid = ANY ($1::regclass[]) OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = ANY ($1))",
        [f"gateway.{table.name}" for table in TABLES],
    )
    await connection.execute(
        "UPDATE pg_class c SET reltuples = reltuples * $2, relpages = relpages * $2 WHERE c.oid = ANY ($1::regclass[]) "
        "OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = ANY ($1))",
        [f"gateway.{table.name}" for table in TABLES],
        rows // sample,
    )
    await connection.close()
    await asyncio.to_thread(postgres.stop)
    for file in files:
        lengthen(postgres.directory / "data" / file["path"], file["size"] * (rows // sample))
    await asyncio.to_thread(postgres.start)
    connection = await connect(postgres)
    found = []
    for table in TABLES:
        statements = (
            {"": table.statement}
            if table.statement is not None
            else {"": retention._FEED_USERS, " (rows)": retention._PRUNE_FEED, " (locks)": retention._FREE_USERS}
        )
        for part, statement in statements.items():
            nulls = ", ".join("NULL" for _ in statement._names)
            await connection.execute(f"PREPARE one AS {statement.sql}")
            [[text]] = await connection.fetch(f"EXPLAIN (FORMAT JSON) EXECUTE one({nulls})")
            await connection.execute("DEALLOCATE one")
            found.append((table.name + part, outline(json.loads(text)[0]["Plan"])))
    await connection.close()
    return found


def lengthen(path: Path, size: int) -> None:
    """Lengthens a relation's files by holes. PostgreSQL cuts a relation into files of a GiB."""
    number = 0
    while size > 0:
        with path.with_name(f"{path.name}.{number}" if number else path.name).open("ab") as file:
            file.truncate(max(min(size, SEGMENT), file.tell()))
        size -= SEGMENT
        number += 1


def outline(plan: dict[str, Any]) -> str:
    """A plan in a line: what it reads, and by which conditions of an index."""
    parts = []
    for node in nodes(plan):
        kind = node["Node Type"]
        if "Index Name" in node:
            parts.append(f"{node['Index Name']} {node['Index Cond']}")
        elif kind == "Seq Scan":
            parts.append(f"all of {node['Relation Name']}")
        elif kind in ("Sort", "Hash Join", "Merge Join"):
            parts.append(kind)
    return "; ".join(parts)


async def connect(postgres: Postgres) -> Any:
    """Connects as the service does: plans must not depend on the values."""
    return await asyncpg.connect(
        postgres.dsn(), server_settings={"plan_cache_mode": "force_generic_plan", "jit": "off"}
    )


async def measure(postgres: Postgres, options: argparse.Namespace, console: Console) -> None:
    connection = await connect(postgres)
    names = ("fillfactor", "updates/s", "HOT", "heap MiB", "index MiB")
    show(console, names, await update_rows(connection, options.updates))
    names = ("table", "rows", "deleted/s", "beside a backup", "pages per row, by")
    for rows in options.rows:
        show(console, names, [await prune(postgres.dsn(), connection, table, rows) for table in TABLES])
    await connection.close()
    if options.planned:
        show(console, ("table", "indexes and conditions"), await planned(postgres, SAMPLE, options.planned))


def show(console: Console, names: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    table = Table(*names, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    console.print(table)
    console.print()


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench growth", description=__doc__)
    parser.add_argument("--updates", type=int, default=300_000, help=f"updates of {USERS:,} users (300,000)")
    parser.add_argument(
        "--rows", type=int, nargs="*", default=[200_000, 1_000_000], help="rows (200,000 and 1,000,000)"
    )
    parser.add_argument(
        "--planned", type=int, default=100_000_000, help="the rows for which plans are shown (100,000,000; 0: none)"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gameshelf-bench-") as directory:
        postgres = Postgres(Path(directory) / "pg")
        postgres.durable = False
        postgres.start()
        try:
            upgrade(postgres.dsn(), MIGRATIONS)
            asyncio.run(measure(postgres, options, Console(width=120)))
        finally:
            postgres.stop()


if __name__ == "__main__":
    main()
