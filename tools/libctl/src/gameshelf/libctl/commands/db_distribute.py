"""``libctl db distribute``: the tables by their users, over the machines of a Citus cluster."""

from dataclasses import asdict

import click
from gameshelf.libctl.change_log import ChangeLog, applied
from gameshelf.libctl.distribution.distribute import DistributionPlan, distribute, look
from gameshelf.libctl.distribution.plan import Placement, TablePlacement
from gameshelf.libctl.errors import Precondition
from gameshelf.libctl.main import Verb
from gameshelf.libctl.options import database_option
from gameshelf.libctl.output import Column, Output, facts, table
from gameshelf.libctl.packages import chosen
from gameshelf.libctl.postgres import PostgresDatabase
from gameshelf.libctl.record_shapes import fields_of
from gameshelf.libctl.running import run
from gameshelf.libctl.schemas import look as look_at_schemas
from gameshelf.libctl.shapes import FLAG, NUMBER, STRING, Shape, list_of, with_shape

_DISTRIBUTED = Shape(
    fields={
        "database": STRING,
        "machines": NUMBER,
        "applied": FLAG,
        "done": FLAG,
        "second_steps": list_of(STRING),
        "tables": list_of(Shape(fields=fields_of(TablePlacement))),
        "functions": list_of(STRING),
    }
)


@click.command("distribute", cls=Verb)
@database_option
@applied
@with_shape(_DISTRIBUTED)
@click.pass_obj
def distribute_tables(out: Output, database: PostgresDatabase, reason: str | None) -> None:
    """Distribute the tables by their users over a Citus cluster.

    Stop the service and the release before first: each table is locked while its rows move. What was interrupted
    continues with the next call.
    """
    packages = chosen(())
    _, states = run(look_at_schemas(database, packages))
    if unready := [state.package for state in states if state.state != "current"]:
        raise Precondition(f"the schemas of this version are needed first: {', '.join(unready)}", "libctl db migrate")
    planned = run(look(database, packages))
    if planned.tables.obstacles:
        raise Precondition("; ".join(planned.tables.obstacles), "libctl db check; nothing was changed")
    is_applied = reason is not None and not planned.is_done
    if is_applied and reason is not None:
        tables = [step.table for step in planned.tables.steps if not step.is_done]
        done: list[str] = []
        with ChangeLog.of_environment().change(out, "db distribute", str(database), reason, tables=tables) as result:
            result["done"] = done
            run(_do(out, database, planned, done))
        planned = run(look(database, packages))
    _show(out, database, planned, is_applied)


async def _do(out: Output, database: PostgresDatabase, planned: DistributionPlan, done: list[str]) -> None:
    async for name in distribute(database, planned):
        done.append(name)
        out.say(f"{name}: distributed")


def _show(out: Output, database: PostgresDatabase, planned: DistributionPlan, is_applied: bool) -> None:
    steps = planned.tables.steps
    out.result(
        {
            "database": str(database),
            "machines": planned.machines,
            "applied": is_applied,
            "done": planned.is_done,
            "second_steps": list(planned.second_steps),
            "tables": [asdict(step) for step in steps],
            "functions": list(planned.functions),
        },
        facts({"database": database, "machines with shards": planned.machines}),
        "",
        table(
            [Column("table", whole=True), "place", "column", "state"],
            [
                (step.table, step.placement, step.column or "", "done" if step.is_done else "to do")
                for step in steps
                if step.placement is not Placement.LOCAL or not step.is_done
            ],
        ),
    )
    if planned.second_steps:
        out.say("first, keys and triggers for the release before are dropped: no instance of it may run again")
    if not planned.is_done:
        out.say('nothing was changed; to do it, stop the service and add `--apply --reason "…"`')
