"""Fills a migrated database, part by part. A finished step is recorded in the transaction of its rows."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from functools import cache

import asyncpg

from _fill.binary import HEADER, TRAILER, Target, microseconds
from _fill.catalog import CATALOG, Product, catalog, rows_of_catalog
from _fill.generating import Part, Plan, part_of
from _fill.tables import OF_USERS

_PROGRESS = """
CREATE SCHEMA IF NOT EXISTS fill;
CREATE TABLE IF NOT EXISTS fill.plan (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    seed bigint NOT NULL, users bigint NOT NULL, users_of_a_part integer NOT NULL,
    began_at timestamptz NOT NULL DEFAULT date_trunc('second', now())
);
CREATE TABLE IF NOT EXISTS fill.steps (name text PRIMARY KEY, finished_at timestamptz NOT NULL DEFAULT now());
"""
_OWNERS = """
INSERT INTO achievements.product_owners (product_id, owners)
SELECT product_id, count(*) FROM achievements.owned_products GROUP BY product_id
"""
_UNLOCKS = """
INSERT INTO achievements.achievement_unlocks (achievement_meta_id, product_id, unlocks)
SELECT a.achievement_meta_id, a.product_id, count(*) FROM achievements.user_achievements a
JOIN achievements.owned_products o USING (user_id, product_id)
WHERE a.is_unlocked GROUP BY a.achievement_meta_id, a.product_id
"""
_STEP = "INSERT INTO fill.steps (name) VALUES ($1)"

Progress = Callable[[int, int], None]
"""Is called with the users and rows of each part once it is committed."""


class OtherPlan(Exception):
    """The database was filled with another plan, or not by this at all."""


async def planned(dsn: str, seed: int, users: int, users_of_a_part: int) -> tuple[Plan, frozenset[str]]:
    """Returns the plan of the database, and the names of the steps that are done; the first time it begins one.

    Raises OtherPlan.
    """
    async with _connected(dsn) as connection:
        if not await connection.fetchval("SELECT to_regclass('fill.plan')"):
            if await connection.fetchval("SELECT true FROM gateway.user_streams LIMIT 1"):
                raise OtherPlan("the database has users already")
            await connection.execute(_PROGRESS)
        await connection.execute(
            "INSERT INTO fill.plan (seed, users, users_of_a_part) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            seed,
            users,
            users_of_a_part,
        )
        [row] = await connection.fetch("SELECT * FROM fill.plan")
        if (row["seed"], row["users"]) != (seed, users):
            raise OtherPlan(f"the database is being filled with {row['users']:,} users and the seed {row['seed']}")
        done = await connection.fetch("SELECT name FROM fill.steps")
        return Plan(seed, users, row["users_of_a_part"], microseconds(row["began_at"])), frozenset(
            step["name"] for step in done
        )


async def fill(
    dsn: str, plan: Plan, done: frozenset[str], connections: int, pool: Executor, progress: Progress
) -> None:
    """Does what is left of the plan, several parts at once."""
    if "catalog" not in done:
        await _fill_catalog(dsn, plan)
    left = iter([number for number in range(plan.parts) if step_of(number) not in done])

    async def work() -> None:
        async with _connected(dsn) as connection:
            for number in left:
                part = await asyncio.get_running_loop().run_in_executor(pool, generate, plan, number)
                await _write(connection, step_of(number), part.copies, OF_USERS)
                progress(len(plan.users_of(number)), part.rows)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(connections):
            tasks.create_task(work())


async def finish(dsn: str, done: frozenset[str]) -> None:
    """Counts the counters that all users share, and does what autovacuum would have done meanwhile."""
    async with _connected(dsn) as connection:
        if "counters" not in done:
            async with connection.transaction():
                await connection.execute(_OWNERS)
                await connection.execute(_UNLOCKS)
                await connection.execute(_STEP, "counters")
        if "vacuum" not in done:
            await connection.execute("VACUUM (ANALYZE)")
            await connection.execute(_STEP, "vacuum")


def step_of(part: int) -> str:
    """The name of a part's step."""
    return f"part {part}"


def generate(plan: Plan, number: int) -> Part:
    """Generates a part, in a process of its own: that was forked when the products were there."""
    return part_of(plan, number, products_of(plan.seed, plan.users))


@cache
def products_of(seed: int, users: int) -> tuple[Product, ...]:
    return catalog(seed, users)


async def _fill_catalog(dsn: str, plan: Plan) -> None:
    rows = rows_of_catalog(products_of(plan.seed, plan.users), plan.now)
    copies = {target.table: b"".join((HEADER, *found, TRAILER)) for target, found in rows.items()}
    async with _connected(dsn) as connection:
        await _write(connection, "catalog", copies, CATALOG)


async def _write(
    connection: asyncpg.Connection, step: str, copies: Mapping[str, bytes], order: tuple[Target, ...]
) -> None:
    assert copies.keys() <= {target.table for target in order}
    async with connection.transaction():
        for target in order:
            if found := copies.get(target.table):
                schema, _, table = target.table.partition(".")
                await connection.copy_to_table(
                    table, schema_name=schema, columns=target.columns.split(), format="binary", source=_pieces(found)
                )
        await connection.execute(_STEP, step)


async def _pieces(found: bytes) -> AsyncIterator[bytes]:
    yield found


@asynccontextmanager
async def _connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn, server_settings={"synchronous_commit": "off"})
    try:
        yield connection
    finally:
        await connection.close()
