"""``libctl db``: the schemas of the packages, each with its own migrations."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click
from gameshelf.libctl.change_log import ChangeLog, applied
from gameshelf.libctl.commands.db_distribute import distribute_tables
from gameshelf.libctl.errors import ExitCode
from gameshelf.libctl.main import noun
from gameshelf.libctl.options import database_option
from gameshelf.libctl.output import Column, Output, facts, size, table
from gameshelf.libctl.packages import chosen, upgrading
from gameshelf.libctl.postgres import PostgresDatabase
from gameshelf.libctl.record_shapes import fields_of
from gameshelf.libctl.running import run
from gameshelf.libctl.schemas import SchemaState, compare_models, look
from gameshelf.libctl.shapes import FLAG, STRING, Shape, answers, list_of

_SCHEMAS = list_of(Shape(fields=fields_of(SchemaState)))
_MIGRATION = Shape(fields={"package": STRING, "revision": STRING})
_FOUND = Shape(fields={"package": STRING, "differences": list_of(STRING)})
_package = click.option("--package", "names", multiple=True, metavar="NAME", help="Only this package; can be repeated.")


@noun("db")
def group() -> None:
    """Show, check, migrate and distribute the database schemas."""


group.add_command(distribute_tables)


@group.command("status")
@_package
@database_option
@answers(database=STRING, server_version=STRING, schemas=_SCHEMAS)
@click.pass_obj
def status(out: Output, names: Sequence[str], database: PostgresDatabase) -> None:
    """Show the revision and the size of each schema."""
    version, states = run(look(database, chosen(names)))
    out.result(
        {"database": str(database), "server_version": version, "schemas": [asdict(state) for state in states]},
        facts({"database": database, "PostgreSQL": version}),
        "",
        _drawn(states),
    )
    if any(state.missing for state in states):
        out.say('behind: `libctl db migrate` shows what is missing; `--apply --reason "…"` migrates')


@group.command("migrate")
@_package
@database_option
@applied
@answers(database=STRING, applied=FLAG, migrations=list_of(_MIGRATION), schemas=_SCHEMAS)
@click.pass_obj
def migrate(out: Output, names: Sequence[str], database: PostgresDatabase, reason: str | None) -> None:
    """Migrate the schemas to this version; safe while instances run."""
    packages = chosen(names)
    _, states = run(look(database, packages))
    behind = [state for state in states if state.missing]
    if reason is not None and behind:
        plan = {state.package: list(state.missing) for state in behind}
        with ChangeLog.of_environment().change(out, "db migrate", str(database), reason, missing=plan) as result:
            result["migrated"] = migrated = []
            for state in behind:
                out.say(f"{state.package}: {state.revision or 'nothing'} → {state.needed}")
                with upgrading(database):
                    packages[state.package].upgrade(database.dsn())
                migrated.append(state.package)
        _, states = run(look(database, packages))
    steps = [(state.package, state.revision or "none", step) for state in behind for step in state.missing]
    out.result(
        {
            "database": str(database),
            "applied": reason is not None and bool(behind),
            "migrations": [{"package": package, "revision": revision} for package, _, revision in steps],
            "schemas": [asdict(state) for state in states],
        },
        table(["package", "revision", "migration"], steps, empty="all schemas are current"),
    )
    if behind:
        out.say("done" if reason is not None else 'nothing was changed; to do it, add `--apply --reason "…"`')


@group.command("check")
@_package
@database_option
@answers(database=STRING, well=FLAG, packages=list_of(_FOUND))
@click.pass_context
def check(ctx: click.Context, names: Sequence[str], database: PostgresDatabase) -> None:
    """Compare the schemas with this version's models; exit code 1 if anything is missing."""
    out = ctx.ensure_object(Output)
    packages = chosen(names)
    _, states = run(look(database, packages))
    found = {state.package: compare_models(packages[state.package], state, database) for state in states}
    well = not any(differences for differences in found.values())
    out.result(
        {
            "database": str(database),
            "well": well,
            "packages": [{"package": name, "differences": differences} for name, differences in found.items()],
        },
        table(
            [Column("package", whole=True), Column("found")],
            [
                (name, difference)
                for name, described in found.items()
                for difference in described or ["matches the models"]
            ],
        ),
    )
    if not well:
        out.say("`libctl db migrate` adds what is missing; revert manual changes by hand")
        ctx.exit(ExitCode.FAILED)


def _drawn(states: Sequence[SchemaState]) -> Any:
    right = ("tables", "rows", "size")
    columns = ["schema", "revision", "needed", "state", *right]
    return table(
        [Column(name, justify="right" if name in right else "left") for name in columns],
        [
            (
                state.schema,
                state.revision or "none",
                state.needed,
                state.state,
                state.tables,
                f"~{state.rows:,}",
                size(state.bytes),
            )
            for state in states
        ],
    )
