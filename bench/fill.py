"""Fills a database with users at any scale by COPY: full scale is 10 million users with 100 million games.

The same command resumes what was interrupted. Without `--dsn` the database is one of its own, in a folder that stays.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import asyncpg
from _fill.filling import OtherPlan, fill, finish, planned, products_of, step_of
from _fill.generating import Plan
from _fill.workers import end_with_parent
from gameshelf.devstack.servers import Postgres
from gameshelf.gateway.runtime.migrate import upgrade
from gameshelf.gateway.wiring import MIGRATIONS
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

FULL_SCALE = 10_000_000
FOLDER = Path(__file__).parents[1] / ".local" / "fill"
FOR_COPY = {
    "shared_buffers": "2GB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "30min",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "maintenance_work_mem": "512MB",
    "work_mem": "128MB",
}
"""Of the server in the folder, while it is filled."""


@contextmanager
def own_server(folder: Path) -> Iterator[str]:
    """Starts the server whose data is in this folder, and makes it the first time."""
    postgres = Postgres(folder)
    postgres.durable, postgres.settings = False, FOR_COPY
    postgres.start()
    try:
        yield postgres.dsn()
    finally:
        postgres.stop()


async def size_of(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval("SELECT pg_database_size(current_database())"))
    finally:
        await connection.close()


async def run(
    dsn: str, plan: Plan, done: frozenset[str], options: argparse.Namespace, pool: Executor
) -> tuple[int, int]:
    """Fills with a progress bar; the users and rows of this run."""
    columns = (TextColumn("users"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    before = sum(len(plan.users_of(part)) for part in range(plan.parts) if step_of(part) in done)
    users = rows = 0
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("users", total=plan.users, completed=before)

        def advance(more_users: int, more_rows: int) -> None:
            nonlocal users, rows
            users, rows = users + more_users, rows + more_rows
            bar.advance(task, more_users)

        await fill(dsn, plan, done, options.connections, pool, advance)
    await finish(dsn, done)
    return users, rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench fill", description=__doc__)
    parser.add_argument("--users", type=int, default=FULL_SCALE, help=f"users at full scale ({FULL_SCALE:,})")
    parser.add_argument("--scale", type=float, default=0.05, help="the share of them that is made (0.05)")
    parser.add_argument("--seed", type=int, default=1, help="another one makes other users (1)")
    parser.add_argument("--part", type=int, default=2000, help="users of a part, which is all or nothing (2,000)")
    parser.add_argument("--connections", type=int, default=2, help="parts that are written at once (2)")
    parser.add_argument("--dsn", help="a database that is filled in place of one of its own")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where its own is (.local/fill)")
    options = parser.parse_args()
    if options.dsn:
        report(options.dsn, options)
        return
    with own_server(options.folder) as dsn:
        report(dsn, options)


def report(dsn: str, options: argparse.Namespace) -> None:
    upgrade(dsn, MIGRATIONS)
    users = max(int(options.users * options.scale), 1)
    try:
        plan, done = asyncio.run(planned(dsn, options.seed, users, options.part))
    except OtherPlan as error:
        sys.exit(str(error))
    began = time.perf_counter()
    products_of(plan.seed, plan.users)
    with ProcessPoolExecutor(options.connections, get_context("fork"), initializer=end_with_parent) as pool:
        pool.submit(int).result()  # forks all of them, before there are connections
        made, rows = asyncio.run(run(dsn, plan, done, options, pool))
    took = time.perf_counter() - began
    size = asyncio.run(size_of(dsn))
    print(
        f"{made:,} of {plan.users:,} users with {rows:,} rows in {took:.0f} s ({made / took:,.0f} users/s); "
        f"the database has {size / 2**30:.2f} GiB, {size / plan.users:,.0f} bytes per user"
    )


if __name__ == "__main__":
    main()
