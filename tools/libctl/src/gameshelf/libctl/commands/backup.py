"""``libctl backup``: the packages' schemas, out of PostgreSQL and back."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from gameshelf.kernel.migrations import Migrations
from gameshelf.libctl.backup import mark, places, remote, shapes
from gameshelf.libctl.backup.bucket import Unfinished
from gameshelf.libctl.backup.contents import Difference
from gameshelf.libctl.backup.manifest import Manifest
from gameshelf.libctl.backup.places import BackupPlace
from gameshelf.libctl.backup.progress import Steps
from gameshelf.libctl.backup.restore import Restored
from gameshelf.libctl.backup.restore import plan as plan_restore
from gameshelf.libctl.backup.restore import restore as restore_backup
from gameshelf.libctl.backup.retention import Policy, Stored, expired, newest_good
from gameshelf.libctl.backup.verify import verify as verify_backup
from gameshelf.libctl.change_log import ChangeLog, actor, applied
from gameshelf.libctl.commands.backup_drill import drill
from gameshelf.libctl.errors import ExitCode, Usage
from gameshelf.libctl.main import noun
from gameshelf.libctl.options import database_option
from gameshelf.libctl.output import Column, Output, facts, size, table
from gameshelf.libctl.packages import installed
from gameshelf.libctl.postgres import PostgresDatabase
from gameshelf.libctl.running import run
from gameshelf.libctl.shapes import with_shape
from gameshelf.libctl.times import MomentParameter

_CLOCKS_DIFFER = timedelta(minutes=5)


class PlaceParameter(click.ParamType[BackupPlace]):
    """``DIR`` or ``s3://BUCKET/PREFIX[/ID]``; with ``in_bucket`` the latter only."""

    name = "place"

    def __init__(self, *, in_bucket: bool = False) -> None:
        self._in_bucket = in_bucket

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> BackupPlace:
        place = value if isinstance(value, BackupPlace) else places.parse(str(value))
        if self._in_bucket and (not place.address or place.backup_id):
            raise Usage(f"{value} isn't a place for backups in a bucket", "s3://BUCKET/PREFIX")
        return place


_place = click.argument("place", metavar="DIR|s3://…", type=PlaceParameter())
_bucket = click.argument("place", metavar="s3://BUCKET/PREFIX", type=PlaceParameter(in_bucket=True))
_work = click.option(
    "--work",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="For a bucket: where the plain copy is meanwhile; otherwise TMPDIR.",
)
_jobs = click.option(
    "--jobs", type=click.IntRange(1, 64), default=4, show_default=True, help="Number of tables to process in parallel."
)


@noun("backup")
def group() -> None:
    """Create, verify and restore backups of the database."""


group.add_command(drill)


@group.command("create")
@_place
@_jobs
@_work
@click.option("--leave-out", multiple=True, metavar="SCHEMA", help="A schema to leave out of the backup.")
@database_option
@with_shape(shapes.CREATED)
@click.pass_obj
def create(
    out: Output, place: BackupPlace, jobs: int, work: Path | None, leave_out: Sequence[str], database: PostgresDatabase
) -> None:
    """Write a consistent backup of all schemas into DIR, or encrypted into a bucket.

    DIR must not exist; it appears once everything is on disk. In a bucket a backup gets a name of its own.
    """
    if place.backup_id:
        raise Usage(f"{place} names a backup", "s3://BUCKET/PREFIX; the new backup gets a name of its own")
    made, place = run(places.create_at(Steps(out), database, installed(), place, jobs, leave_out, work))
    out.result(
        {"backup": str(place), **_described(made)},
        facts({"backup": place, **_shown(made)}),
        "",
        _packages(made),
    )
    out.say(f"verify the backup before you rely on it: libctl backup verify {place}")


@group.command("verify")
@_place
@_jobs
@_work
@database_option
@with_shape(shapes.VERIFIED)
@click.pass_context
def verify(ctx: click.Context, place: BackupPlace, jobs: int, work: Path | None, database: PostgresDatabase) -> None:
    """Load a backup into a temporary database, compare every table, and drop it.

    Exit code 1 if anything differs. Needs the right to create databases, and disk space for one.
    """
    out = ctx.ensure_object(Output)
    manifest, found, loaded = run(_verify(Steps(out), database, place, jobs, work))
    out.result(
        {"backup": str(place), "well": not found, "loaded": loaded, **_described(manifest), **_differing(found)},
        facts({"backup": place, **_shown(manifest)}),
        "",
        _differences(found, "all files, counts and checksums match"),
    )
    if found:
        _complain(out, found)
        ctx.exit(ExitCode.FAILED)


async def _verify(
    steps: Steps, database: PostgresDatabase, place: BackupPlace, jobs: int, work: Path | None
) -> tuple[Manifest, list[Difference], bool]:
    async with places.at_hand(steps, place, jobs, work) as (folder, manifest):
        return manifest, *await verify_backup(steps, database, folder, manifest, jobs)


@group.command("list")
@_bucket
@with_shape(shapes.LISTED)
@click.pass_obj
def list_(out: Output, place: BackupPlace) -> None:
    """List the backups in a bucket, the newest first, and what is wrong with those that can't be used."""
    found = run(_stored(place))[::-1]
    newest = newest_good(found, datetime.now(UTC))
    out.result(
        {"newest_good": newest and newest.id, "backups": [_row(one) for one in found]},
        table(
            ["backup", "restored point", Column("size", justify="right"), "state", "problem"],
            [(one.id, one.point, size(one.bytes), one.state, one.problem) for one in found],
            empty=f"{place} holds no backup",
        ),
    )


@group.command("prune")
@_bucket
@click.option("--days", type=click.IntRange(1), default=30, show_default=True, help="Keep all of so many days.")
@click.option("--weekly", type=click.IntRange(0), default=0, show_default=True, help="Keep one of so many weeks.")
@click.option("--monthly", type=click.IntRange(0), default=0, show_default=True, help="Keep one of so many months.")
@applied
@with_shape(shapes.PRUNED)
@click.pass_context
def prune(ctx: click.Context, place: BackupPlace, days: int, weekly: int, monthly: int, reason: str | None) -> None:
    """Delete expired backups from a bucket; never the newest good one, and nothing that can't be read.

    Ages count from the newest good backup: where backups have stopped, nothing more is deleted. Uploads that were begun
    two days ago or earlier and never finished are aborted.
    """
    out, now = ctx.ensure_object(Output), datetime.now(UTC)
    found, uploads = run(_prunable(Steps(out), place, now))
    past = expired(found, Policy(days, weekly, monthly), now)
    newest = newest_good(found, now)
    document: dict[str, Any] = {
        "newest_good": newest and newest.id,
        "kept": len(found) - len(past),
        "expired": [_row(one) for one in past],
        "unfinished_uploads": [{"object": one.name, "begun_at": one.begun_at} for one in uploads],
        "not_usable": [_row(one) for one in found if one.state != "good" and one not in past],
    }
    rows = table(["backup", "state", "size"], [(one.id, one.state, size(one.bytes)) for one in past], empty="none")
    for one in found:
        if one.state != "good" and one not in past:
            out.say(f"{one.id} is {one.state} and stays: {one.problem}")
    if uploads:
        out.say(f"{len(uploads)} uploads were begun two days ago or earlier and never finished")
    if reason is None:
        out.result({**document, "applied": False}, rows)
        out.say('nothing was changed; to do it, add `--apply --reason "…"`')
    else:
        with ChangeLog.of_environment().change(out, "backup prune", str(place), reason) as result:
            gone, kept, aborted = run(_prune(Steps(out), place, past, uploads))
            result["deleted"], result["not_deleted"], result["aborted_uploads"] = gone, kept, aborted
        out.result(
            {**document, "applied": True, "deleted": gone, "not_deleted": kept, "aborted_uploads": aborted}, rows
        )
        if kept or aborted < len(uploads):
            ctx.exit(ExitCode.FAILED)
    if newest is None:
        out.say(f"{place} holds no good backup", "red")
        ctx.exit(ExitCode.FAILED)


async def _stored(place: BackupPlace) -> list[Stored]:
    assert place.address
    async with places.connected(place.address) as store:
        return await remote.stored(store)


async def _prunable(steps: Steps, place: BackupPlace, now: datetime) -> tuple[list[Stored], list[Unfinished]]:
    assert place.address
    async with places.connected(place.address) as store:
        return await remote.stored(store), await remote.abandoned(steps, store, now)


async def _prune(
    steps: Steps, place: BackupPlace, past: Sequence[Stored], uploads: Sequence[Unfinished]
) -> tuple[list[str], list[str], int]:
    assert place.address
    async with places.connected(place.address) as store:
        gone, kept = await remote.delete(steps, store, past)
        return gone, kept, await remote.abort(steps, store, uploads)


def _row(one: Stored) -> dict[str, Any]:
    return {
        "id": one.id,
        "restored_point": one.point,
        "bytes": one.bytes,
        "state": one.state,
        "problem": one.problem or None,
    }


@group.command("restore")
@_place
@_jobs
@_work
@database_option
@applied
@with_shape(shapes.RESTORED)
@click.pass_context
def restore(
    ctx: click.Context, place: BackupPlace, jobs: int, work: Path | None, database: PostgresDatabase, reason: str | None
) -> None:
    """Restore a backup as the database that POSTGRES_DSN names.

    That database must be absent, or empty and unused. The backup is loaded under another name, compared, brought up to
    this version and marked as restored, and takes the name at the very end.
    """
    out, packages = ctx.ensure_object(Output), installed()
    manifest, place = run(places.described(Steps(out), place))
    plan = run(plan_restore(database, manifest, packages))
    document: dict[str, Any] = {"backup": str(place), "target": str(database), **_described(manifest)}
    target = f"{database} ({'will be made' if plan.state == 'absent' else 'empty; it will be renamed, not dropped'})"
    shown: dict[str, object] = {"backup": place, **_shown(manifest), "target": target}
    if plan.unfinished:
        shown["unfinished"] = f"{plan.unfinished} is {plan.step}; the restore resumes there"
    if reason is None:
        out.result(
            {**document, "applied": False, "target_state": plan.state, "unfinished": plan.unfinished}, facts(shown)
        )
        out.say('nothing was changed; to do it, add `--apply --reason "…"`')
        return
    with ChangeLog.of_environment().change(
        out, "backup restore", str(database), reason, backup=document["backup"], digest=manifest.digest
    ) as result:
        done = run(_restore(Steps(out), database, place, packages, jobs, work, reason))
        result["restored"] = not done.differences
        result["renamed_aside"] = done.aside
    if not done.differences:
        shown["target"] = database
    out.result(
        {
            **document,
            "applied": not done.differences,
            "renamed_aside": done.aside,
            "migrated": done.migrated,
            **_differing(done.differences),
        },
        facts(shown),
        "",
        _differences(done.differences, "all counts and checksums match"),
    )
    if done.differences:
        _complain(out, done.differences)
        out.say(f"nothing was restored; {database.name} is unchanged")
        ctx.exit(ExitCode.FAILED)
    _next_steps(out, done.aside)


async def _restore(
    steps: Steps,
    database: PostgresDatabase,
    place: BackupPlace,
    packages: Mapping[str, Migrations],
    jobs: int,
    work: Path | None,
    reason: str,
) -> Restored:
    async with places.at_hand(steps, place, jobs, work) as (folder, manifest):
        return await restore_backup(steps, database, folder, str(place), manifest, packages, jobs, actor(), reason)


@group.command("mark-restored")
@click.option(
    "--point", type=MomentParameter(), help="Time up to which the database is complete; an earlier time is safe."
)
@click.option("--nothing-lost", is_flag=True, help="Nothing is missing, as after a failover to a synchronous standby.")
@database_option
@applied
@with_shape(shapes.MARKED)
@click.pass_obj
def mark_restored(
    out: Output, point: datetime | None, nothing_lost: bool, database: PostgresDatabase, reason: str | None
) -> None:
    """Record that the database was replaced by a base backup, WAL or a standby.

    It does for the database that POSTGRES_DSN names what `backup restore` does for its own: consumers begin an hour
    before the point, jobs that delete wait for `saves reconcile`, and versions, event numbers and revisions continue
    beyond what clients remember. The service may run.
    """
    if (point is None) != nothing_lost:
        raise Usage(
            "either --point or --nothing-lost", "--point with the moment that was restored to, like 2026-11-25T10:00Z"
        )
    if point and point > datetime.now(UTC) + _CLOCKS_DIFFER:
        raise Usage(
            f"--point {point:%Y-%m-%dT%H:%MZ} is in the future", "the time up to which the database is complete, in UTC"
        )
    found = run(_look(database))
    document: dict[str, Any] = {
        "database": str(database),
        "restored_point": point,
        **asdict(found),
        "replaced": found.replaced,
    }
    shown = facts(
        {
            "database": database,
            "restored point": point or "nothing is missing",
            "cluster, timeline": f"{found.system}, {found.timeline}" if found.system else "not visible to this role",
            "recorded by the service": f"{found.noted_system}, {found.noted_timeline}"
            if found.noted_system
            else "nothing",
            "last marked": found.last_marked or "never",
        }
    )
    if reason is None:
        out.result({**document, "applied": False}, shown)
        out.say('nothing was changed; to do it, add `--apply --reason "…"`')
        return
    with ChangeLog.of_environment().change(
        out, "backup mark-restored", str(database), reason, restored_point=point.isoformat() if point else None
    ) as result:
        restore_id = run(_mark(database, point, reason))
        result["restore"] = str(restore_id)
    out.result({**document, "applied": True, "restore": str(restore_id)}, shown)
    if point:
        _next_steps(out, None)


async def _look(database: PostgresDatabase) -> mark.Current:
    async with database.connect() as connection:
        return await mark.current(connection)


async def _mark(database: PostgresDatabase, point: datetime | None, reason: str) -> UUID:
    schemas = [package.schema for package in installed().values()]
    async with database.connect() as connection:

        async def marked() -> UUID:
            if point is None:
                return await mark.nothing_lost(connection, actor(), reason)
            return await mark.restored(connection, schemas, point, "not a backup of libctl's", actor(), reason)

        return await mark.committed(connection, marked)


def _next_steps(out: Output, aside: str | None) -> None:
    steps = [
        "start the service: consumers begin an hour before the restored point, jobs that delete wait",
        'libctl saves reconcile, and when its list is right: libctl saves reconcile --apply --reason "…"',
    ]
    if aside:
        steps.append(f'what was there before, empty, is now {aside}; when nothing is missed: DROP DATABASE "{aside}"')
    out.say("Next:")
    for number, step in enumerate(steps, 1):
        out.say(f"  {number}. {step}")


def _complain(out: Output, found: Sequence[Difference]) -> None:
    out.say(f"{len(found)} differences: this backup is damaged; create another one", "red")


def _described(manifest: Manifest) -> dict[str, Any]:
    """The manifest as it goes into the JSON, without what fills pages."""
    return {
        "created_at": manifest.created_at,
        "restored_point": manifest.restored_point,
        "database": manifest.database,
        "server_version": manifest.server.version,
        "packages": [
            {"package": package.name, "schema": package.table_schema, "revision": package.revision}
            for package in manifest.packages
        ],
        "tables": len(manifest.contents.tables),
        "rows": manifest.rows,
        "files": len(manifest.files),
        "bytes": manifest.bytes,
        "digest": manifest.digest,
    }


def _shown(manifest: Manifest) -> dict[str, object]:
    contents = f"{len(manifest.contents.tables)} tables, {manifest.rows:,} rows, {size(manifest.bytes)}"
    return {
        "of": f"{manifest.database}, PostgreSQL {manifest.server.version}",
        "restored point": manifest.restored_point,
        "contents": contents,
    }


def _packages(manifest: Manifest) -> Any:
    rows: dict[str, int] = {}
    for one in manifest.contents.tables:
        rows[one.table_schema] = rows.get(one.table_schema, 0) + one.rows
    return table(
        ["schema", "revision", Column("rows", justify="right")],
        [
            (package.table_schema, package.revision, f"{rows.get(package.table_schema, 0):,}")
            for package in manifest.packages
        ],
    )


def _differing(found: Sequence[Difference]) -> dict[str, Any]:
    return {"differences": [difference.model_dump() for difference in found]}


def _differences(found: Sequence[Difference], well: str) -> Any:
    return table(
        ["where", "what", "expected", "found"],
        [(difference.where, difference.what, difference.expected, difference.found) for difference in found],
        empty=well,
    )
