"""``libctl backup drill``: whether the newest backup can be restored, in what time, and how much would be lost."""

from pathlib import Path
from typing import Any

import click
from gameshelf.libctl.backup import places
from gameshelf.libctl.backup.drill import base, drills, records
from gameshelf.libctl.backup.drill.drills import DrillSettings
from gameshelf.libctl.backup.drill.verdict import (
    MAX_RPO_SECONDS,
    MAX_RTO_SECONDS,
    BackupKind,
    Drill,
    DrillLimits,
    problems,
)
from gameshelf.libctl.backup.progress import Steps
from gameshelf.libctl.backup.shapes import DRILLED
from gameshelf.libctl.errors import ExitCode, Usage
from gameshelf.libctl.main import Verb
from gameshelf.libctl.output import Output, facts, table
from gameshelf.libctl.postgres import PostgresDatabase
from gameshelf.libctl.running import run
from gameshelf.libctl.shapes import with_shape
from gameshelf.libctl.times import Span, span


def _database(_: click.Context, __: click.Parameter, value: str | None) -> PostgresDatabase | None:
    return PostgresDatabase(value) if value else None


_folder = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command("drill", cls=Verb)
@click.argument("source", metavar="DIR|s3://…|pgbackrest:STANZA")
@click.option("--wal", type=_folder, help="DIR is a base backup, or holds some; this is the archive of its WAL.")
@click.option("--max-rto", type=Span(), default=MAX_RTO_SECONDS, help="The longest restore.  [default: 1h]")
@click.option(
    "--max-rpo", type=Span(), help="The oldest newest commit.  [default: 5m of a base backup with WAL, 24h of a dump]"
)
@click.option("--jobs", type=click.IntRange(1, 64), default=4, show_default=True, help="Tables in parallel.")
@click.option("--work", type=_folder, help="Where the scratch server is meanwhile; otherwise TMPDIR.")
@click.option("--pg-bin", type=_folder, help="The folder of postgres and initdb; otherwise they are looked for.")
@click.option(
    "--scratch",
    metavar="DSN",
    envvar="LIBCTL_SCRATCH_DSN",
    callback=_database,
    help="For a dump: a server to restore into, instead of one that is started here.",
)
@click.option("--role", default="", help="Of a base backup: one of its superusers.  [default: as POSTGRES_DSN]")
@click.option("--database", "name", default="", help="Of a base backup: its database.  [default: as POSTGRES_DSN]")
@click.option(
    "--dsn",
    "live",
    envvar="POSTGRES_DSN",
    metavar="DSN",
    callback=_database,
    help="DSN of the live database, which gets a marker and the result. Optional.",
)
@with_shape(DRILLED)
@click.pass_context
def drill(
    ctx: click.Context,
    source: str,
    wal: Path | None,
    max_rto: int,
    max_rpo: int | None,
    jobs: int,
    work: Path | None,
    pg_bin: Path | None,
    scratch: PostgresDatabase | None,
    role: str,
    name: str,
    live: PostgresDatabase | None,
) -> None:
    """Restore the newest backup into a scratch server, check it, and measure RTO and RPO.

    Nothing of the live database is replaced; it gets a marker, which must come back, and the result. Exit code 1 if a
    limit is exceeded or anything is missing.
    """
    out = ctx.ensure_object(Output)
    kind: BackupKind = "base" if wal or source.startswith(base.PGBACKREST) else "logical"
    if kind == "base" and scratch:
        raise Usage("--scratch is for a dump", "a base backup needs a server of its own, which is started here")
    limits = DrillLimits(max_rto, max_rpo or MAX_RPO_SECONDS[kind])
    settings = DrillSettings(limits, jobs, work, pg_bin, live, scratch, role, name)
    done, found = run(_held(Steps(out), source, wal, settings))
    out.result(_document(done, limits, found), *_drawn(done, limits, found))
    if found:
        ctx.exit(ExitCode.FAILED)


async def _held(steps: Steps, source: str, wal: Path | None, settings: DrillSettings) -> tuple[Drill, list[str]]:
    if source.startswith(base.PGBACKREST):
        done = await drills.of_base(steps, await base.of_stanza(source.removeprefix(base.PGBACKREST)), settings)
    elif wal:
        done = await drills.of_base(steps, base.found_in(Path(source).absolute(), wal), settings)
    else:
        done = await drills.of_dump(steps, places.parse(source), settings)
    found = problems(done, settings.limits)
    if settings.live and not found:
        await records.record(steps, settings.live, done)
    return done, found


def _document(done: Drill, limits: DrillLimits, found: list[str]) -> dict[str, Any]:
    return {
        "passed": not found,
        "kind": done.kind,
        "backup": done.backup,
        "started_at": done.started_at,
        "server_version": done.server or None,
        "rto_seconds": round(done.rto, 3),
        "max_rto_seconds": limits.rto,
        "rpo_seconds": None if done.rpo is None else round(done.rpo, 3),
        "max_rpo_seconds": limits.rpo,
        "newest_commit": done.newest,
        "marker": done.expected and {"written_at": done.expected.written_at, "found": done.marker_found},
        "tables": done.tables,
        "rows": done.rows,
        "users_read": done.users,
        "seconds": {step: round(seconds, 3) for step, seconds in done.seconds.items()},
        "problems": found,
    }


def _drawn(done: Drill, limits: DrillLimits, found: list[str]) -> list[Any]:
    if done.expected is None:
        marker = "none was expected: without POSTGRES_DSN, or before the first one, the backup is not proved to be its"
    else:
        marker = f"{'found' if done.marker_found else 'missing'}, of {done.expected.written_at:%Y-%m-%d %H:%M:%S} UTC"
    described = {
        "backup": done.backup,
        "restored into": f"PostgreSQL {done.server}" if done.server else "nothing",
        "contents": f"{done.tables} tables, {done.rows:,} rows; read the rows of {done.users} users",
        "newest commit": done.newest or "unknown",
        "marker": marker,
    }
    rows = [
        ("RTO", span(round(done.rto)), span(limits.rto)),
        *((f"  {step}", span(round(seconds)), "") for step, seconds in done.seconds.items()),
        ("RPO", "unknown" if done.rpo is None else span(round(done.rpo)), span(limits.rpo)),
    ]
    measured = table(["", "measured", "limit"], rows)
    return [
        facts(described),
        "",
        measured,
        "",
        table(["the drill has failed"], [(one,) for one in found], empty="passed"),
    ]
