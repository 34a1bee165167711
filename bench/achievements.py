"""Unlocks over gRPC at 500 a second, each of another player and achievement; beside a call that does nothing.

Sent on a schedule, whatever is answered: a latency counts from when a call was due until its answer is there. One
service process with all roles but the consumer's; the floor is the health check of the same process.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import grpc.aio
from _load import percentile
from _stack import started
from gameshelf.achievements import RarityCounters
from gameshelf.devstack.pytest_plugin import StartedPlatform
from gameshelf.protos.library.v1 import achievement_service_pb2 as messages
from gameshelf.protos.library.v1.achievement_service_pb2_grpc import AchievementServiceStub
from grpc_health.v1 import health_pb2, health_pb2_grpc
from rich.console import Console
from rich.table import Table

ACHIEVEMENTS = 50
WARM_UP_SECONDS = 3
ROLES = "api,relay,jobs"
Call = Callable[[int], Awaitable[bool]]


@dataclass(slots=True)
class Run:
    """The figures of one run. Latencies in seconds."""

    name: str
    unlocked: int = 0
    failed: int = 0
    seconds: float = 0
    latencies: list[float] = field(default_factory=list)


async def seed(dsn: str, users: list[UUID], product: UUID, achievements: list[UUID]) -> None:
    """Owners of a game with achievements."""
    connection = await asyncpg.connect(dsn)
    now = datetime.now(UTC)
    await connection.copy_records_to_table(
        "user_library_items",
        schema_name="library",
        columns=["user_id", "id", "product_id", "added_at", "acquisition_type"],
        records=[(user, uuid4(), product, now, "purchase") for user in users],
    )
    await connection.copy_records_to_table(
        "owned_products",
        schema_name="achievements",
        columns=["user_id", "product_id"],
        records=[(user, product) for user in users],
    )
    await connection.copy_records_to_table(
        "achievement_metadata",
        schema_name="achievements",
        columns=["id", "product_id", "api_name"],
        records=[(achievement, product, f"A{number}") for number, achievement in enumerate(achievements)],
    )
    await connection.execute("INSERT INTO achievements.product_owners VALUES ($1, $2)", product, len(users))
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


async def load(run: Run, call: Call, rate: float, numbers: range) -> None:
    """Calls on schedule."""
    tasks = set()

    async def one(number: int, due: float) -> None:
        try:
            is_new = await call(number)
            run.unlocked += is_new
        except grpc.aio.AioRpcError:
            run.failed += 1
        run.latencies.append(time.perf_counter() - due)

    begin = time.perf_counter()
    for index, number in enumerate(numbers):
        due = begin + index / rate
        wait = due - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        task = asyncio.ensure_future(one(number, due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    run.seconds = time.perf_counter() - begin


async def wrong_counters(dsn: str, product: UUID) -> int:
    """Returns how many counters a recount finds wrong."""
    connection = await asyncpg.connect(dsn)
    try:
        return len(await RarityCounters(connection).differences([product]))
    finally:
        await connection.close()


async def play(address: str, platform: StartedPlatform, rate: float, seconds: float) -> tuple[list[Run], int]:
    warm_up = int(rate * WARM_UP_SECONDS)
    calls = int(rate * seconds) + warm_up
    product, achievements = uuid4(), [uuid4() for _ in range(ACHIEVEMENTS)]
    users = [uuid4() for _ in range(-(-calls // ACHIEVEMENTS))]
    await seed(platform.dsn, users, product, achievements)
    caller = (("authorization", f"Bearer {platform.token(uuid4(), 'service')}"),)
    async with grpc.aio.insecure_channel(address) as channel:
        health = health_pb2_grpc.HealthStub(channel)  # type: ignore[no-untyped-call]
        stub = AchievementServiceStub(channel)

        async def nothing(number: int) -> bool:
            await health.Check(health_pb2.HealthCheckRequest())
            return False

        async def unlock(number: int) -> bool:
            request = messages.UpdateAchievementProgressRequest(
                user_id=str(users[number % len(users)]),
                achievement_id=str(achievements[number // len(users)]),
                unlock=True,
            )
            return (await stub.UpdateAchievementProgress(request, metadata=caller)).newly_unlocked

        runs = [Run("health check"), Run("unlock")]
        await load(runs[0], nothing, rate, range(calls - warm_up))
        # Connections are opened and statements prepared before it counts.
        await load(Run("warm-up"), unlock, rate / 2, range(warm_up))
        await load(runs[1], unlock, rate, range(warm_up, calls))
    return runs, await wrong_counters(platform.dsn, product)


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench achievements", description=__doc__)
    parser.add_argument("--rate", type=float, default=500, help="unlocks a second (500)")
    parser.add_argument("--seconds", type=float, default=30, help="length of a run (30)")
    options = parser.parse_args()
    with started() as stack:
        service = stack.platform.service(LIBRARY_SERVICE_ROLES=ROLES)
        service.start()
        runs, wrong = asyncio.run(play(service.grpc, stack.platform, options.rate, options.seconds))
    table = Table(
        "what", "calls/s", "p50 ms", "p95 ms", "p99 ms", "max ms", "unlocked", "failed", box=None, pad_edge=False
    )
    for run in runs:
        ordered = sorted(run.latencies)
        at = [f"{percentile(ordered, share) * 1000:.1f}" for share in (0.5, 0.95, 0.99, 1.0)]
        table.add_row(run.name, f"{len(ordered) / run.seconds:,.0f}", *at, str(run.unlocked), str(run.failed))
    console = Console(width=100)
    console.print(table)
    console.print(f"counters that a recount finds wrong: {wrong}")


if __name__ == "__main__":
    main()
