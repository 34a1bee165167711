"""PgBouncer between the service and PostgreSQL: session mode (1.18), transaction mode (1.21 and later)."""

import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from gameshelf.devstack.events import publish
from gameshelf.devstack.ports import HOST, listens
from gameshelf.devstack.process import Process
from gameshelf.devstack.servers import choice
from gameshelf.devstack.servers.base import free_port
from gameshelf.gateway.runtime.database import connect
from gameshelf.gateway.runtime.observability.traces import Tracing

PROGRAMS = [
    str(path)
    for path in (choice.TOOLS / "pgbouncer", Path("/usr/sbin/pgbouncer"), Path("/usr/bin/pgbouncer"))
    if path.exists()
]
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not PROGRAMS, reason="pgbouncer is not installed: `.ci/real-servers` does it"),
]


def version(program):
    printed = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
    return tuple(int(part) for part in re.search(r"(\d+)\.(\d+)", printed).groups())


@pytest.fixture(params=["session", "session, parameters dropped", "transaction"])
def pooled(request, platform, tmp_path_factory):
    """The DSN of the platform's database through PgBouncer: session mode by the oldest one here, else the newest."""
    programs = sorted(PROGRAMS, key=version)
    program = programs[-1 if request.param == "transaction" else 0]
    if request.param == "transaction" and version(program) < (1, 21):
        pytest.skip("before 1.21 PgBouncer has no prepared statements in transaction mode")
    server, port = urlsplit(platform.dsn), free_port()
    folder = tmp_path_factory.mktemp("pgbouncer")
    folder.chmod(0o755)
    for parent in folder.parents:
        if parent.name.startswith("pytest-"):
            parent.chmod(0o755)
    more = "max_prepared_statements = 200\n" if version(program) >= (1, 21) else ""
    if "dropped" in request.param:
        dropped = "lock_timeout,statement_timeout,idle_in_transaction_session_timeout,jit,plan_cache_mode"
        more += f"ignore_startup_parameters = {dropped}\n"
    config = folder / "pgbouncer.ini"
    config.write_text(
        f"[pgbouncer]\n"
        f"listen_addr = {HOST}\nlisten_port = {port}\nauth_type = any\nunix_socket_dir =\n"
        f"pool_mode = {request.param.partition(',')[0]}\ndefault_pool_size = 20\n{more}"
        f"[databases]\n{server.path[1:]} = host={server.hostname} port={server.port} user={server.username}\n"
    )
    process = Process([program, str(config)], folder / "log", not_as_root=True)
    while not listens(port):
        assert process.returncode is None, process.tail()
    yield f"postgresql://{server.username}@{HOST}:{port}{server.path}"
    process.stop()


async def test_the_service_migrates_starts_and_applies_events(platform, pooled, purchase_of, wait_until):
    service = platform.service(POSTGRES_DSN=pooled)
    service.migrate()
    service.start()
    player, product = uuid4(), uuid4()
    await publish(platform.kafka.address, [purchase_of(player, product)])
    headers = {"Authorization": f"Bearer {platform.token(player)}"}
    async with httpx.AsyncClient(base_url=service.api, headers=headers) as http:

        async def has():
            return (await http.get("/items")).json()["meta"]["total_items"] == 1

        await wait_until(has)
        answered = await http.post("/categories", json={"data": {"attributes": {"name": "Pool"}}})
        assert answered.status_code == 201
    assert service.stop() == 0
    assert '"level": "ERROR"' not in service.log.read_text()


async def test_a_transaction_waits_no_longer_for_a_lock_than_without_a_pooler(pooled):
    database = await connect(pooled, 2, Tracing(None, instance="test"))
    async with database.acquire() as connection:
        for _ in range(2):
            async with connection.transaction():
                assert await connection.fetchval("SHOW lock_timeout") == "5s"
                assert await connection.fetchval("SHOW statement_timeout") == "30s"
                async with connection.transaction():
                    assert await connection.fetchval("SELECT 1") == 1
        assert await connection.fetchval("SHOW lock_timeout") == "0"  # no setting is left for the next client
    await database.close()


async def test_without_a_pooler_the_session_has_them(platform):
    database = await connect(platform.dsn, 1, Tracing(None, instance="test"))
    async with database.acquire() as connection:
        assert await connection.fetchval("SHOW lock_timeout") == "5s"
    await database.close()
