"""A sale on a product with a million wishers, while the process is killed twice; beside other requests.

One service process with every role. Meanwhile pages of libraries are read and heartbeats are sent, on a schedule; the
same load before the sale is the floor. At the end the notifications are counted, in PostgreSQL and on the broker.
"""

import argparse
import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
from _meanwhile import READERS, Running, Runs, figures_of, give_games, new_runs, other_requests, show, without
from _stack import parser, report, started
from aiokafka import AIOKafkaConsumer, TopicPartition
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.measurements import Figure
from gameshelf.devstack.pytest_plugin import StartedPlatform
from gameshelf.devstack.servers.kafka import PARTITIONS
from rich.console import Console

NOTIFICATIONS = "com.platform.notification.send.requests.v1"
STALLED_SECONDS = 120
SALE = "bench"
# As in production: a sale puts a million records into the outbox and takes them out again. Without a VACUUM each
# statement on the outbox walks over the entries of all that were sent.
WITH_AUTOVACUUM = {"autovacuum": "on"}
Counts = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Sale:
    """The figures of one sale. The time without a service does not count."""

    a_second: float
    twice: int
    before: Runs
    during: Runs


async def seed(dsn: str, product: UUID, wishers: int, readers: list[UUID]) -> int:
    """Adds a million wishers, one in ten of whom waits for a better price, and readers who own games. Returns how many
    are to be notified.
    """
    connection = await asyncpg.connect(dsn)
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
    await give_games(connection, readers)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()
    return wishers - wishers // 10


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
    before = await without(running, platform, readers, options.rate, options.quiet_seconds)
    during = new_runs()
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
    show({"before": before, "during the sale": during})
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
    times = [sale.during for sale in sales], [sale.before for sale in sales]
    return notified, *figures_of("during a sale", "the same before the sale", *times)


def main() -> None:
    options_of = parser("wishlist-sale", __doc__, rounds=1, of_versions=True)
    options_of.add_argument("--wishers", type=int, default=1_000_000, help="how many wish for the product (1,000,000)")
    options_of.add_argument("--rate", type=float, default=100, help="other requests a second (100)")
    options_of.add_argument("--quiet-seconds", type=float, default=15, help="how long the floor is measured (15)")
    options = options_of.parse_args()
    sales = []
    for _ in range(options.rounds):
        with started(WITH_AUTOVACUUM, checkout=options.checkout) as stack:
            sales.append(asyncio.run(run(stack.platform, options)))
    report(figures(sales), options.json)


if __name__ == "__main__":
    main()
