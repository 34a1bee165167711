"""Restoring a backup: a database of another name is loaded, compared, migrated and marked, and renamed at the very end.

So whatever dies in between, the database that the service connects to is the old one, or none. A note on the unfinished
one says how far it is: a repeated restore of the same backup resumes after the last finished step.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gameshelf.kernel.migrations import Migrations
from gameshelf.libctl.backup import mark, scratch
from gameshelf.libctl.backup.contents import SESSION, Difference
from gameshelf.libctl.backup.load import check_files, differences, load, ready
from gameshelf.libctl.backup.manifest import Manifest
from gameshelf.libctl.backup.progress import Steps
from gameshelf.libctl.backup.scratch import Note, at
from gameshelf.libctl.backup.tools import Tools
from gameshelf.libctl.errors import NothingFound, Precondition
from gameshelf.libctl.packages import upgrading
from gameshelf.libctl.postgres import MAINTENANCE, Connection, PostgresDatabase, quoted

_ORDER = ("loading", "loaded", "compared", "marked")
"""The states of a restore; each is written when the step before it has been finished."""

_SESSIONS = """
SELECT coalesce(nullif(application_name, ''), 'unnamed') AS program, count(*) AS sessions FROM pg_stat_activity
WHERE datname = $1 AND backend_type = 'client backend' AND pid <> pg_backend_pid() GROUP BY 1 ORDER BY 1
"""
_RELATIONS = """
SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'f') AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
  AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
  )
ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """The plan of a restore: the target's state (absent or empty), and the unfinished restore that it resumes."""

    target: str
    state: str
    unfinished: str | None
    step: str


@dataclass(frozen=True, slots=True)
class Restored:
    """The result of a restore. ``aside`` is the new name of the empty database that existed before."""

    differences: list[Difference]
    aside: str | None
    migrated: list[str]


async def plan(database: PostgresDatabase, manifest: Manifest, packages: Mapping[str, Migrations]) -> RestorePlan:
    """Raises Precondition when the target holds something, when it is in use, or when another restore is under way."""
    await ready(database, manifest)
    _require_packages(manifest, packages)
    async with database.connect(MAINTENANCE) as keeper:
        await _require_alone(keeper, database)
        exists: bool = await keeper.fetchval("SELECT count(*) > 0 FROM pg_database WHERE datname = $1", database.name)
        unfinished = await _unfinished(keeper, database, manifest)
    if exists:
        await _require_empty(database, packages)
        async with database.connect(MAINTENANCE) as keeper:
            await _require_unused(keeper, database.name)
    step = unfinished.note.state if unfinished and unfinished.note else "loading"
    return RestorePlan(database.name, "empty" if exists else "absent", unfinished.name if unfinished else None, step)


async def restore(
    steps: Steps,
    database: PostgresDatabase,
    folder: Path,
    source: str,
    manifest: Manifest,
    packages: Mapping[str, Migrations],
    jobs: int,
    actor: str,
    reason: str,
) -> Restored:
    """``source``, ``actor`` and ``reason`` go into the mark. Raises Refused.

    Differences mean that nothing was restored: the target is as it was.
    """
    tools, shapes = await ready(database, manifest)
    async with database.connect(MAINTENANCE) as keeper:
        name, note = await _begun(keeper, database, manifest, steps)
        keep = False
        try:
            if note.state == "loading":
                if damaged := await check_files(folder, manifest, steps):
                    return Restored(damaged, None, [])
                note = await _load(keeper, tools, database, name, note, folder, manifest, jobs, steps)
            keep = True  # from here on an interruption loses nothing that was done
            if note.state == "loaded":
                if found := await differences(database, name, manifest, jobs, shapes, steps):
                    keep = False
                    return Restored(found, None, [])
                note = await _reached(keeper, name, at(note, "compared"))
            migrated: list[str] = []
            if note.state == "compared":
                migrated = await _migrate(database, name, packages, steps)
                steps.say("marking it as restored, so that nothing is deleted before saves are reconciled")
                async with database.connect(name, **SESSION) as connection, connection.transaction():
                    schemas = [package.schema for package in packages.values()]
                    await mark.restored(connection, schemas, manifest.restored_point, source, actor, reason)
                    note = await _reached(connection, name, at(note, "marked"))
            steps.say(f"giving it the name {database.name}")
            aside = await _rename(keeper, database, name, packages)
            return Restored([], aside, migrated)
        except BaseException:
            if keep:
                steps.say(f"the database {name} is kept: repeat the command to resume there")
            raise
        finally:
            if not keep:
                await scratch.drop(database, name, steps)


async def _begun(keeper: Connection, database: PostgresDatabase, manifest: Manifest, steps: Steps) -> tuple[str, Note]:
    """The database to load into: an unfinished one of this backup, else a new one. It drops other left-overs."""
    await _require_alone(keeper, database)
    unfinished = await _unfinished(keeper, database, manifest)
    for old in await scratch.left_over(keeper, "restore"):
        mine = old.note is None or old.note.target == database.name
        if mine and (unfinished is None or old.name != unfinished.name):
            steps.say(f"dropping {old.name}, an unfinished restore that can't be resumed")
            await scratch.drop(database, old.name, steps)
    if unfinished and unfinished.note and await scratch.hold(keeper, unfinished.name):
        steps.say(f"resuming with {unfinished.name}, which is {unfinished.note.state}")
        return unfinished.name, unfinished.note
    name, note = scratch.new_name("restore"), Note(database.name, manifest.digest)
    try:
        await scratch.make(keeper, name, note, manifest.locale)
    except BaseException:
        await scratch.drop(database, name, steps)
        raise
    return name, note


async def _unfinished(keeper: Connection, database: PostgresDatabase, manifest: Manifest) -> scratch.Scratch | None:
    """Returns the most advanced unfinished restore of this backup to this name, if it has finished a step."""
    found = [
        old
        for old in await scratch.left_over(keeper, "restore")
        if old.note and (old.note.target, old.note.digest) == (database.name, manifest.digest)
        if old.note.state in _ORDER[1:]
    ]
    return max(found, key=lambda old: _ORDER.index(old.note.state if old.note else "loading"), default=None)


async def _require_alone(keeper: Connection, database: PostgresDatabase) -> None:
    """Raises Precondition while another process restores to the same name, or died of it a moment ago."""
    free = {old.name for old in await scratch.left_over(keeper, "restore")}
    for other in await scratch.ours(keeper, "restore"):
        if other.name not in free and other.note and other.note.target == database.name:
            raise Precondition(
                f"another restore of {database.name} is running, in {other.name}",
                "wait until it has finished, then repeat",
            )


async def _load(
    keeper: Connection,
    tools: Tools,
    database: PostgresDatabase,
    name: str,
    note: Note,
    folder: Path,
    manifest: Manifest,
    jobs: int,
    steps: Steps,
) -> Note:
    await load(tools, database, name, folder, manifest, jobs, steps)
    steps.say("collecting planner statistics")
    async with database.connect(name, **SESSION) as connection:
        await connection.execute("ANALYZE")
    return await _reached(keeper, name, at(note, "loaded"))


async def _reached(connection: Connection, name: str, note: Note) -> Note:
    await scratch.write(connection, name, note)
    return note


async def _migrate(
    database: PostgresDatabase, name: str, packages: Mapping[str, Migrations], steps: Steps
) -> list[str]:
    """Brings an older backup's schemas up to what this version needs: the mark needs a place, the service its tables.

    A package that the backup lacks gets its empty schema.
    """
    async with database.connect(name) as connection:
        behind = [key for key, one in packages.items() if one.is_behind(await one.current(connection))]
    for key in behind:
        steps.say(f"migrating {key} to {packages[key].head()}")
        with upgrading(database):
            await asyncio.to_thread(packages[key].upgrade, database.dsn(name))
    return behind


async def _rename(
    keeper: Connection, database: PostgresDatabase, name: str, packages: Mapping[str, Migrations]
) -> str | None:
    """Gives the finished database its name in one transaction; an empty one that had it goes aside."""
    target, aside = database.name, None
    if await keeper.fetchval("SELECT count(*) > 0 FROM pg_database WHERE datname = $1", target):
        await _require_empty(database, packages)  # hours may have passed
        await _require_unused(keeper, target)
        aside = f"{target[:40]}_before_{datetime.now(UTC):%Y%m%d%H%M%S}"
    async with keeper.transaction():
        if aside:
            await keeper.execute(f"ALTER DATABASE {quoted(target)} RENAME TO {quoted(aside)}")
        await keeper.execute(f"ALTER DATABASE {quoted(name)} RENAME TO {quoted(target)}")
        await scratch.write(keeper, target, None)
    return aside


async def _require_empty(database: PostgresDatabase, packages: Mapping[str, Migrations]) -> None:
    ours = {package.schema for package in packages.values()}
    async with database.connect() as connection:
        for row in await connection.fetch(_RELATIONS):
            full = f"{quoted(row['schema'])}.{quoted(row['name'])}"
            if row["schema"] not in ours:
                raise Precondition(
                    f"the database {database.name} holds a table of somebody else: {row['schema']}.{row['name']}",
                    "name a database in POSTGRES_DSN that doesn't exist; restore makes it",
                )
            if row["name"] == "alembic_version":
                continue
            if await connection.fetchval(f"SELECT EXISTS (SELECT FROM {full})"):  # noqa: S608
                raise Precondition(
                    f"the database {database.name} holds data: {row['schema']}.{row['name']} has rows",
                    f"stop the service, then keep it aside: ALTER DATABASE {quoted(database.name)} RENAME TO "
                    f"{quoted(database.name + '_old')}; or name a database in POSTGRES_DSN that doesn't exist",
                )


async def _require_unused(keeper: Connection, name: str) -> None:
    if sessions := await keeper.fetch(_SESSIONS, name):
        who = ", ".join(f"{row['program']} ({row['sessions']})" for row in sessions)
        raise Precondition(f"the database {name} is in use by {who}", "stop the service first, then repeat")


def _require_packages(manifest: Manifest, packages: Mapping[str, Migrations]) -> None:
    """A schema that no installed package owns could be neither migrated nor checked after the restore."""
    for package in manifest.packages:
        if package.name not in packages:
            raise NothingFound(
                f"the backup holds {package.name}, and no package of that name is installed beside libctl",
                f"install gameshelf-{package.name} into the same environment",
            )
