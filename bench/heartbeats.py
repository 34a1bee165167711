"""Heartbeats over gRPC streams into one service process, at the rate of a million players, one a minute.

Sent on a schedule, whatever is answered: a latency counts from when a message was due until it is acknowledged, which
means that it is in Redis. The floor is a bare gRPC stream in a process of its own that acknowledges and keeps nothing.
"""

import argparse
import asyncio
import os
import resource
import statistics
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from math import inf
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import grpc.aio
from _load import percentile
from _stack import code_of, parser, report
from gameshelf.devstack.measurements import Figure
from gameshelf.devstack.ports import listens
from gameshelf.devstack.process import Process
from gameshelf.devstack.pytest_plugin import StartedPlatform
from gameshelf.devstack.servers import Kafka, Postgres, Valkey
from gameshelf.devstack.servers.base import free_port
from gameshelf.devstack.tokens import TokenIssuer
from gameshelf.gateway.domains.playtime.live_sessions import LiveSessions
from gameshelf.protos.library.v1 import playtime_tracker_service_pb2 as messages
from gameshelf.protos.library.v1.playtime_tracker_service_pb2_grpc import PlaytimeTrackerServiceStub
from redis.asyncio import Redis
from rich.console import Console
from rich.table import Table

BARE = "bare gRPC stream"
Caller = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Run:
    """The figures of one run. Latencies in seconds, one per message; memory in MiB, every few seconds."""

    name: str
    sent: int = 0
    players: int = 0
    """How many players had a heartbeat sent."""
    last_turn: float = inf
    """When the last turn of all players began."""
    acknowledged: int = 0
    refused: int = 0
    seconds: float = 0
    latencies: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    cpu: float = 0
    lost: int | None = None


def player(number: int) -> tuple[UUID, UUID]:
    """The user and the session of a number: spread evenly, and not kept in memory."""
    digest = blake2b(number.to_bytes(8, "big"), digest_size=32).digest()
    return UUID(bytes=digest[:16]), UUID(bytes=digest[16:])


async def seed(dsn: str, count: int) -> None:
    """Running sessions of so many players."""
    connection = await asyncpg.connect(dsn)
    started = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
    product = uuid4()

    def rows() -> Iterator[tuple[object, ...]]:
        for number in range(count):
            user, session = player(number)
            yield user, session, product, "", started, datetime.now(UTC)

    await connection.copy_records_to_table(
        "playtime_sessions",
        schema_name="playtime",
        columns=["user_id", "id", "product_id", "device_id", "start_time", "last_heartbeat_at"],
        records=rows(),
    )
    await connection.execute("VACUUM ANALYZE playtime.playtime_sessions")
    await connection.close()


async def all_live(redis_address: str, count: int) -> None:
    """Waits until the service has brought every session into Redis."""
    host, _, port = redis_address.rpartition(":")
    redis = Redis(host=host, port=int(port))
    while await LiveSessions(redis).count_sessions() < count:  # noqa: ASYNC110 - it is another process
        await asyncio.sleep(0.5)
    await redis.aclose()


async def kept(redis_address: str, since: float) -> int:
    """Counts the sessions in Redis that have shown a sign of life since a time."""
    host, _, port = redis_address.rpartition(":")
    redis = Redis(host=host, port=int(port))
    found = 0
    for shard in range(16):
        found += await redis.zcount(f"playtime:live:{shard}", int(since * 1000), "+inf")
    await redis.aclose()
    return found


class Stream:
    """One stream of a game server: sends its share on a schedule, and notes how long each acknowledgement took."""

    def __init__(self, stub: PlaytimeTrackerServiceStub, caller: Caller, run: Run) -> None:
        self._call = stub.StreamPlaytimeHeartbeats(metadata=caller)
        self._run = run
        self._due: deque[tuple[int, float]] = deque()

    async def play(self, numbers: range, count: int, each: int, interval: float, offset: float) -> None:
        """Sends so many heartbeats, of each player once per turn."""
        listening = asyncio.ensure_future(self._listen())
        begin = time.perf_counter() + offset
        for index, first in enumerate(range(0, count, each)):
            due = begin + index * interval
            wait = due - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            request = messages.StreamPlaytimeHeartbeatsRequest(sequence=index + 1)
            for turn in range(first, min(first + each, count)):
                user, session = player(numbers[turn % len(numbers)])
                request.heartbeats.add(user_id=str(user), session_id=str(session))
            if first + each > count - len(numbers):
                self._run.last_turn = min(self._run.last_turn, time.time())
            self._due.append((index + 1, due))
            await self._call.write(request)
            self._run.sent += len(request.heartbeats)
        await self._call.done_writing()
        await listening

    async def _listen(self) -> None:
        async for answer in self._call:
            now = time.perf_counter()
            self._run.refused += len(answer.refusals)
            while self._due and self._due[0][0] <= answer.acknowledged_sequence:
                self._run.latencies.append(now - self._due.popleft()[1])
                self._run.acknowledged += 1


async def load(run: Run, address: str, caller: Caller, pid: int, options: argparse.Namespace, seconds: float) -> None:
    """Sends heartbeats, of each player once per turn, evenly over the seconds."""
    per_stream = options.players // options.streams
    each = options.each
    total = int(options.rate * seconds) // options.streams
    run.players = min(total, per_stream) * options.streams
    interval = each * options.streams / options.rate
    watching = asyncio.ensure_future(_watch(run, pid))
    async with grpc.aio.insecure_channel(address) as channel:
        stub = PlaytimeTrackerServiceStub(channel)
        streams = [Stream(stub, caller, run) for _ in range(options.streams)]
        began, cpu = time.perf_counter(), cpu_seconds(pid)
        plays = []
        for index, stream in enumerate(streams):
            first = index * per_stream
            numbers = range(first, first + per_stream)
            plays.append(stream.play(numbers, total, each, interval, index * interval / options.streams))
        await asyncio.gather(*plays)
        run.seconds = time.perf_counter() - began
        run.cpu = (cpu_seconds(pid) - cpu) / run.seconds
    watching.cancel()


async def _watch(run: Run, pid: int) -> None:
    while True:
        run.memory.append(memory_mib(pid))
        await asyncio.sleep(2)


def memory_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(options: argparse.Namespace, directory: Path) -> list[Run]:
    postgres, valkey, kafka = Postgres(directory / "pg"), Valkey(directory / "valkey"), Kafka(directory / "kafka")
    postgres.durable = False
    for server in (postgres, valkey, kafka):
        server.start()
    platform = StartedPlatform(directory, postgres.dsn(), kafka, valkey, TokenIssuer(directory / "keys"))
    roles = {"LIBRARY_SERVICE_ROLES": "api,jobs"}
    service = platform.service(**roles)
    caller = (("authorization", f"Bearer {platform.token(uuid4(), 'service')}"),)
    runs = []
    try:
        service.migrate()
        if options.checkout:
            platform.code = code_of(options.checkout)
            service = platform.service(**roles)
        asyncio.run(seed(platform.dsn, options.players))
        floor = start_bare(directory)
        runs.append(Run(BARE))
        seconds = min(options.seconds, options.floor_seconds)
        asyncio.run(load(runs[-1], floor.address, caller, floor.process.pid, options, seconds))
        floor.process.stop()
        service.start()
        asyncio.run(all_live(valkey.address, options.players))
        assert service.process is not None
        runs.append(Run("heartbeats"))
        asyncio.run(load(runs[-1], service.grpc, caller, service.process.pid, options, options.seconds))
        runs[-1].lost = runs[-1].players - asyncio.run(kept(valkey.address, runs[-1].last_turn))
    finally:
        platform.close()
        postgres.stop()
    return runs


@dataclass(frozen=True, slots=True)
class Bare:
    process: Process
    address: str


def start_bare(directory: Path) -> Bare:
    port = free_port()
    script = str(Path(__file__).with_name("_bare_stream.py"))
    process = Process([sys.executable, script, str(port)], directory / "bare.log")
    while not listens(port):
        time.sleep(0.05)
    return Bare(process, f"127.0.0.1:{port}")


def figures(rounds: list[list[Run]], rate: float) -> tuple[Figure, ...]:
    """The latencies, each beside that of the bare stream of its round."""
    floors, services = ([runs[place] for runs in rounds] for place in (0, 1))
    lost = sum(run.lost or 0 for run in services)
    latencies = tuple(
        Figure(
            what=f"heartbeats at {rate:,.0f}/s, {name}",
            unit="ms",
            rounds=tuple(percentile(sorted(run.latencies), share) * 1000 for run in services),
            floor_name=BARE,
            floor=tuple(percentile(sorted(run.latencies), share) * 1000 for run in floors),
            remark=f"{sum(run.refused for run in services):,} refused, {lost:,} lost",
        )
        for name, share in (("p50", 0.5), ("p99", 0.99))
    )
    halves = [
        (run.memory[: len(run.memory) // 2] or run.memory, run.memory[len(run.memory) // 2 :]) for run in services
    ]
    memory = Figure(
        what=f"heartbeats at {rate:,.0f}/s, memory in the second half, at most",
        unit="MiB",
        rounds=tuple(max(second) for _, second in halves),
        floor_name="in the first half",
        floor=tuple(max(first) for first, _ in halves),
        remark="flat where the share is 1.00",
    )
    return (*latencies, memory)


def show(runs: list[Run]) -> None:
    names = ("what", "heartbeats/s", "p50 ms", "p95 ms", "p99 ms", "max ms", "refused", "lost", "CPU", "memory MiB")
    table = Table(*names, box=None, pad_edge=False)
    for run in runs:
        ordered = sorted(run.latencies)
        at = [f"{percentile(ordered, share) * 1000:.1f}" for share in (0.5, 0.95, 0.99, 1.0)]
        memory = f"{run.memory[0]:.0f} .. {max(run.memory):.0f}, end {statistics.mean(run.memory[-3:]):.0f}"
        lost = "" if run.lost is None else str(run.lost)
        table.add_row(run.name, f"{run.sent / run.seconds:,.0f}", *at, str(run.refused), lost, f"{run.cpu:.0%}", memory)
    Console(width=120).print(table)


def main() -> None:
    options_of = parser("heartbeats", __doc__, rounds=1, of_versions=True)
    options_of.add_argument("--players", type=int, default=1_000_000, help="sessions that run (1,000,000)")
    options_of.add_argument("--rate", type=float, default=1_000_000 / 60, help="heartbeats a second (16,667)")
    options_of.add_argument("--seconds", type=float, default=60, help="length of a run (60)")
    options_of.add_argument(
        "--floor-seconds", type=float, default=60, help="length of a run of the floor, at most (60)"
    )
    options_of.add_argument("--streams", type=int, default=32, help="game servers that send them (32)")
    options_of.add_argument("--each", type=int, default=20, help="heartbeats of a message (20)")
    options = options_of.parse_args()
    rounds = []
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory(prefix="gameshelf-bench-") as directory:
            rounds.append(measure(options, Path(directory)))
        show(rounds[-1])
    report(figures(rounds, options.rate), options.json)


if __name__ == "__main__":
    main()
