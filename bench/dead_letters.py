"""A hundred thousand dead letters, listed and sent again by libctl: how long it takes, and how flat memory stays.

One service process (roles `api` and `relay`). Memory of both processes is looked at twenty times a second.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import asyncpg
from gameshelf.devstack.pytest_plugin import Service, StartedPlatform
from gameshelf.devstack.servers import Kafka, Postgres, Valkey
from gameshelf.devstack.tokens import TokenIssuer
from rich.console import Console
from rich.table import Table

TOPIC = "com.platform.payment.events.v1"
STALLED_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Ran:
    """Time and memory of a command. In MiB: libctl after a tenth of the time, and both peaks (libctl, the service)."""

    name: str
    letters: int
    seconds: float
    early: float
    most: float
    service: float


async def seed(dsn: str, letters: int) -> None:
    """Inserts letters of a thousand users, of a kilobyte each, one per millisecond."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(
        "INSERT INTO gateway.user_streams (user_id) SELECT md5('u' || n)::uuid FROM generate_series(0, 999) n"
    )
    await connection.execute(
        "INSERT INTO gateway.dead_letters (id, user_id, topic, reason, detail, record_key, value, created_at) "
        "SELECT gen_random_uuid(), md5('u' || n % 1000)::uuid, $2, 'MALFORMED_DATA', 'items: Field required', "
        "convert_to('u' || n % 1000, 'UTF8'), convert_to(repeat(md5(n::text), 32), 'UTF8'), "
        "now() - make_interval(secs => n / 1000.0) FROM generate_series(1, $1::int) n",
        letters,
        TOPIC,
    )
    await connection.execute("VACUUM ANALYZE gateway.dead_letters")
    await connection.close()


async def count(dsn: str, table: str) -> int:
    connection = await asyncpg.connect(dsn)
    found: int = await connection.fetchval(f"SELECT count(*) FROM {table}")
    await connection.close()
    return found


def memory(pid: int) -> float:
    """Returns the resident memory of a process in MiB."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 2**20
    except (OSError, IndexError):
        return 0.0


class Libctl:
    """Runs commands, and measures the memory of both processes meanwhile."""

    def __init__(self, platform: StartedPlatform, service: Service, directory: Path) -> None:
        assert service.process
        self._service = service.process.pid
        self._output = directory / "libctl.out"
        token = platform.issuer.issue(str(uuid4()), ("admin",), ttl=3600)
        self._environment = {**os.environ, "LIBCTL_ENDPOINT": service.grpc, "LIBCTL_TOKEN": token}

    def run(self, name: str, *words: str, count: Callable[[Path], int]) -> Ran:
        """Runs a command that must succeed; ``count`` says of its output how many letters it was about."""
        began, samples, service = time.perf_counter(), [], 0.0
        with self._output.open("wb") as output:
            command = [sys.executable, "-m", "gameshelf.libctl", "--json", "events", "dlq", *words]
            process = subprocess.Popen(command, env=self._environment, stdout=output)
            while process.poll() is None:
                samples.append(memory(process.pid))
                service = max(service, memory(self._service))
                time.sleep(0.05)
        if process.returncode:
            sys.exit(f"libctl ended with {process.returncode}")
        took = time.perf_counter() - began
        # Not while it still loads its code.
        early = samples[len(samples) // 10]
        return Ran(name, count(self._output), took, early, max(samples), service)


def run(platform: StartedPlatform, directory: Path, letters: int) -> tuple[list[Ran], float, float]:
    """Returns the figures of each command, the service's memory before, and the seconds until the broker had all."""
    asyncio.run(seed(platform.dsn, letters))
    service = platform.service(LIBRARY_SERVICE_ROLES="api,relay")
    service.start()
    assert service.process
    libctl = Libctl(platform, service, directory)
    # One that warms the service up: connections, and the code of a first call.
    libctl.run("", "list", "--limit", "1", count=lambda output: 1)
    before = memory(service.process.pid)
    ran = [
        libctl.run("list --all", "list", "--all", count=lambda output: sum(1 for _ in output.open("rb"))),
        libctl.run(
            "replay",
            *("replay", "--apply", "--reason", "the benchmark"),
            count=lambda output: int(json.loads(output.read_text())["replayed"]),
        ),
    ]
    began = time.perf_counter()
    while asyncio.run(count(platform.dsn, "gateway.outbox")):
        if time.perf_counter() - began > STALLED_SECONDS:
            sys.exit("the outbox isn't emptied")
        time.sleep(0.2)
    return ran, before, time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench dead-letters", description=__doc__)
    parser.add_argument("--letters", type=int, default=100_000, help="how many dead letters (100,000)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gameshelf-bench-") as folder:
        directory = Path(folder)
        postgres, valkey, kafka = Postgres(directory / "pg"), Valkey(directory / "valkey"), Kafka(directory / "kafka")
        postgres.durable = False
        for server in (postgres, valkey, kafka):
            server.start()
        platform = StartedPlatform(directory, postgres.dsn(), kafka, valkey, TokenIssuer(directory / "keys"))
        try:
            platform.service().migrate()
            ran, before, sent = run(platform, directory, options.letters)
            left = asyncio.run(count(platform.dsn, "gateway.dead_letters"))
        finally:
            platform.close()
            postgres.stop()
    table = Table("what", "letters", "seconds", "libctl MiB", "service MiB", box=None, pad_edge=False)
    for one in ran:
        libctl, service = f"{one.early:.0f} .. {one.most:.0f}", f"{before:.0f} .. {one.service:.0f}"
        table.add_row(one.name, f"{one.letters:,}", f"{one.seconds:.1f}", libctl, service)
    Console(width=100).print(table)
    Console(width=100).print(f"left: {left:,}; {sent:.1f} s later the broker had the last one")


if __name__ == "__main__":
    main()
