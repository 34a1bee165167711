"""Readiness shows whether a dependency can be used, and not only whether it answers."""

import asyncio
import json
import math
import re

import asyncpg
import httpx
import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS, on_one_server
from gameshelf.devstack.servers.base import free_port
from gameshelf.gateway.runtime import backups
from gameshelf.gateway.runtime.outbox import backlog
from redis.asyncio import Redis


@pytest.fixture
def start(platform):
    """Starts a service with these settings, and returns its readiness."""
    started = []

    def ready_of(**environment):
        service = platform.service(LIBRARY_SERVICE_ROLES="api", **environment)
        started.append(service)
        service.start()
        return service

    yield ready_of
    for service in started:
        service.stop()


def readiness(service):
    answer = httpx.get(service.url + "/health/ready", timeout=PATIENCE_SECONDS)
    return answer.status_code, answer.json()


def usable(service):
    """Returns what the metrics show: dependency → 1 or 0."""
    shown = httpx.get(service.metrics, timeout=10).text
    return {name: int(value) for name, value in re.findall(r'^dependency_up\{dependency="(\w+)"\} (\d)', shown, re.M)}


def test_a_database_that_takes_no_writes_is_degraded_and_serves_reads(platform, start):
    dsn = f"{platform.dsn}?options=-c%20default_transaction_read_only%3Don"
    service = start(POSTGRES_DSN=dsn, REDIS_ADDR=f"127.0.0.1:{free_port()}")
    status, document = readiness(service)
    assert (status, document["status"]) == (200, "degraded")
    assert document["dependencies"] == {"postgresql": "degraded", "redis": "degraded", "kafka": "ok"}
    assert document["reasons"]["postgresql"].startswith("it accepts no writes")
    assert usable(service) == {"postgresql": 0, "redis": 0, "kafka": 1}
    headers = {"Authorization": f"Bearer {platform.token('00000000-0000-4000-8000-000000000001')}"}
    with httpx.Client(base_url=service.api, headers=headers, timeout=PATIENCE_SECONDS) as client:
        assert client.get("/items").status_code == 200
        assert client.get("/wishlist/items").status_code == 200
        written = client.post("/categories", json={"data": {"attributes": {"name": "name"}}})
    assert (written.status_code, written.json()["errors"][0]["code"]) == (503, "SERVICE_UNAVAILABLE")


async def test_a_refusing_redis_and_missing_topics_degrade_with_the_reason(platform, start):
    host, _, port = platform.valkey.address.rpartition(":")
    async with Redis(host=host, port=int(port)) as admin:
        await admin.execute_command("ACL", "SETUSER", "default", "-set")
        try:
            status, document = readiness(start(KAFKA_TOPIC_LIBRARY_EVENTS="com.platform.missing"))
        finally:
            await admin.execute_command("ACL", "SETUSER", "default", "+set")
    assert (status, document["status"]) == (200, "degraded")
    assert document["dependencies"] == {"postgresql": "ok", "redis": "degraded", "kafka": "degraded"}
    assert document["reasons"] == {
        "redis": "commands are refused (NoPermissionError)",
        "kafka": "topics missing: com.platform.missing",
    }


def test_a_broker_that_refuses_the_login_is_degraded(start):
    service = start(
        KAFKA_SECURITY_PROTOCOL="SASL_PLAINTEXT",
        KAFKA_SASL_MECHANISM="PLAIN",
        KAFKA_SASL_USERNAME="user",
        KAFKA_SASL_PASSWORD="wrong",
    )
    status, document = readiness(service)
    assert (status, document["dependencies"]["kafka"]) == (200, "degraded")
    assert "login" in document["reasons"]["kafka"]


@on_one_server("its form is in test_distributed.py")
async def test_the_outbox_is_measured_in_bounded_time_however_much_waits(platform):
    connection = await asyncpg.connect(platform.dsn)
    assert await backlog.measure(connection) == backlog.OutboxBacklog(0, 0.0)
    fill = (
        "INSERT INTO gateway.outbox (shard, user_id, topic, value, created_at) "
        "SELECT n % 32, gen_random_uuid(), 'nobody relays here', 'value', now() - interval '1 hour' "
        "FROM generate_series(1, $1) n"
    )
    await connection.execute(fill, 40)
    waiting = await backlog.measure(connection)
    assert waiting.pending == 40
    assert 3600 <= waiting.lag_seconds < 3700
    await connection.execute(fill, 200_000)
    await connection.execute("ANALYZE gateway.outbox")
    waiting = await backlog.measure(connection)
    assert waiting.pending == pytest.approx(200_040, rel=0.1)
    plan = await connection.fetchval("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + inlined(backlog))
    assert pages(plan) < 2500  # of several thousands, and however many there are
    await connection.execute("DELETE FROM gateway.outbox")
    await connection.close()


async def test_no_kind_of_backup_hides_the_age_of_another(platform):
    connection = await asyncpg.connect(platform.dsn)
    async with connection.transaction():
        await connection.execute("DELETE FROM gateway.backups")
        await connection.execute("DELETE FROM gateway.backup_drills")
        never = backups.BackupAges({"logical": math.inf}, {"logical": math.inf})
        assert await backups.ages(connection) == never
        note = "INSERT INTO gateway.backups (kind, point) VALUES ($1, clock_timestamp() - make_interval(hours => $2))"
        await connection.execute(note, "base", 2)
        found = await backups.ages(connection)
        assert found.backups["logical"] == math.inf
        assert 7200 <= found.backups["base"] < 7300
        await connection.execute(note, "logical", 30)
        await connection.execute("INSERT INTO gateway.backup_drills VALUES ('base', now() - interval '9 days', 1, 1)")
        found = await backups.ages(connection)
        assert 108_000 <= found.backups["logical"] < 108_100
        assert 777_600 <= found.drills["base"] < 777_700
        assert found.drills["logical"] == math.inf
        await connection.execute("UPDATE gateway.backups SET point = now() + interval '1 hour'")
        assert (await backups.ages(connection)).backups == {"base": 0, "logical": 0}
    await connection.close()


def inlined(module):
    """The statement with its constants, as EXPLAIN takes it."""
    sql = module._MEASURE.sql
    for number, name in reversed(list(enumerate(module._MEASURE._names, 1))):
        sql = sql.replace(f"${number}", str(module._MEASURE._constants[name]))
    return sql


def pages(plan):
    found = json.loads(plan)[0]["Plan"]
    return found["Shared Hit Blocks"] + found["Shared Read Blocks"]


async def test_a_process_without_the_api_shows_its_roles_and_dependencies(platform, wait_until):
    alone = platform.service(LIBRARY_SERVICE_ROLES="jobs")
    alone.start()

    async def is_measured():
        return await asyncio.to_thread(usable, alone) == {"postgresql": 1, "redis": 1, "kafka": 1}

    await wait_until(is_measured)
    shown = httpx.get(alone.metrics, timeout=10).text
    assert re.findall(r"^service_role\{.*$", shown, re.M) == ['service_role{role="jobs"} 1.0']
    alone.stop()
