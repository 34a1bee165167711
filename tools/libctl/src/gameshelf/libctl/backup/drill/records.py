"""What backups and drills write into the live database: markers by which a backup is recognised, and results."""

import asyncio
import time
from datetime import datetime
from pathlib import Path

from gameshelf.libctl.backup.drill.verdict import Drill, Marker
from gameshelf.libctl.backup.progress import Steps
from gameshelf.libctl.errors import Refused
from gameshelf.libctl.postgres import Connection, PostgresDatabase

_TABLE = "gateway.backup_markers"
_WRITE = """
WITH old AS (DELETE FROM gateway.backup_markers WHERE written_at < now() - interval '400 days')
INSERT INTO gateway.backup_markers DEFAULT VALUES RETURNING id::text, written_at
"""
_NEWEST = """
SELECT id::text, written_at FROM gateway.backup_markers WHERE written_at <= $1 ORDER BY written_at DESC LIMIT 1
"""
_RECORD = """
INSERT INTO gateway.backup_drills (kind, held_at, rto_seconds, rpo_seconds) VALUES ($1, $2, $3, $4)
ON CONFLICT (kind) DO UPDATE
SET held_at = excluded.held_at, rto_seconds = excluded.rto_seconds, rpo_seconds = excluded.rpo_seconds
"""
_ARCHIVER = """
SELECT current_setting('archive_mode') <> 'off' AS archives, left(last_archived_wal, 24) AS last FROM pg_stat_archiver
"""
_POLL_SECONDS = 0.5


async def write_marker(database: PostgresDatabase) -> Marker | None:
    """Commits a new marker; None where the schema is older than markers, and where nothing can be written."""
    try:
        async with database.connect() as connection:
            if not await _has_markers(connection):
                return None
            row = await connection.fetchrow(_WRITE)
    except Refused:  # a standby: its backup is whole without one
        return None
    return Marker(*row) if row else None


async def newest_marker(database: PostgresDatabase, until: datetime) -> Marker | None:
    """The newest marker that was written until then."""
    async with database.connect() as connection:
        row = await connection.fetchrow(_NEWEST, until) if await _has_markers(connection) else None
    return Marker(*row) if row else None


async def has_marker(connection: Connection, marker: Marker) -> bool:
    found: bool = await connection.fetchval(
        "SELECT count(*) > 0 FROM gateway.backup_markers WHERE id = $1::text::uuid", marker.id
    )
    return found


async def archived(database: PostgresDatabase, folder: Path | None, patience: float) -> bool:
    """Waits until all that is committed now is in the archive: by what the server says of its archiver, else by the
    files in ``folder``. Returns whether it was within ``patience`` seconds.
    """
    deadline = time.monotonic() + patience
    async with database.connect() as connection:
        segment: str = await connection.fetchval("SELECT pg_walfile_name(pg_current_wal_insert_lsn())")
        while True:
            state = await connection.fetchrow(_ARCHIVER)
            assert state is not None
            last: str | None = state["last"]
            if not state["archives"] and folder:
                last = max((path.name for path in folder.glob(f"{segment}*")), default=None)
            if last is not None and last[8:24] >= segment[8:]:
                return True
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(_POLL_SECONDS)


async def record(steps: Steps, database: PostgresDatabase, drill: Drill) -> None:
    """Records a drill that has passed, for the metric of its age."""
    try:
        async with database.connect() as connection:
            await connection.execute(_RECORD, drill.kind, drill.started_at, drill.rto, drill.rpo)
    except Refused as error:
        steps.say(f"the drill has passed, but backup_drill_age_seconds will not know of it: {error}", "red")


async def _has_markers(connection: Connection) -> bool:
    there: bool = await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", _TABLE)
    return there
