"""A base backup is started in the place of the database without libctl: PITR, or a standby that lagged."""

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import uuid4

import asyncpg
import httpx
import pytest
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS, wait_for
from gameshelf.devstack.servers import Postgres
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.replaced import ReplacedDatabase, Witness, difference
from gameshelf.gateway.runtime.restores import DeletionGate, mark_reconciled, open_restore
from redis.asyncio import Redis


@pytest.fixture
def place(server_directory, create_platform):
    """A platform whose PostgreSQL is the test's own."""
    server = Postgres(server_directory / f"pitr-{uuid4().hex[:8]}")
    server.durable = False
    server.start()
    platform = create_platform(server.dsn())
    yield SimpleNamespace(server=server, platform=platform)
    platform.close()
    server.remove()


@pytest.mark.long
def test_what_was_bought_after_a_base_backup_comes_back_once_it_is_marked(place, tmp_path):
    server, platform = place.server, place.platform
    service = platform.service()
    service.start()
    player = uuid4()
    http = httpx.Client(
        base_url=service.api, headers={"Authorization": f"Bearer {platform.token(player)}"}, timeout=PATIENCE_SECONDS
    )

    def owned():
        answered = http.get("/items", params={"limit": 100})
        return answered.json()["meta"]["total_items"] if answered.status_code == 200 else 0

    def buy(count):
        at = datetime.now(UTC).isoformat()
        events = [
            CloudEvent(
                "com.platform.payment.purchase.completed.v1",
                {
                    "userId": str(player),
                    "orderId": str(uuid4()),
                    "items": [{"productId": str(uuid4())}],
                    "purchaseTimestamp": at,
                },
            )
            for _ in range(count)
        ]
        asyncio.run(publish(platform.kafka.address, events))

    buy(1)
    wait_for(lambda: owned() == 1)
    copy = server.base_backup("copy")
    point = datetime.now(UTC)
    buy(50)
    wait_for(lambda: owned() == 51)

    asyncio.run(noted(platform))

    # The service runs on meanwhile, as it would.
    server.stop()
    server.replace_data(copy)
    server.start()
    wait_for(lambda: owned() == 1)

    # It is noticed, and nothing is deleted.
    def ready():
        return httpx.get(f"{service.url}/health/ready").json()["dependencies"]["postgresql"]

    wait_for(lambda: ready() == "replaced")
    assert "database_replaced 1.0" in httpx.get(service.metrics).text
    assert service.log.read_text().count("another database replaced this one") == 1
    assert not asyncio.run(deletes(platform))

    words = ("backup", "mark-restored", "--point", point.isoformat())
    assert libctl(platform, tmp_path, *words)["replaced"] is False  # a copy has cluster and timeline of its original
    assert ready() == "replaced"
    assert libctl(platform, tmp_path, *words, "--apply", "--reason", "INC-7")["applied"] is True

    wait_for(lambda: owned() == 51)
    wait_for(lambda: ready() == "ok")
    assert not asyncio.run(deletes(platform))  # the store has not been compared yet
    asyncio.run(reconciled(platform))
    assert asyncio.run(deletes(platform))


def libctl(platform, folder, *words):
    command = [sys.executable, "-m", "gameshelf.libctl", "--json", *words]
    settings = {"POSTGRES_DSN": platform.dsn, "LIBCTL_LOG": str(folder / "changes.jsonl")}
    ran = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


async def noted(platform):
    """Waits until the service has looked at the database as it is now; it does every two seconds."""
    host, _, port = platform.valkey.address.partition(":")
    connection = await asyncpg.connect(platform.dsn)
    position = await connection.fetchval("SELECT (pg_current_wal_flush_lsn() - '0/0')::bigint")
    await connection.close()
    async with Redis(host=host, port=int(port)) as redis, asyncio.timeout(PATIENCE_SECONDS):
        while json.loads(await redis.get("gameshelf:database"))["position"] < position:
            await asyncio.sleep(0.1)


async def deletes(platform):
    """Whether a deleting job of another process would run."""
    rounds = []

    async def run_once():
        rounds.append(1)

    host, _, port = platform.valkey.address.partition(":")
    async with (
        asyncpg.create_pool(platform.dsn, min_size=1, max_size=2) as pool,
        Redis(host=host, port=int(port)) as redis,
    ):
        metrics = Metrics()
        guard = DeletionGate(pool.acquire, metrics, ReplacedDatabase(pool.acquire, redis, metrics))
        await guard.unless_open(run_once)()
    return bool(rounds)


async def reconciled(platform):
    connection = await asyncpg.connect(platform.dsn)
    restore = await open_restore(connection)
    await mark_reconciled(connection, restore.id)
    await connection.close()


_KNOWN = Witness("7", "00000001", 100, "2026-01-01T00:00:00+00:00")


@pytest.mark.parametrize(
    ("now", "word"),
    [
        (Witness("7", "00000001", 100, _KNOWN.marked_at), None),
        (Witness("8", "00000001", 200, _KNOWN.marked_at), "system identifier"),
        (Witness("7", "00000002", 200, _KNOWN.marked_at), "timeline"),
        (Witness("7", "00000001", 99, _KNOWN.marked_at), "earlier position"),
        (Witness("7", "00000001", 200, ""), "restore that was marked"),
        (Witness("8", "00000003", 1, "2026-01-01T00:00:01+00:00"), None),
    ],
)
def test_a_database_is_another_one_unless_it_was_marked_since(now, word):
    found = difference(_KNOWN, now)
    assert (word in found) if word else found is None
