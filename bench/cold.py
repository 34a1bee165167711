"""First pages of users whom nobody has asked for before, at random and at 100 per second; beside a bare route.

Requests are sent on a schedule, whatever is answered. Before each run PostgreSQL is restarted and its files leave the
memory of the system, so the rows are read from the disk. The floor reads the same rows of the same users, in one
statement. The database is the one of `./dev bench fill`, or one of some users that is made for the run.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from uuid import UUID

import asyncpg
from _fill.people import user_id
from _load import Run, paced
from _stack import Stack, on_cores, parser, report, start_bare
from fill import FOLDER
from gameshelf.devstack.measurements import Figure
from gameshelf.devstack.pytest_plugin import StartedPlatform
from gameshelf.devstack.servers import S3, Kafka, Postgres, Valkey
from gameshelf.devstack.tokens import TokenIssuer
from gameshelf.gateway.runtime.migrate import upgrade
from gameshelf.gateway.wiring import MIGRATIONS
from library import request
from saves import BUCKET

BARE = "bare Quart route with one statement"
WARM_UP = 50
"""So many other users are asked for first, one after the other: connections, statements and the upper pages of the
indexes are there then, as they are in a service that runs."""
SERVER = "granian"


@contextmanager
def started(folder: Path | None, users: int, *, with_store: bool = False) -> Iterator[Stack]:
    """Starts the servers, with the database of the folder or with one of so many users."""
    with tempfile.TemporaryDirectory(prefix="gameshelf-bench-") as made:
        directory = Path(made)
        postgres, valkey, kafka = (
            Postgres(folder or directory / "pg"),
            Valkey(directory / "valkey"),
            Kafka(directory / "kafka"),
        )
        store = S3(directory / "s3") if with_store else None
        postgres.durable = False
        for server in (postgres, valkey, kafka, *([store] if store else ())):
            server.start()
        issuer, settings = TokenIssuer(directory / "keys"), None
        if store:
            store.create_bucket(BUCKET)
            settings = store.settings(BUCKET)
        platform = StartedPlatform(directory, postgres.dsn(), kafka, valkey, issuer, settings)
        try:
            upgrade(postgres.dsn(), MIGRATIONS)
            if folder is None:
                script = str(Path(__file__).with_name("fill.py"))
                size = ("--scale", "1", "--users", str(users), "--dsn", postgres.dsn())
                subprocess.run([sys.executable, script, *size], check=True)
            yield Stack(directory, platform, postgres)
        finally:
            platform.close()
            postgres.stop()
            if store:
                store.stop()


async def planned(dsn: str) -> tuple[int, int]:
    """Returns the seed and the number of the users of a filled database."""
    connection = await asyncpg.connect(dsn)
    try:
        if not await connection.fetchval("SELECT to_regclass('fill.steps')"):
            sys.exit("the database was not filled by ./dev bench fill")
        if not await connection.fetchval("SELECT true FROM fill.steps WHERE name = 'vacuum'"):
            sys.exit("the database is not filled to the end: ./dev bench fill continues")
        [row] = await connection.fetch("SELECT seed, users FROM fill.plan")
        return row["seed"], row["users"]
    finally:
        await connection.close()


def forget(postgres: Postgres) -> None:
    """Restarts the server with nothing in memory: neither in its buffers nor of its files in those of the system."""
    postgres.stop()
    for path in (postgres.directory / "data").rglob("*"):
        if path.is_file():
            file = os.open(path, os.O_RDONLY)
            os.fdatasync(file)  # what is not written yet would stay
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(file)
    postgres.start()


def chosen(seed: int, users: int, rounds: int, each: int) -> list[list[UUID]]:
    """The users of each round, at random. Each is asked for in one round only."""
    numbers = Random(f"cold {seed}").sample(range(users), rounds * each)
    ids = [UUID(bytes=user_id(seed, number)) for number in numbers]
    return [ids[turn * each : (turn + 1) * each] for turn in range(rounds)]


def of_service(stack: Stack, users: Sequence[UUID], rate: float) -> Run:
    """Starts a service on the cold database, and asks it."""
    service = stack.platform.service(LIBRARY_SERVICE_ROLES="api", LIBRARY_SERVICE_SERVER=SERVER)
    with on_cores(0):
        service.start()
    try:
        return ask(service.http_port, [request(stack.platform.token(user), "") for user in users], rate)
    finally:
        service.stop()


def of_floor(stack: Stack, users: Sequence[UUID], rate: float) -> Run:
    """The same of the bare route."""
    with on_cores(0):
        process, port = start_bare(stack.directory, "_bare_cold.py", SERVER, stack.postgres.dsn())
    try:
        return ask(port, [f"GET /items/{user} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() for user in users], rate)
    finally:
        process.stop()


def ask(port: int, requests: Sequence[bytes], rate: float) -> Run:
    with on_cores(1):
        asyncio.run(paced(port, requests[:WARM_UP], rate / 4))
        return asyncio.run(paced(port, requests[WARM_UP:], rate))


def measure(stack: Stack, options: argparse.Namespace) -> tuple[int, dict[str, list[Run]]]:
    """The number of users, and the runs of the service and of the floor."""
    seed, users = asyncio.run(planned(stack.postgres.dsn()))
    each = int(options.rate * options.seconds) + WARM_UP
    if options.rounds * each > users:
        sys.exit(f"{options.rounds} rounds of {each:,} users need more than {users:,} users")
    kinds: dict[str, Callable[[Stack, Sequence[UUID], float], Run]] = {"service": of_service, "floor": of_floor}
    found: dict[str, list[Run]] = {name: [] for name in kinds}
    for turn, asked in enumerate(chosen(seed, users, options.rounds, each)):
        for name, run in list(kinds.items())[:: 1 if turn % 2 else -1]:
            forget(stack.postgres)
            found[name].append(run(stack, asked, options.rate))
    return users, found


def figures(users: int, found: dict[str, list[Run]], rate: float) -> tuple[Figure, ...]:
    return tuple(
        Figure(
            what=f"first page of cold users at {rate:g}/s, {name}",
            unit="ms",
            rounds=tuple(getattr(run, name) for run in found["service"]),
            floor_name=BARE,
            floor=tuple(getattr(run, name) for run in found["floor"]),
            remark=f"of {users:,} users",
        )
        for name in ("p50", "p95")
    )


def main() -> None:
    options_of = parser("cold", __doc__, rounds=3)
    options_of.add_argument("--folder", type=Path, help=".local/fill if it exists: a database of ./dev bench fill")
    options_of.add_argument("--users", type=int, help="makes a database of so many users instead (20,000)")
    options_of.add_argument("--rate", type=float, default=100, help="requests a second (100)")
    options_of.add_argument("--seconds", type=float, default=20, help="length of a run (20)")
    options = options_of.parse_args()
    folder = None if options.users else options.folder or (FOLDER if FOLDER.exists() else None)
    with started(folder, options.users or 20_000) as stack:
        users, found = measure(stack, options)
    report(figures(users, found, options.rate), options.json)
    if failed := sum(run.failed for runs in found.values() for run in runs):
        sys.exit(f"failed: {failed}")


if __name__ == "__main__":
    main()
