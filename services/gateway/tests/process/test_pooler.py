"""PgBouncer between the service and PostgreSQL: session mode (1.18), transaction mode (1.21 and later)."""

import asyncio
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
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.devstack.servers import choice
from gameshelf.devstack.servers.base import free_port
from gameshelf.gateway.runtime.database import DatabaseUnusable, connect
from gameshelf.gateway.runtime.observability.traces import Tracing

PROGRAMS = [
    str(path)
    for path in (choice.TOOLS / "pgbouncer", Path("/usr/sbin/pgbouncer"), Path("/usr/bin/pgbouncer"))
    if path.exists()
]
DROPPED = "lock_timeout,statement_timeout,idle_in_transaction_session_timeout,jit,plan_cache_mode"
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not PROGRAMS, reason="pgbouncer is not installed: `.ci/real-servers` does it"),
]


def version(program):
    printed = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
    return tuple(int(part) for part in re.search(r"(\d+)\.(\d+)", printed).groups())


class Pooler:
    """PgBouncer before a database; started again it has the same port and settings."""

    def __init__(self, program, folder, dsn, mode, **settings):
        server, self._port = urlsplit(dsn), free_port()
        self.dsn = f"postgresql://{server.username}@{HOST}:{self._port}{server.path}"
        fixed = {"listen_addr": HOST, "listen_port": self._port, "auth_type": "any", "unix_socket_dir": ""}
        lines = [f"{name} = {value}" for name, value in {**fixed, "pool_mode": mode, **settings}.items()]
        config = folder / "pgbouncer.ini"
        config.write_text(
            "\n".join(["[pgbouncer]", *lines, "[databases]"])
            + f"\n{server.path[1:]} = host={server.hostname} port={server.port} user={server.username}\n"
        )
        self._command, self._log = [program, str(config)], folder / "log"

    def start(self):
        self._process = Process(self._command, self._log, not_as_root=True)
        while not listens(self._port):
            assert self._process.returncode is None, self._process.tail()

    def kill(self):
        self._process.kill()  # on SIGTERM it waits for its clients


@pytest.fixture
def new_pooler(platform, tmp_path_factory):
    """Starts one of these versions: session mode by the oldest one here, transaction mode by the newest."""
    started = []

    def start(mode, **settings):
        program = sorted(PROGRAMS, key=version)[-1 if mode == "transaction" else 0]
        if mode == "transaction" and version(program) < (1, 21):
            pytest.skip("before 1.21 PgBouncer has no prepared statements in transaction mode")
        if version(program) >= (1, 21):
            settings = {"max_prepared_statements": 200, **settings}
        folder = tmp_path_factory.mktemp("pgbouncer")
        folder.chmod(0o755)
        for parent in folder.parents:
            if parent.name.startswith("pytest-"):
                parent.chmod(0o755)
        started.append(Pooler(program, folder, platform.dsn, mode, **settings))
        started[-1].start()
        return started[-1]

    yield start
    for pooler in started:
        pooler.kill()


@pytest.fixture(params=["session", "session, parameters dropped", "transaction"])
def pooled(request, new_pooler):
    """The DSN of the platform's database through PgBouncer."""
    mode, _, is_dropped = request.param.partition(",")
    return new_pooler(mode, **({"ignore_startup_parameters": DROPPED} if is_dropped else {})).dsn


async def test_the_service_migrates_starts_and_applies_events(platform, pooled, purchase_of, wait_until):
    service = platform.service(POSTGRES_DSN=pooled)
    service.migrate()
    service.start()
    player, product = uuid4(), uuid4()
    await publish(platform.kafka.address, [purchase_of(player, product)])
    headers = {"Authorization": f"Bearer {platform.token(player)}"}
    async with httpx.AsyncClient(base_url=service.api, headers=headers, timeout=PATIENCE_SECONDS) as http:

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


async def test_a_pooler_that_loses_prepared_statements_stops_the_start(new_pooler):
    """Else every third request would fail, and only under load: the commonest report about asyncpg and poolers."""
    pooler = new_pooler("transaction", max_prepared_statements=0)
    with pytest.raises(DatabaseUnusable, match="transaction mode needs PgBouncer"):
        await connect(pooler.dsn, 2, Tracing(None, instance="test"))


async def test_many_transactions_share_few_sessions(new_pooler):
    """Each connection names its statements alike, and sessions serve all of them in turn."""
    database = await connect(new_pooler("transaction", default_pool_size=3).dsn, 20, Tracing(None, instance="test"))

    async def use(number):
        async with database.acquire() as connection:
            outside = await connection.fetchval(f"SELECT $1::int + {number % 7}", number)
            async with connection.transaction():
                return outside, await connection.fetchval(f"SELECT $1::int - {number % 7}", number)

    found = await asyncio.gather(*(use(number) for number in range(300)))
    assert found == [(number + number % 7, number - number % 7) for number in range(300)]
    await database.close()


@pytest.mark.parametrize("mode", ["session", "transaction"])
async def test_a_pooler_with_one_session_is_used(new_pooler, mode):
    database = await connect(new_pooler(mode, default_pool_size=1).dsn, 2, Tracing(None, instance="test"))
    async with database.acquire() as connection:
        assert await connection.fetchval("SELECT 1") == 1
    await database.close()


async def test_the_service_continues_after_a_restart_of_the_pooler(platform, new_pooler, wait_until):
    pooler = new_pooler("transaction")
    service = platform.service(POSTGRES_DSN=pooler.dsn)
    service.start()
    headers = {"Authorization": f"Bearer {platform.token(uuid4())}"}
    async with httpx.AsyncClient(base_url=service.api, headers=headers, timeout=PATIENCE_SECONDS) as http:

        async def status():
            name = {"data": {"attributes": {"name": f"Pool {uuid4()}"}}}
            return (await http.post("/categories", json=name)).status_code

        assert await status() == 201
        pooler.kill()
        assert [await status() for _ in range(3)] == [503] * 3
        pooler.start()

        async def is_back():
            answered = await status()
            assert answered in (201, 503)
            return answered == 201

        await wait_until(is_back)
        assert [await status() for _ in range(20)] == [201] * 20
    assert service.stop() == 0
