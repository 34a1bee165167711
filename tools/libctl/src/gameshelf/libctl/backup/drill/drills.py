"""A drill: the newest backup becomes a database, which is checked, while the time runs."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gameshelf.libctl.backup import places, scratch
from gameshelf.libctl.backup.drill import base as bases
from gameshelf.libctl.backup.drill import checks, records, server
from gameshelf.libctl.backup.drill.base import BaseBackup
from gameshelf.libctl.backup.drill.newest import newest_dump
from gameshelf.libctl.backup.drill.verdict import Drill, DrillLimits, missing_segments
from gameshelf.libctl.backup.manifest import Manifest
from gameshelf.libctl.backup.places import BackupPlace
from gameshelf.libctl.backup.progress import Steps
from gameshelf.libctl.backup.restore import restore
from gameshelf.libctl.backup.workspace import workspace
from gameshelf.libctl.change_log import actor
from gameshelf.libctl.errors import Refused
from gameshelf.libctl.packages import installed
from gameshelf.libctl.postgres import MAINTENANCE, PostgresDatabase


@dataclass(frozen=True, slots=True)
class DrillSettings:
    """``live`` is the database that the backups are of, if it can be reached; ``server`` one to restore into instead of
    a scratch server; ``programs`` the folder of PostgreSQL's programs."""

    limits: DrillLimits
    jobs: int
    work: Path | None
    programs: Path | None = None
    live: PostgresDatabase | None = None
    server: PostgresDatabase | None = None
    role: str = ""
    database: str = ""


async def of_dump(steps: Steps, place: BackupPlace, settings: DrillSettings) -> Drill:
    """Restores the newest dump at a place, exactly as ``backup restore`` does. Raises Refused."""
    started_at = datetime.now(UTC)
    place, unusable = await newest_dump(place, started_at)
    drill = Drill("logical", str(place), started_at, failures=unusable)
    with _timed(drill, "fetch"):
        manager = places.at_hand(steps, place, settings.jobs, settings.work)
        folder, manifest = await manager.__aenter__()
    try:
        drill.newest = manifest.restored_point
        drill.tables, drill.rows = len(manifest.contents.tables), manifest.rows
        if settings.live:
            drill.expected = await records.newest_marker(settings.live, manifest.restored_point)
        await _restored(steps, drill, folder, manifest, settings)
    finally:
        await manager.__aexit__(None, None, None)
    return drill


async def _restored(steps: Steps, drill: Drill, folder: Path, manifest: Manifest, settings: DrillSettings) -> None:
    started = time.monotonic()
    async with _server(steps, manifest, settings) as database:
        drill.seconds["start a server"] = time.monotonic() - started
        with _timed(drill, "restore and compare"):
            reason = "a drill of backups"
            done = await restore(
                steps, database, folder, drill.backup, manifest, installed(), settings.jobs, actor(), reason
            )
        if done.differences:
            drill.failures += [f"{one.where}: {one.what}, {one.found}" for one in done.differences[:5]]
            drill.failures.append(f"{len(done.differences)} differences from the manifest, so nothing was restored")
            return
        with _timed(drill, "check"):
            await checks.check(steps, database, drill, settings.jobs, count=False)


@asynccontextmanager
async def _server(steps: Steps, manifest: Manifest, settings: DrillSettings) -> AsyncIterator[PostgresDatabase]:
    """A database that does not exist yet, on the given server or on a scratch one."""
    if settings.server:
        async with _database_of(steps, settings.server) as database:
            yield database
        return
    major = manifest.server.major
    programs = server.server_programs(settings.programs, lambda version: version >= major, f"{major} or newer")
    with workspace(settings.work, steps.say) as work:
        steps.say(f"starting a scratch server of {programs}")
        data = await server.empty_data(programs, work)
        async with server.running(programs, work, data, "libctl") as maintenance:
            yield PostgresDatabase(maintenance.dsn("drill"))


@asynccontextmanager
async def _database_of(steps: Steps, given: PostgresDatabase) -> AsyncIterator[PostgresDatabase]:
    """A name for a database on a server of somebody's own, where it is dropped at the end."""
    async with given.connect(MAINTENANCE) as keeper:
        for old in await scratch.left_over(keeper, "drill"):
            steps.say(f"dropping {old.name}, which a killed run left behind")
            await scratch.drop(given, old.name, steps)
        name = scratch.new_name("drill")
        await scratch.hold(keeper, name)
        try:
            yield PostgresDatabase(given.dsn(name))
        finally:
            await scratch.drop(given, name, steps)


async def of_base(steps: Steps, base: BaseBackup, settings: DrillSettings) -> Drill:
    """Recovers the newest base backup with all archived WAL. Raises Refused."""
    drill = Drill("base", base.name, datetime.now(UTC))
    programs = server.server_programs(settings.programs, lambda version: version == base.major, str(base.major))
    if settings.live and (marker := await records.write_marker(settings.live)):
        steps.say("waiting until the marker of this drill is archived")
        if await records.archived(settings.live, base.wal, settings.limits.rpo):
            drill.expected = marker
        else:
            drill.failures.append(f"a commit was not archived within {settings.limits.rpo} s")
        drill.started_at = datetime.now(UTC)
    segments = bases.archived_segments(base)
    with workspace(settings.work, steps.say) as work:
        with _timed(drill, "fetch"):
            recovery = await bases.put_into(steps, base, programs, work)
        started = time.monotonic()
        steps.say("replaying the WAL")
        async with server.running(
            programs, work, recovery.data, _role(settings), recovery.settings, recovery.environment
        ) as maintenance:
            drill.seconds["recover"] = time.monotonic() - started
            if gap := missing_segments(segments, server.replayed_segments(work)):
                drill.failures.append(gap)
            database = PostgresDatabase(maintenance.dsn(await _name(maintenance, settings)))
            drill.newest = await checks.newest_commit(database)
            with _timed(drill, "check"):
                await checks.check(steps, database, drill, settings.jobs, count=True)
    return drill


async def _name(maintenance: PostgresDatabase, settings: DrillSettings) -> str:
    """The database of the service among those of the cluster."""
    if settings.database or settings.live:
        return settings.database or (settings.live.name if settings.live else "")
    async with maintenance.connect("template1") as connection:
        rows = await connection.fetch(
            "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate AND datname <> 'postgres'"
        )
    if len(rows) == 1:
        return str(rows[0]["datname"])
    listed = ", ".join(row["datname"] for row in rows) or "none"
    raise Refused(f"the cluster has these databases: {listed}", "name the one of the service with --database")


def _role(settings: DrillSettings) -> str:
    return settings.role or (settings.live.user if settings.live else "") or "postgres"


@contextmanager
def _timed(drill: Drill, step: str) -> Iterator[None]:
    started = time.monotonic()
    try:
        yield
    finally:
        drill.seconds[step] = time.monotonic() - started
