"""Distributes the tables, one after the other: what is done stays, and the next run continues."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from gameshelf.kernel.migrations import Migrations
from gameshelf.libctl.distribution import catalog
from gameshelf.libctl.distribution.plan import Placement, Plan, TablePlacement, plan
from gameshelf.libctl.errors import Precondition
from gameshelf.libctl.postgres import Connection, PostgresDatabase

_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '5s'"
_PLACE_BY_USER = "SELECT create_distributed_table($1::text::regclass, $2::text, colocate_with => $3::text)"
_PLACE_EVERYWHERE = "SELECT create_reference_table($1::text::regclass)"
_PLACE_WHOLE = "SELECT create_distributed_table($1::text::regclass, NULL, colocate_with => 'none')"
_PLACE_FUNCTION = "SELECT create_distributed_function($1::text::regprocedure)"
_DROP_LOCAL_ROWS = "SELECT truncate_local_data_after_distributing_table($1::text::regclass)"
_HAS_LOCAL_ROWS = "SELECT pg_relation_size($1::text::regclass) > 0"


@dataclass(frozen=True, slots=True)
class DistributionPlan:
    """What a distribution does in a database, in this order: second steps, tables, functions."""

    machines: int
    second_steps: Sequence[str]
    """Statements that end the support of the release before; none where all tables are where they belong."""
    tables: Plan
    functions: Sequence[str]

    @property
    def is_done(self) -> bool:
        return all(step.is_done for step in self.tables.steps) and not self.functions


async def look(database: PostgresDatabase, packages: Mapping[str, Migrations]) -> DistributionPlan:
    """Plans the distribution, and changes nothing. Raises Precondition where the database has no Citus, or no machine.

    The plan is made of what the second steps leave: they run in a transaction that is rolled back.
    """
    async with database.connect() as connection:
        machines = await _require_citus(connection)
        tables, functions = await _plan(connection, packages)
        if all(step.is_done for step in tables.steps):
            return DistributionPlan(machines, (), tables, functions)
        second_steps = [statement for package in packages.values() for statement in package.second_steps]
        async with _rolled_back(connection):
            await connection.execute(_LOCK_TIMEOUT)
            for statement in second_steps:
                await connection.execute(statement)
            tables, functions = await _plan(connection, packages)
        return DistributionPlan(machines, second_steps, tables, functions)


async def distribute(database: PostgresDatabase, distribution: DistributionPlan) -> AsyncIterator[str]:
    """Does what was planned, and says what has been done. Repeat it where it was interrupted."""
    async with database.connect() as connection:
        for statement in distribution.second_steps:
            async with connection.transaction():
                await connection.execute(_LOCK_TIMEOUT)
                await connection.execute(statement)
        placed = [step for step in distribution.tables.steps if step.placement is not Placement.LOCAL]
        for step in placed:
            if not step.is_done:
                await _place(connection, step)
                yield step.table
        # After all tables: those of one that others still reference could not be dropped.
        for step in placed:
            if await connection.fetchval(_HAS_LOCAL_ROWS, step.table):
                await connection.execute(_DROP_LOCAL_ROWS, step.table)
        for function in distribution.functions:
            await connection.execute(_PLACE_FUNCTION, function)
            yield function


async def _place(connection: Connection, step: TablePlacement) -> None:
    if step.placement is Placement.BY_USER:
        await connection.execute(_PLACE_BY_USER, step.table, step.column, step.beside or "none")
    else:
        is_whole = step.placement is Placement.WHOLE
        await connection.execute(_PLACE_WHOLE if is_whole else _PLACE_EVERYWHERE, step.table)


async def _require_citus(connection: Connection) -> int:
    if not await catalog.has_citus(connection):
        raise Precondition(
            "this database does not have the extension citus",
            "CREATE EXTENSION citus on each machine, then citus_add_node; docs/scaling.md has the steps",
        )
    machines = await catalog.count_machines(connection)
    if not machines:
        raise Precondition("no machine can have shards", "SELECT citus_add_node('worker', 5432)")
    return machines


async def _plan(connection: Connection, packages: Mapping[str, Migrations]) -> tuple[Plan, Sequence[str]]:
    tables = await catalog.read_tables(connection, packages.values())
    placed = plan(tables, local_tables(packages), whole_tables(packages))
    return placed, await catalog.functions(connection, packages.values())


def local_tables(packages: Mapping[str, Migrations]) -> set[str]:
    """Returns the tables that stay on the coordinator, with their schema."""
    return {f"{package.schema}.{table}" for package in packages.values() for table in package.local_tables}


def whole_tables(packages: Mapping[str, Migrations]) -> set[str]:
    """Returns the tables that are whole on one of the machines, with their schema."""
    return {f"{package.schema}.{table}" for package in packages.values() for table in package.whole_tables}


@asynccontextmanager
async def _rolled_back(connection: Connection) -> AsyncIterator[None]:
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield
    finally:
        await transaction.rollback()
