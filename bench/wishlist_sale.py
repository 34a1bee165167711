"""A sale on a product with a million wishers, while the process is killed twice; beside other requests.

One service process with every role. Meanwhile pages of libraries are read and heartbeats are sent, on a schedule; the
same load before the sale is the floor. At the end the notifications are counted, in PostgreSQL and on the broker.
"""

import argparse
import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import httpx
from _load import percentile
from _stack import parser, report, started
from aiokafka import AIOKafkaConsumer, TopicPartition
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.measurements import Figure
from gameshelf.devstack.pytest_plugin import Service, StartedPlatform
from gameshelf.devstack.servers.kafka import PARTITIONS
from rich.console import Console
from rich.table import Table

NOTIFICATIONS = "com.platform.notification.send.requests.v1"
READERS = 50
WARM_UP_SECONDS = 5
STALLED_SECONDS = 120
GAMES = 100
SALE = "bench"
# As in production: a sale puts a million records into the outbox and takes them out again. Without a VACUUM each
# statement on the outbox walks over the entries of all that were sent.
WITH_AUTOVACUUM = {"autovacuum": "on"}
Counts = tuple[int, int]


@dataclass(slots=True)
class Meanwhile:
    """The figures of the other requests. Latencies in seconds."""

    name: str
    latencies: list[float] = field(default_factory=list)
    failed: int = 0

    def at(self, share: float) -> float:
        """The percentile in milliseconds."""
        return percentile(sorted(self.latencies) or [0.0], share) * 1000


@dataclass(frozen=True, slots=True)
class Sale:
    """The figures of one sale. The time without a service does not count."""

    a_second: float
    twice: int
    before: dict[str, Meanwhile]
    during: dict[str, Meanwhile]


@dataclass(slots=True)
class Running:
    """The service that runs now; None while it was killed and its successor is not ready."""

    service: Service | None


async def seed(dsn: str, product: UUID, wishers: int, readers: list[UUID]) -> int:
    """Adds a million wishers, one in ten of whom waits for a better price, and readers who own games. Returns how many
    are to be notified.
    """
    connection = await asyncpg.connect(dsn)
    now = datetime.now(UTC)
    await connection.execute(
        "INSERT INTO gateway.user_streams (user_id) SELECT md5('w' || n)::uuid FROM generate_series(1, $1::int) n",
        wishers,
    )
    await connection.execute(
        "INSERT INTO wishlist.wishlist_items (user_id, id, product_id, added_at, min_discount_percent) "
        "SELECT md5('w' || n)::uuid, gen_random_uuid(), $2, now(), CASE WHEN n % 10 = 0 THEN 90 WHEN n % 10 = 1 "
        "THEN 50 END FROM generate_series(1, $1::int) n",
        wishers,
        product,
    )
    await connection.copy_records_to_table(
        "user_library_items",
        schema_name="library",
        columns=["user_id", "id", "product_id", "added_at", "acquisition_type"],
        records=[(user, uuid4(), uuid4(), now, "purchase") for user in readers for _ in range(GAMES)],
    )
    await connection.execute("VACUUM ANALYZE")
    await connection.close()
    return wishers - wishers // 10


async def other_requests(
    running: Running, platform: StartedPlatform, readers: list[UUID], rate: float, runs: dict[str, Meanwhile]
) -> None:
    """Reads pages and sends heartbeats on schedule until it is cancelled; while no service is up they are left out."""
    sessions: dict[UUID, str] = {}
    tokens = {user: platform.token(user) for user in readers}
    limits = httpx.Limits(max_keepalive_connections=64)
    async with httpx.AsyncClient(timeout=30, limits=limits) as http:

        async def ask(run: Meanwhile, due: float, call: Callable[[], Awaitable[httpx.Response]]) -> None:
            service = running.service
            try:
                is_refused = (await call()).status_code >= 400
            except httpx.HTTPError:
                is_refused = True
            if service is not running.service:
                return  # it was killed meanwhile
            run.failed += is_refused
            run.latencies.append(time.perf_counter() - due)

        async def one(number: int, due: float) -> None:
            user = readers[number % len(readers)]
            headers = {"Authorization": f"Bearer {tokens[user]}"}
            if running.service is None:
                return
            api = running.service.api
            if user not in sessions:
                owned = (await http.get(f"{api}/items", headers=headers)).json()["data"][0]
                body = {"data": {"attributes": {"product_id": owned["attributes"]["product_id"]}}}
                started = await http.post(f"{api}/playtime/sessions/start", json=body, headers=headers)
                sessions[user] = started.json()["data"]["id"]
            elif number % 2:
                await ask(
                    runs["heartbeat"],
                    due,
                    lambda: http.post(f"{api}/playtime/sessions/{sessions[user]}/heartbeat", headers=headers),
                )
            else:
                await ask(runs["library page"], due, lambda: http.get(f"{api}/items", headers=headers))

        tasks: set[asyncio.Task[None]] = set()
        begin, number = time.perf_counter(), 0
        try:
            while True:
                due = begin + number / rate
                await asyncio.sleep(max(due - time.perf_counter(), 0))
                task = asyncio.create_task(one(number, due))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                number += 1
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)  # they use the client until then


class Progress:
    """Ends the run when a number has not moved for two minutes: the service stands still, and it would never end."""

    def __init__(self) -> None:
        self._last, self._moved = -1, time.perf_counter()

    def see(self, number: int) -> int:
        now = time.perf_counter()
        if number != self._last:
            self._last, self._moved = number, now
        elif now - self._moved > STALLED_SECONDS:
            raise SystemExit(f"nothing has moved for {STALLED_SECONDS} s, at {number:,}")
        return number


async def count(dsn: str, statement: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        found: int = await connection.fetchval(statement)
    finally:
        await connection.close()
    return found


def memory_mib(running: Running) -> float:
    """Returns the resident memory of the process in MiB."""
    if running.service is None or running.service.process is None:
        return 0.0
    return int(Path(f"/proc/{running.service.process.pid}/statm").read_text().split()[1]) * 4096 / 2**20


async def on_the_broker(platform: StartedPlatform, enough: int) -> Counts:
    """Counts the different notifications that the broker has, and its records."""
    consumer = AIOKafkaConsumer(bootstrap_servers=platform.kafka.address, max_partition_fetch_bytes=8 * 2**20)
    await consumer.start()
    partitions = [TopicPartition(NOTIFICATIONS, number) for number in range(PARTITIONS)]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    seen: Counter[tuple[str, str]] = Counter()
    quiet = 0
    while len(seen) < enough and quiet < 100:
        batches = await consumer.getmany(timeout_ms=200, max_records=20_000)
        quiet = 0 if batches else quiet + 1
        for records in batches.values():
            for record in records:
                document = json.loads(record.value)
                seen[document["data"]["userId"], document["id"]] += 1
    await consumer.stop()
    return len(seen), sum(seen.values())


async def run(platform: StartedPlatform, options: argparse.Namespace) -> Sale:
    product, readers = uuid4(), [uuid4() for _ in range(READERS)]
    to_notify = await seed(platform.dsn, product, options.wishers, readers)
    running = Running(platform.service())
    await asyncio.to_thread(running.service.start)
    before = {name: Meanwhile(name) for name in ("library page", "heartbeat")}
    during = {name: Meanwhile(name) for name in before}
    for runs, seconds in (
        ({name: Meanwhile(name) for name in before}, WARM_UP_SECONDS),
        (before, options.quiet_seconds),
    ):
        quiet = asyncio.create_task(other_requests(running, platform, readers, options.rate, runs))
        await asyncio.sleep(seconds)
        quiet.cancel()
    price = {"productId": str(product), "priceMinor": 500, "currency": "RUB", "discountPercent": 50, "saleId": SALE}
    busy = asyncio.create_task(other_requests(running, platform, readers, options.rate, during))
    began = time.perf_counter()
    await publish(platform.kafka.address, [CloudEvent("com.platform.catalog.price.updated.v1", price)])
    memory, kills = 0.0, [to_notify * 3 // 10, to_notify * 6 // 10]
    notified, down, progress = 0, 0.0, Progress()
    while notified < to_notify:
        await asyncio.sleep(0.5)
        memory = max(memory, memory_mib(running))
        notified = progress.see(await count(platform.dsn, "SELECT count(*) FROM wishlist.price_notifications"))
        if kills and notified >= kills[0]:
            kills.pop(0)
            stopped = time.perf_counter()
            killed, running.service = running.service, None
            killed.kill()
            fresh = platform.service()
            await asyncio.to_thread(fresh.start)
            running.service = fresh
            down += time.perf_counter() - stopped
    took = time.perf_counter() - began
    busy.cancel()
    waiting = "SELECT count(*) FROM gateway.outbox"
    while progress.see(await count(platform.dsn, waiting)):
        await asyncio.sleep(0.5)
        memory = max(memory, memory_mib(running))
    sent = time.perf_counter() - began
    notifications, records = await on_the_broker(platform, to_notify)
    feed = await count(
        platform.dsn,
        "SELECT count(*) FROM (SELECT user_id FROM gateway.feed WHERE message LIKE '%on_sale%' "
        "GROUP BY user_id HAVING count(*) > 1) AS twice",
    )
    show(before, during)
    Console(width=100).print(
        f"{options.wishers:,} wishers, {to_notify:,} to be notified: {notified:,} notified in {took:.0f} s "
        f"({notified / (took - down):,.0f}/s; {down:.0f} s without a service), sent to the broker after {sent:.0f} s\n"
        f"notified twice: {feed}; on the broker {notifications:,} different notifications in {records:,} records; "
        f"memory at most {memory:.0f} MiB"
    )
    return Sale(notified / (took - down), feed, before, during)


def figures(sales: list[Sale]) -> tuple[Figure, ...]:
    notified = Figure(
        what="notifications of a sale",
        unit="notifications/s",
        rounds=tuple(sale.a_second for sale in sales),
        remark=f"{sum(sale.twice for sale in sales)} twice",
    )
    meanwhile = (
        Figure(
            what=f"{name} during a sale, p95",
            unit="ms",
            rounds=tuple(sale.during[name].at(0.95) for sale in sales),
            floor_name="the same before the sale",
            floor=tuple(sale.before[name].at(0.95) for sale in sales),
        )
        for name in sales[0].before
    )
    return notified, *meanwhile


def show(before: dict[str, Meanwhile], during: dict[str, Meanwhile]) -> None:
    table = Table("what", "when", "requests", "p50 ms", "p95 ms", "p99 ms", "failed", box=None, pad_edge=False)
    for when, runs in (("before", before), ("during the sale", during)):
        for one in runs.values():
            at = [f"{one.at(share):.1f}" for share in (0.5, 0.95, 0.99)]
            table.add_row(one.name, when, f"{len(one.latencies):,}", *at, str(one.failed))
    Console(width=100).print(table)


def main() -> None:
    options_of = parser("wishlist-sale", __doc__, rounds=1)
    options_of.add_argument("--wishers", type=int, default=1_000_000, help="how many wish for the product (1,000,000)")
    options_of.add_argument("--rate", type=float, default=100, help="other requests a second (100)")
    options_of.add_argument("--quiet-seconds", type=float, default=15, help="how long the floor is measured (15)")
    options = options_of.parse_args()
    sales = []
    for _ in range(options.rounds):
        with started(WITH_AUTOVACUUM) as stack:
            sales.append(asyncio.run(run(stack.platform, options)))
    report(figures(sales), options.json)


if __name__ == "__main__":
    main()
