"""The mark of a restored database, by which the service knows what it must not delete yet and from where to consume."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
from gameshelf.libctl.errors import Precondition, Refused
from gameshelf.libctl.postgres import Connection, quoted

_GATEWAY = "gateway"
_MARKERS = """
SELECT n.nspname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.proname = 'mark_restored' AND n.nspname = ANY ($1::text[]) ORDER BY 1
"""


_LOCK_SECONDS = 3
"""The time-out of the mark for a lock. It is shorter than the service's, because players wait behind it."""
_ATTEMPTS = 5
_PAUSE_SECONDS = 1.0


async def committed(connection: Connection, mark: Callable[[], Awaitable[UUID]]) -> UUID:
    """Runs ``mark`` in a transaction of its own, beside a service that may run.

    Raises Precondition where somebody holds a row for longer than all attempts take; then nothing is marked.
    """
    for attempt in range(_ATTEMPTS):
        if attempt:
            await asyncio.sleep(_PAUSE_SECONDS)
        try:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'")
                return await mark()
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            continue
    raise Precondition(
        "a row that must change is locked, so nothing was marked",
        "end that transaction (pg_stat_activity names it), or stop the service; then repeat",
    )


async def restored(
    connection: Connection, schemas: Iterable[str], point: datetime, backup: str, actor: str, reason: str
) -> UUID:
    """Marks the database as restored to ``point``, in the caller's transaction; the id of this restore.

    A package that has to change something after a restore has a function ``mark_restored()`` in its schema; the
    gateway's own makes jobs that delete wait, and consumers go back. It comes first, since the service may run: it
    locks a user's own row before any other row of theirs, too. Raises Refused when it is missing: the service would
    take the database for an ordinary one.
    """
    there = [row["nspname"] for row in await connection.fetch(_MARKERS, list(schemas))]
    if _GATEWAY not in there:
        raise Refused(
            "the gateway's schema has no function mark_restored(), so the service would delete what it doesn't know",
            "install libctl and packages of one version",
        )
    made: UUID = await connection.fetchval(
        "SELECT gateway.mark_restored($1::timestamptz, $2::text, $3::text, $4::text)", point, backup, actor, reason
    )
    for schema in there:
        if schema != _GATEWAY:
            await connection.execute(f"SELECT {quoted(schema)}.mark_restored()")
    return made


async def nothing_lost(connection: Connection, actor: str, reason: str) -> UUID:
    """Says that the database which took the place of another one has all that was committed: jobs may delete again.

    Consumers begin an hour before now all the same, which applies nothing twice.
    """
    made: UUID = await connection.fetchval(
        "INSERT INTO gateway.restores (restored_point, backup, actor, reason, reconciled_at) "
        "VALUES (now(), 'nothing was lost', $1::text, $2::text, now()) RETURNING id",
        actor,
        reason,
    )
    return made


@dataclass(frozen=True, slots=True)
class Current:
    """The database as it is: its cluster, its timeline, what the service noted of both, and its newest restore.

    ``system`` and ``timeline`` are None where the role may not read them.
    """

    system: str | None
    timeline: str | None
    noted_system: str | None
    noted_timeline: str | None
    last_marked: datetime | None

    @property
    def replaced(self) -> bool:
        """Returns whether cluster or timeline differ from the service's note. Both are the same in a started copy."""
        return None not in (self.system, self.noted_system) and (self.noted_system, self.noted_timeline) != (
            self.system,
            self.timeline,
        )


async def current(connection: Connection) -> Current:
    """Raises Precondition on a standby, or before the schemas are what this version needs."""
    if await connection.fetchval("SELECT pg_is_in_recovery()"):
        raise Precondition("this is a read-only standby", "promote it first, then repeat")
    if await connection.fetchval("SELECT to_regclass('gateway.database_identity')") is None:
        raise Precondition(
            "the schemas are older than this version", 'libctl db migrate --apply --reason "…", then repeat'
        )
    system, timeline = await _identity(connection)
    row = await connection.fetchrow(
        "SELECT i.system, i.timeline, (SELECT max(restored_at) FROM gateway.restores) "
        "FROM (SELECT 1) one LEFT JOIN gateway.database_identity i ON true"
    )
    assert row is not None
    return Current(system, timeline, *row.values())


async def _identity(connection: Connection) -> tuple[str | None, str | None]:
    """Cluster and timeline. Not every provider lets a role ask: then what it says of its database is taken unseen."""
    try:
        row = await connection.fetchrow(
            "SELECT (SELECT system_identifier::text FROM pg_control_system()), "
            "substr(pg_walfile_name(pg_current_wal_flush_lsn()), 1, 8)"
        )
    except (asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedFunctionError, asyncpg.FeatureNotSupportedError):
        return None, None
    assert row is not None
    return row[0], row[1]
