"""Purchases from the broker into libraries, and their events out again; beside the least that does the same.

One service process with the roles of consumer and relay, or with `--apart` a process for each role. Two floors consume
the same records and send an event for each: one writes nothing, the other one writes the rows of the service in two
statements per batch. The time counts from the first record that is sent until the broker has the last event. Afterwards
nothing may be missing or there twice.
"""

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import asyncpg
from _broker import make_topic, reading, send, sending
from _cpu import cpu_seconds
from _stack import Stack, on_cores, parser, report, started
from gameshelf.devstack.events import CloudEvent
from gameshelf.devstack.measurements import Figure

PURCHASE = "com.platform.payment.purchase.completed.v1"
EVENTS = "com.platform.library.events.v1"
PRODUCTS = 200
WARM_UP = 500
SERVICE, RECORDS, ROWS = "service", "consume and send", "consume, write and send"
WRITTEN = (
    "gateway.user_streams",
    "gateway.inbox",
    "gateway.feed",
    "library.ownership_grants",
    "library.user_library_items",
    "achievements.owned_products",
)
"""Tables to which the service adds as many rows as the floor that writes."""


@dataclass(slots=True)
class Measured:
    """Rounds: purchases per second; microseconds of CPU time per purchase, of the process and of PostgreSQL."""

    a_second: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    postgres_cpu: list[float] = field(default_factory=list)


def purchases(count: int, users: int, products: Sequence[UUID]) -> list[CloudEvent]:
    """So many purchases of so many new users, none of whom buys a product twice."""
    buyers = [uuid4() for _ in range(users)]
    made = []
    for number in range(count):
        turn, buyer = divmod(number, users)
        product = products[(turn + buyer) % len(products)]
        items = [{"productId": str(product), "productType": "game", "quantity": 1}]
        facts = {"userId": str(buyers[buyer]), "orderId": f"order-{uuid4()}", "items": items}
        made.append(CloudEvent(PURCHASE, facts))
    return made


class Bench:
    """The service and its floors on one set of servers."""

    def __init__(
        self, stack: Stack, connection: asyncpg.Connection, cores: tuple[int, ...], products: Sequence[UUID]
    ) -> None:
        self.stack, self.connection, self.cores, self.products = stack, connection, cores, products
        self.brokers = stack.platform.kafka.address
        self.measured = {name: Measured() for name in (SERVICE, RECORDS, ROWS)}
        self.bought: dict[str, Counter[tuple[str, str]]] = {}
        """Users and products of the events that a topic has to have."""
        self.wrong: list[str] = []

    async def service(self, pids: Sequence[int], events: Sequence[CloudEvent], into: Measured) -> Counter[str]:
        """Returns how many rows it has added to which table."""
        before = await self._rows()
        await self._measure(pids, CloudEvent(PURCHASE, {}).topic, EVENTS, events, into)
        await self._outbox_is_empty()
        return await self._rows() - before

    async def floor(self, events: Sequence[CloudEvent], into: Measured, dsn: str = "") -> Counter[str]:
        """Returns how many rows it has added to which table."""
        incoming, outgoing = await make_topic(self.brokers), await make_topic(self.brokers)
        with on_cores(*self.cores):
            process = self.stack.floor("_bare_purchases.py", self.brokers, incoming, outgoing, dsn)
        await self._measure(
            (process.pid,), incoming, outgoing, purchases(WARM_UP, WARM_UP // 2, self.products), Measured()
        )
        await self._outbox_is_empty()
        before = await self._rows()
        await self._measure((process.pid,), incoming, outgoing, events, into)
        await self._outbox_is_empty()
        process.stop()
        return await self._rows() - before

    async def round(self, pids: Sequence[int], count: int, users: int) -> None:
        """Each floor and the service once, with users of their own."""
        records, rows, events = [purchases(count, users, self.products) for _ in range(3)]
        await self.floor(records, self.measured[RECORDS])
        least = await self.floor(rows, self.measured[ROWS], self.stack.platform.dsn)
        added = await self.service(pids, events, self.measured[SERVICE])
        if added != least:
            self.wrong.append(f"rows: {dict(added)}, by the floor {dict(least)}")

    async def _measure(
        self, pids: Sequence[int], incoming: str, outgoing: str, events: Sequence[CloudEvent], into: Measured
    ) -> None:
        """Each purchase has to lead to one event."""
        async with reading(self.brokers, outgoing) as records, sending(self.brokers) as producer:
            wanted = self.bought.setdefault(outgoing, Counter())
            await records.until(wanted.total())
            cpu, postgres = cpu_seconds(*pids), cpu_seconds(self.stack.postgres_pid)
            began = time.perf_counter()
            await asyncio.gather(send(producer, incoming, events), records.until(wanted.total() + len(events)))
            into.a_second.append(len(events) / (time.perf_counter() - began))
            into.cpu.append((cpu_seconds(*pids) - cpu) / len(events) * 1e6)
            into.postgres_cpu.append((cpu_seconds(self.stack.postgres_pid) - postgres) / len(events) * 1e6)
        wanted.update((event.data["userId"], event.data["items"][0]["productId"]) for event in events)
        if (found := Counter(records.bought())) != wanted:
            lost, more = (wanted - found).total(), (found - wanted).total()
            self.wrong.append(f"{lost} purchases without an event, {more} events too many")

    async def _outbox_is_empty(self) -> None:
        """Records are deleted once the broker has them."""
        waiting = "SELECT EXISTS (SELECT FROM gateway.outbox UNION ALL SELECT FROM bench.outbox)"
        while await self.connection.fetchval(waiting):  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.02)

    async def _rows(self) -> Counter[str]:
        return Counter({table: await self.connection.fetchval(f"SELECT count(*) FROM {table}") for table in WRITTEN})

    def figures(self, where: str) -> tuple[Figure, ...]:
        service, rows = self.measured[SERVICE], self.measured[ROWS]
        name, per = f"purchases, {where}", "µs per purchase"
        a_second = {"what": name, "unit": "purchases/s", "rounds": tuple(service.a_second)}
        return (
            Figure(**a_second, floor_name=ROWS, floor=tuple(rows.a_second)),
            Figure(
                what=f"{name}: the floor",
                unit="purchases/s",
                rounds=tuple(rows.a_second),
                floor_name=RECORDS,
                floor=tuple(self.measured[RECORDS].a_second),
                remark=f"{ROWS}, beside {RECORDS}",
            ),
            Figure(
                what=f"{name}: CPU of the service",
                unit=per,
                rounds=tuple(service.cpu),
                floor_name=ROWS,
                floor=tuple(rows.cpu),
            ),
            Figure(
                what=f"{name}: CPU of PostgreSQL",
                unit=per,
                rounds=tuple(service.postgres_cpu),
                floor_name=ROWS,
                floor=tuple(rows.postgres_cpu),
            ),
        )


async def play(stack: Stack, options: argparse.Namespace) -> Bench:
    cores = (0,) if options.cores == "one" else ()
    connection = await asyncpg.connect(stack.platform.dsn)
    products = [uuid4() for _ in range(PRODUCTS)]
    await connection.execute(
        "CREATE SCHEMA bench; CREATE TABLE bench.outbox (LIKE gateway.outbox INCLUDING ALL)"  # the floor's
    )
    await connection.copy_records_to_table(
        "products",
        schema_name="library",
        columns=["product_id", "product_type", "title_ru", "sort_key_ru", "sort_key_en"],
        records=[(product, "game", "Игра", "игра", "игра") for product in products],
    )
    roles = ("consumer", "relay") if options.apart else ("consumer,relay",)
    services = [stack.platform.service(LIBRARY_SERVICE_ROLES=own, LOG_LEVEL="WARNING") for own in roles]
    with on_cores(*cores):
        for service in services:
            service.start()
    pids = [service.process.pid for service in services if service.process]
    bench = Bench(stack, connection, cores, products)
    # Connections are opened and statements prepared before it counts.
    await bench.service(pids, purchases(WARM_UP, WARM_UP // 2, products), Measured())
    for _ in range(options.rounds):
        await connection.execute("VACUUM ANALYZE")
        await bench.round(pids, options.purchases, options.users)
    await connection.close()
    return bench


def main() -> None:
    options_of = parser("purchases", __doc__, of_versions=True)
    options_of.add_argument("--purchases", type=int, default=20_000, help="purchases of a round (20,000)")
    options_of.add_argument("--users", type=int, default=10_000, help="users who buy them (10,000)")
    options_of.add_argument("--cores", choices=("one", "all"), default="all", help="the service's cores (all)")
    options_of.add_argument("--apart", action="store_true", help="a process for each role, consumer and relay")
    options = options_of.parse_args()
    if options.purchases > options.users * PRODUCTS:
        options_of.error(f"--purchases: a user buys at most {PRODUCTS}")
    with started(checkout=options.checkout) as stack:
        bench = asyncio.run(play(stack, options))
    where = "one core" if options.cores == "one" else "all cores"
    report(bench.figures(f"{where}, two processes" if options.apart else where), options.json)
    if bench.wrong:
        sys.exit("\n".join(bench.wrong[:10]))


if __name__ == "__main__":
    main()
