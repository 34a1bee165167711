"""A rolling upgrade from the last release behind HAProxy, under load: no request fails, and nothing is done twice.

Two instances of the last release run on its schema. Under load this version migrates the database, and each instance of
the release gets SIGTERM once one of this version is in the balancer's rotation. Meanwhile purchases come in from Kafka,
some of them twice, and sockets are cut and resume by cursor. Afterwards every acknowledged write exists once, each
socket has received its player's feed without a gap, and each event was published once. The exit code is 1 otherwise.
"""

import argparse
import asyncio
import json
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
from _players import SESSION_SECONDS, Load, Player, follow, read_feed
from aiokafka import AIOKafkaConsumer, TopicPartition
from gameshelf.devstack.events import CloudEvent, publish, until_applied
from gameshelf.devstack.process import StartFailed
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS, Service, StartedPlatform
from gameshelf.devstack.releasing.commits import ReleasedService, unpack_last_release
from gameshelf.devstack.servers import Kafka, Postgres, Valkey
from gameshelf.devstack.servers.haproxy import HAProxy, program
from gameshelf.devstack.servers.kafka import PARTITIONS
from gameshelf.devstack.tokens import TokenIssuer
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
DRAIN_SECONDS = 2
"""Ten times what the balancer needs to notice."""
INSTANCES = 2
TOPIC = "com.platform.library.events.v1"
_ENDS_SENDING_SOCKETS_LATE = frozenset({"0.2.0"})
"""At SIGTERM they may miss the end of a socket to which they send, and cut it with 1011 when the time is over."""
ADDED = "com.platform.library.game.added.v1"


@dataclass(slots=True)
class Rollout:
    """The platform, its instances and the players; what was measured, and which promises were broken."""

    platform: StartedPlatform
    old: list[Service]
    new: list[Service]
    balancer: HAProxy
    players: list[Player]
    released: str
    """The version that is upgraded."""
    requests: int
    clients: int
    steps: list[tuple[str, int, float]] = field(default_factory=list)
    """Name, requests that were sent during it, seconds."""
    broken: list[str] = field(default_factory=list)
    redelivered: int = 0
    purchases: int = 0

    @property
    def api(self) -> str:
        return f"http://{self.balancer.address}/api/v1/library"

    @property
    def sockets(self) -> str:
        return f"ws://{self.balancer.address}/api/v1/ws/library-updates"


@asynccontextmanager
async def step(rollout: Rollout, load: Load, name: str) -> AsyncIterator[None]:
    """Notes what was sent meanwhile. Each step sees a share of the requests, however short it is."""
    sent, began = load.sent, time.perf_counter()
    yield
    while load.sent - sent < rollout.requests / 12:  # noqa: ASYNC110 - counted by sixteen clients
        await asyncio.sleep(0.01)
    rollout.steps.append((name, load.sent - sent, time.perf_counter() - began))


async def until(check: Callable[[], bool]) -> None:
    """Waits for something of another process. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await asyncio.to_thread(check):  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.05)


async def run(rollout: Rollout) -> Load:
    """The whole upgrade under load."""
    await prepare(rollout)
    load, ended = Load(rollout.api, rollout.players), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for player in rollout.players:
            tasks.create_task(follow(rollout.sockets, player, ended))
        shopper = tasks.create_task(shop(rollout, load))
        clients = [tasks.create_task(load.send_until_ended(number)) for number in range(rollout.clients)]
        await upgrade(rollout, load)
        async with step(rollout, load, "the new release alone"):
            await until(lambda: load.sent >= rollout.requests)
        load.ended = True
        await asyncio.gather(*clients)
        orders = await shopper
        await applied(rollout, orders)
        async with httpx.AsyncClient(base_url=rollout.api, timeout=PATIENCE_SECONDS) as http:
            await compare_feeds(rollout, http)
            ended.set()
            await compare_players(rollout, http)
    await compare_events(rollout)
    rollout.broken += load.failures
    return load


async def prepare(rollout: Rollout) -> None:
    """Each player owns the game that is played, and knows where the feed is."""
    await applied(rollout, [player.buys(player.game) for player in rollout.players], send=True)
    async with httpx.AsyncClient(base_url=rollout.api, timeout=PATIENCE_SECONDS) as http:
        for player in rollout.players:
            answer = await http.get("/events", headers=player.headers)
            player.cursor = answer.raise_for_status().json()["meta"]["cursor"]


async def applied(rollout: Rollout, orders: list[CloudEvent], *, send: bool = False) -> None:
    if send:
        await publish(rollout.platform.kafka.address, orders)
    key = rollout.old[0].environment["ERASURE_HASH_KEY"]
    await until_applied(rollout.platform.dsn, orders, PATIENCE_SECONDS, erasure_key=key)


async def shop(rollout: Rollout, load: Load) -> list[CloudEvent]:
    """Purchases as long as the load lasts, every tenth one sent twice. Returns them."""
    orders: list[CloudEvent] = []
    while not load.ended:
        chunk = [player.buys(uuid4()) for player in rollout.players[len(orders) % 7 :: 7]]
        again = [order for number, order in enumerate(chunk, len(orders)) if number % 10 == 0]
        await publish(rollout.platform.kafka.address, [*chunk, *again])
        orders += chunk
        await asyncio.sleep(0.5)
    return orders


async def upgrade(rollout: Rollout, load: Load) -> None:
    async with step(rollout, load, "the last release alone"):
        pass
    async with step(rollout, load, "migration under the last release"):
        await asyncio.to_thread(rollout.new[0].migrate)
    for number, (old, new) in enumerate(zip(rollout.old, rollout.new, strict=True), 1):
        async with step(rollout, load, f"instance {number} of the new release joins"):
            await asyncio.to_thread(new.start)
            await until(lambda port=new.http_port: port in rollout.balancer.in_rotation())  # type: ignore[misc]
        async with step(rollout, load, f"SIGTERM to instance {number} of the last release"):
            assert old.process is not None
            old.process.send(signal.SIGTERM)
            await asyncio.to_thread(old.process.wait, PATIENCE_SECONDS)
            if old.process.returncode != 0:
                rollout.broken.append(f"instance {number} of the last release ended with {old.process.returncode}")


async def compare_feeds(rollout: Rollout, http: httpx.AsyncClient) -> None:
    """Each socket has received the feed, each message once and in order."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    for player in rollout.players:
        # What was bought last may be on its way to the socket.
        while (feed := await read_feed(http, player)) != player.messages and time.monotonic() < deadline:
            if len(player.messages) >= len(feed):
                break
            await asyncio.sleep(0.1)
        if feed != player.messages:
            rollout.broken.append(f"the socket of {player.id} has {player.messages}, and the feed {feed}")
        if set(player.closes) - closes_of(rollout.released):
            rollout.broken.append(f"the socket of {player.id} was closed with {dict(player.closes)}")


def closes_of(released: str) -> set[int]:
    """The codes with which a socket may be closed in an upgrade from this release."""
    return {1001, 1011} if released in _ENDS_SENDING_SOCKETS_LATE else {1001}


def is_defect(line: str, released: str) -> bool:
    """Whether a line of an instance's log is an error that no release is known for."""
    is_known = released in _ENDS_SENDING_SOCKETS_LATE and '"CancelledError"' in line and "connection_made" in line
    return '"level":"ERROR"' in line and not is_known


async def compare_players(rollout: Rollout, http: httpx.AsyncClient) -> None:
    """What was acknowledged exists, and exists once."""
    for player in rollout.players:
        categories = [row["attributes"]["name"] for row in await rows(http, player, "/categories")]
        if sorted(categories) != sorted(player.categories):
            rollout.broken.append(f"{player.id} has other categories than were acknowledged")
        played = sum(row["attributes"]["total_playtime_seconds"] for row in await rows(http, player, "/playtime"))
        if played != player.sessions * SESSION_SECONDS:
            rollout.broken.append(f"{player.id} has played {played} s in {player.sessions} sessions")
        owned = Counter(row["attributes"]["product_id"] for row in await rows(http, player, "/items"))
        if owned != Counter(map(str, player.bought)):
            rollout.broken.append(f"{player.id} does not own each bought game once")


async def rows(http: httpx.AsyncClient, player: Player, path: str) -> list[dict[str, dict[str, str]]]:
    """All pages of a list."""
    found: list[dict[str, dict[str, str]]] = []
    for page in range(1, 1000):
        answer = await http.get(path, params={"page": page, "limit": 100}, headers=player.headers)
        chunk = answer.raise_for_status().json()["data"]
        found += chunk
        if len(chunk) < 100:
            break
    return found


async def compare_events(rollout: Rollout) -> None:
    """Each purchase was published as one event. Instances that end in order deliver none of them twice."""
    connection = await asyncpg.connect(rollout.platform.dsn)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await connection.fetchval("SELECT count(*) FROM gateway.outbox"):  # noqa: ASYNC110 - other processes
            await asyncio.sleep(0.1)
    await connection.close()
    expected = Counter((str(player.id), str(product)) for player in rollout.players for product in player.bought)
    rollout.purchases = len(expected)
    delivered: Counter[str] = Counter()
    events: dict[str, tuple[str, str]] = {}
    consumer = AIOKafkaConsumer(bootstrap_servers=rollout.platform.kafka.address)
    await consumer.start()
    partitions = [TopicPartition(TOPIC, number) for number in range(PARTITIONS)]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    quiet = 0
    while quiet < 10:
        batches = await consumer.getmany(timeout_ms=300, max_records=5000)
        quiet = 0 if batches else quiet + 1
        for batch in batches.values():
            for record in batch:
                document = json.loads(record.value)
                delivered[document["id"]] += 1
                if document["type"] == ADDED:
                    data = document["data"]
                    events[document["id"]] = (data["userId"], data["productId"])
    await consumer.stop()
    rollout.redelivered = delivered.total() - len(delivered)
    if Counter(events.values()) != expected:
        rollout.broken.append(f"{len(events)} events about {len(expected)} purchases")
    if rollout.redelivered:
        rollout.broken.append(f"{rollout.redelivered} events were delivered twice")


def measure(options: argparse.Namespace, directory: Path) -> tuple[Rollout, Load, ReleasedService]:
    released = unpack_last_release(ROOT, directory / "released")
    postgres, valkey, kafka = Postgres(directory / "pg"), Valkey(directory / "valkey"), Kafka(directory / "kafka")
    for server in (postgres, valkey, kafka):
        server.start()
    platform = StartedPlatform(directory, postgres.dsn(), kafka, valkey, TokenIssuer(directory / "keys"))
    drain = {"LIBRARY_SERVICE_DRAIN_SECONDS": str(DRAIN_SECONDS)}
    old = [platform.service(**released.environment, **drain) for _ in range(INSTANCES)]
    new = [platform.service(**drain) for _ in range(INSTANCES)]
    balancer = HAProxy(directory / "haproxy", [service.http_port for service in (*old, *new)])
    try:
        old[0].migrate()
        for service in old:
            service.start()
        balancer.start()
        ports = {service.http_port for service in old}
        asyncio.run(until(lambda: balancer.in_rotation() == ports))
        players = [Player("") for _ in range(options.players)]
        for player in players:
            player.token = platform.token(player.id)
        rollout = Rollout(platform, old, new, balancer, players, released.version, options.requests, options.clients)
        load = asyncio.run(run(rollout))
        for service in (*old, *new):
            lines = service.log.read_text().splitlines()
            rollout.broken += [line for line in lines if is_defect(line, released.version)]
    finally:
        balancer.kill()
        platform.close()
        postgres.stop()
    return rollout, load, released


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench rolling", description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000, help="requests at least (20,000)")
    parser.add_argument("--players", type=int, default=100, help="players, each with a socket (100)")
    parser.add_argument("--clients", type=int, default=16, help="requests at once (16)")
    options = parser.parse_args()
    if program() is None:
        raise StartFailed("haproxy is not installed: .ci/haproxy does it on Debian and Ubuntu")
    with tempfile.TemporaryDirectory(prefix="gameshelf-bench-") as directory:
        rollout, load, released = measure(options, Path(directory))
    table = Table("step", "requests", "seconds", box=None, pad_edge=False)
    for name, sent, seconds in rollout.steps:
        table.add_row(name, f"{sent:,}", f"{seconds:.1f}")
    console = Console(width=120)
    console.print(f"from {released.version}, {INSTANCES} instances of each, a socket per player")
    console.print(table)
    cuts = sum(player.closes.total() for player in rollout.players)
    received = sum(len(player.messages) for player in rollout.players)
    console.print(f"{len(load.failures)} failed of {load.sent:,} requests")
    console.print(f"{cuts:,} cuts of {len(rollout.players):,} sockets, {received:,} messages received")
    console.print(f"{rollout.purchases:,} purchases, {rollout.redelivered} events delivered twice")
    for promise in rollout.broken[:20]:
        console.print(promise[:2000], style="red", markup=False)
    if rollout.broken:
        sys.exit(f"{len(rollout.broken)} promises were broken")


if __name__ == "__main__":
    try:
        main()
    except StartFailed as error:
        sys.exit(f"rolling: {error}")
