"""Making a backup: dump, counts and checksums of one snapshot, and nothing that looks whole before it is."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gameshelf.kernel.migrations import Migrations
from gameshelf.libctl import __version__
from gameshelf.libctl.backup.contents import SESSION, SNAPSHOT, Contents, names, read, together
from gameshelf.libctl.backup.manifest import (
    DUMP,
    Locale,
    Manifest,
    Package,
    ServerVersion,
    count_files,
    files,
    sync_folder,
)
from gameshelf.libctl.backup.progress import Steps
from gameshelf.libctl.backup.tools import Tools
from gameshelf.libctl.errors import NothingFound, Precondition, Refused
from gameshelf.libctl.postgres import Connection, PostgresDatabase

_LOCK = ".lock"

_LOCALE = """
SELECT pg_encoding_to_char(encoding) AS encoding, datcollate AS collate, datctype AS ctype,
       datlocprovider::text AS provider, coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale') AS locale
FROM pg_database d WHERE datname = current_database()
"""
_STRANGERS = """
SELECT DISTINCT nspname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE relname = 'alembic_version' AND relkind = 'r' AND nspname <> ALL ($1::text[]) AND nspname <> 'public' ORDER BY 1
"""
_GATEWAY = "gateway"
_NOTE = """
INSERT INTO gateway.backups (kind, point) VALUES ('logical', $1)
ON CONFLICT (kind) DO UPDATE SET point = greatest(backups.point, excluded.point), noted_at = now()
"""


async def create(
    steps: Steps,
    database: PostgresDatabase,
    packages: Mapping[str, Migrations],
    folder: Path,
    jobs: int,
    leave_out: Sequence[str],
) -> Manifest:
    """Writes ``folder.partial`` and renames it to ``folder`` once everything is on the disk; ``note`` it then.

    Whatever ends it before, there is no ``folder``; what it has written is removed, unless the process was killed. A
    snapshot ends with its connection, so the next run starts from scratch. Raises Refused.
    """
    folder = folder.absolute()
    if folder.exists():
        raise Precondition(f"{folder} is there already", "name a folder that doesn't exist")
    with _partial(folder, steps) as (partial, lock):
        async with database.connect(**SESSION) as connection:
            server = await server_of(connection)
            tools, version = await Tools.for_server(server.number, server.version)
            # Read before the snapshot is taken: what was committed by then is in it.
            moment: datetime = await connection.fetchval("SELECT clock_timestamp()")
            await connection.execute(SNAPSHOT)
            snapshot: str = await connection.fetchval("SELECT pg_export_snapshot()")
            there = await _packages(connection, packages, leave_out)
            locale: Any = await connection.fetchrow(_LOCALE)
            schemas = [package.table_schema for package in there]
            total = len(await names(connection, schemas))
            with steps.bars():
                dumped = steps.counting("dumping", total, "tables")
                counted = steps.counting("counting", total, "tables")
                contents = await _dumped(
                    read(database, database.name, schemas, jobs, counted, snapshot),
                    _dump(tools, database, schemas, partial, jobs, snapshot, dumped, lock),
                )
        with steps.bars():
            hashed = steps.counting("hashing and syncing", count_files(partial), "files")
            made = await files(partial, hashed)
        manifest = Manifest(
            libctl=__version__,
            created_at=datetime.now(UTC),
            restored_point=moment,
            database=database.name,
            server=server,
            locale=Locale(**locale),
            pg_dump=version,
            packages=there,
            contents=contents,
            files=made,
        )
        manifest.write(partial)
        (partial / _LOCK).unlink()
        sync_folder(partial)
        if folder.exists():  # a rename would replace an empty one
            raise Precondition(f"{folder} was created meanwhile", "name a folder that doesn't exist")
        partial.rename(folder)
        sync_folder(folder.parent)
    return manifest


async def note(steps: Steps, database: PostgresDatabase, manifest: Manifest) -> None:
    """Records for the service when its newest backup was made, once it is where it stays.

    The backup is complete without the record, which a standby cannot write.
    """
    if _GATEWAY not in manifest.schemas:
        return
    try:
        async with database.connect() as connection:
            await connection.execute(_NOTE, manifest.restored_point)
    except Refused as error:
        steps.say(f"the backup is whole, but backup_age_seconds will not know of it: {error}")


async def server_of(connection: Connection) -> ServerVersion:
    return ServerVersion(
        version=await connection.fetchval("SHOW server_version"),
        number=int(await connection.fetchval("SHOW server_version_num")),
    )


async def _dumped(reading: Any, dumping: Any) -> Contents:
    contents, _ = await together(reading, dumping)
    made: Contents = contents
    return made


async def _dump(
    tools: Tools,
    database: PostgresDatabase,
    schemas: Sequence[str],
    partial: Path,
    jobs: int,
    snapshot: str,
    on_table: Callable[[], None],
    lock: int,
) -> None:
    where, environment = database.for_tools(database.name)
    arguments = [
        "--format=directory",
        f"--file={partial / DUMP}",
        f"--jobs={jobs}",
        f"--snapshot={snapshot}",
        "--no-owner",
        "--no-privileges",
        "--verbose",
        *(f"--schema={schema}" for schema in schemas),
        f"--dbname={where}",
    ]

    def count_table(line: str) -> None:
        if "dumping contents of table" in line:
            on_table()

    await tools.run("pg_dump", arguments, environment, count_table, [lock])


async def _packages(
    connection: Connection, packages: Mapping[str, Migrations], leave_out: Sequence[str]
) -> tuple[Package, ...]:
    """The packages that have a schema here. Raises Refused when somebody else's would silently be left out."""
    there = []
    for name, package in packages.items():
        revision = await package.current(connection)
        if revision is not None and package.schema not in leave_out:
            there.append(Package(name=name, table_schema=package.schema, revision=revision))
    known = [*leave_out, *(package.schema for package in packages.values())]
    if strangers := [row["nspname"] for row in await connection.fetch(_STRANGERS, known)]:
        raise Refused(
            f"no installed package owns the schema {strangers[0]}, so that a backup would lack it",
            f"install its package beside libctl, or say --leave-out {strangers[0]}",
        )
    if not there:
        raise NothingFound("none of the packages has a schema in this database", "libctl db status")
    return tuple(there)


@contextmanager
def _partial(folder: Path, steps: Steps) -> Iterator[tuple[Path, int]]:
    """An empty ``folder.partial`` that nobody else writes to, and the descriptor of its lock; gone after a failure.

    ``pg_dump`` inherits the lock, so that not even the dump of a killed run writes on beside the next one.
    """
    partial = folder.with_name(folder.name + ".partial")
    try:
        partial.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(partial / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Refused(f"{partial} can't be written: {error.strerror}", "name another folder") from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat((partial / _LOCK).stat(), os.fstat(lock)):
                raise BlockingIOError
        except (BlockingIOError, FileNotFoundError):
            raise Precondition(f"another backup is being written to {partial}", "wait until it has finished") from None
        left = [path for path in partial.iterdir() if path.name != _LOCK]
        if left:
            steps.say(f"{partial} is of a run that was killed; its snapshot is gone, so this one starts from scratch")
        for path in left:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        try:
            yield partial, lock
        except OSError as error:
            shutil.rmtree(partial, ignore_errors=True)
            raise Refused(f"{partial} can't be written: {error.strerror}", "is there enough room?") from None
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    finally:
        os.close(lock)
