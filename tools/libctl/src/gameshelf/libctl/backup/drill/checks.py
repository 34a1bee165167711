"""What the service would ask of a restored database before it serves from it."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from gameshelf.libctl.backup.contents import read
from gameshelf.libctl.backup.drill import records
from gameshelf.libctl.backup.drill.verdict import Drill
from gameshelf.libctl.backup.progress import Steps
from gameshelf.libctl.packages import installed
from gameshelf.libctl.postgres import Connection, PostgresDatabase, quoted
from gameshelf.libctl.schemas import compare_models, look

_SAMPLE = 20
_OF_USERS = """
SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'user_id' AND a.atttypid = 'uuid'::regtype
WHERE n.nspname = ANY ($1::text[]) AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1, 2
"""
_COLLATION = """
SELECT datcollversion AS before, pg_database_collation_actual_version(oid) AS now FROM pg_database
WHERE datname = current_database()
"""
_COMMITTED = """
SELECT greatest(pg_last_xact_replay_timestamp(), (SELECT max(written_at) FROM gateway.backup_markers))
"""


async def check(steps: Steps, database: PostgresDatabase, drill: Drill, jobs: int, *, count: bool) -> None:
    """Fills in what was found; what is wrong goes to its failures.

    With ``count`` every row of every table is read. A dump was compared with its manifest already.
    """
    packages = installed()
    drill.server, states = await look(database, packages)
    steps.say(f"checking: schemas of {len(states)} packages, and {_SAMPLE} users")
    for state in states:
        differences = await asyncio.to_thread(compare_models, packages[state.package], state, database)
        drill.failures += [f"schema {state.schema}: {difference}" for difference in differences]
    schemas = [state.schema for state in states if state.revision is not None]
    if count:
        with steps.bars():
            tables = steps.counting("reading", sum(state.tables for state in states), "tables")
            contents = await read(database, database.name, schemas, jobs, tables)
        drill.tables, drill.rows = len(contents.tables), sum(table.rows for table in contents.tables)
    async with database.connect() as connection:
        drill.users = await _read_users(connection, schemas)
        if drill.expected:
            drill.marker_found = await records.has_marker(connection, drill.expected)
        drill.failures += await collation_changes(connection)


async def newest_commit(database: PostgresDatabase) -> datetime | None:
    """The time of the newest commit that the WAL brought back."""
    async with database.connect() as connection:
        newest: datetime | None = await connection.fetchval(_COMMITTED)
    return newest


async def _read_users(connection: Connection, schemas: Sequence[str]) -> int:
    """Reads all rows of some users, in every table that has users. Returns how many users have rows."""
    seen: set[object] = set()
    tables = [f"{quoted(row['schema'])}.{quoted(row['name'])}" for row in await connection.fetch(_OF_USERS, schemas)]
    for table in tables:
        if len(seen) < _SAMPLE:
            rows = await connection.fetch(
                f"SELECT DISTINCT user_id FROM (SELECT user_id FROM {table} LIMIT $1) AS sampled",  # noqa: S608
                _SAMPLE - len(seen),
            )
            seen |= {row["user_id"] for row in rows}
    for table in tables:
        await connection.fetch(
            f"SELECT sum(hashtextextended(t::text, 0)) FROM {table} AS t WHERE user_id = ANY ($1)",  # noqa: S608
            list(seen),
        )
    return len(seen)


async def collation_changes(connection: Connection) -> list[str]:
    """A base backup has indexes in the order of the C library that wrote them; another one does not find all rows."""
    row = await connection.fetchrow(_COLLATION)
    if row is None or row["before"] == row["now"]:
        return []
    return [
        f"its indexes are in the order of collation version {row['before']}, this machine has {row['now']}: a restore "
        "here needs REINDEX"
    ]
