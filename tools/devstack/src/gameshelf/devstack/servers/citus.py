"""A cluster of PostgreSQL with Citus that somebody else has started, in the place of the PostgreSQL of a test run.

Its databases are distributed ones with every schema. They are made once, and copied on each machine from then on: the
tables of Citus name everything by numbers that a copy keeps.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
from gameshelf.devstack.process import Process, StartFailed
from gameshelf.devstack.servers.postgres import Postgres

VARIABLE = "GAMESHELF_DEV_CITUS"
"""The DSN of a database of the coordinator, to which its machines have been added; or unset."""
_MACHINES = (
    "SELECT nodename, nodeport, groupid = 0 AS leads FROM pg_dist_node WHERE noderole = 'primary' ORDER BY groupid"
)
_END_SESSIONS = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1"
_LOCK = 0x6369_7475_73
"""An advisory lock of the coordinator. A machine copies its roles to each machine that is added, whatever the database
is, and two copies of one role at the same time fail.
"""
_SECONDS = 300


class Citus(Postgres):
    """The databases of a cluster, by the DSN of its coordinator."""

    def __init__(self, directory: Path, dsn: str) -> None:
        super().__init__(directory)
        self._dsn = urlsplit(dsn)
        self._prepared: str | None = None
        self._made: list[str] = []

    def start(self) -> None:
        """Does nothing: it runs."""
        self.directory.mkdir(parents=True, exist_ok=True)

    def stop(self) -> None:
        """Drops the databases that were made."""
        _wait_for(self._on_each(lambda connection: self._drop(connection, self._made)))

    @property
    def address(self) -> str:
        return f"{self._dsn.hostname}:{self._dsn.port}"

    def dsn(self, database: str = "library") -> str:
        return self._dsn._replace(path=f"/{database}").geturl()

    def create_database(self, name: str, template: str | None = None) -> None:
        """Makes a database: an empty one that is not distributed, or a copy of another one that nobody uses then."""
        self._made.append(name)
        if template is None:
            _wait_for(self._on_coordinator(lambda connection: self._create(connection, name, None)))
        else:
            _wait_for(self._on_each(lambda connection: self._create(connection, name, template)))

    def drop_database(self, name: str) -> None:
        """Removes a database on each machine, if it is there, and ends the sessions that use it."""
        _wait_for(self._on_each(lambda connection: self._drop(connection, [name])))

    def prepared(self) -> str:
        """The name of a distributed database with every schema, to be copied. Raises StartFailed."""
        if self._prepared is None:
            name = f"c{uuid4().hex[:12]}"
            self._made.append(name)
            _wait_for(self._prepare(name))
            for command in ("migrate", "distribute"):
                self._run_libctl(name, "db", command, "--apply", "--reason", "tests")
            self._prepared = name
        return self._prepared

    async def _prepare(self, name: str) -> None:
        machines = await self._machines()
        await self._on_each(lambda connection: self._create(connection, name, None))
        for host, port, _ in machines:
            connection = await self._connect(name, host, port)
            await connection.execute("CREATE EXTENSION citus")
            await connection.close()
        others = await asyncpg.connect(self._dsn.geturl())
        try:
            await others.execute("SELECT pg_advisory_lock($1)", _LOCK)
            await self._add_machines(name, machines)
        finally:
            await others.close()

    async def _add_machines(self, name: str, machines: list[tuple[str, int, bool]]) -> None:
        [(host, port)] = [(host, port) for host, port, leads in machines if leads]
        connection = await self._connect(name, host, port)
        await connection.execute("SELECT citus_set_coordinator_host($1, $2)", host, port)
        for host, port, leads in machines:
            if not leads:
                await connection.execute("SELECT citus_add_node($1, $2)", host, port)
        await connection.close()

    def _run_libctl(self, database: str, *words: str) -> None:
        environ = {
            **os.environ,
            "POSTGRES_DSN": self.dsn(database),
            "LIBCTL_LOG": str(self.directory / "libctl.log"),
        }
        command = [sys.executable, "-m", "gameshelf.libctl", *words]
        process = Process(command, self.directory / "tools.log", environ=environ)
        if not process.wait(_SECONDS) or process.returncode != 0:
            raise StartFailed(process.tail())

    async def _create(self, connection: "asyncpg.Connection[asyncpg.Record]", name: str, template: str | None) -> None:
        copied = f' TEMPLATE "{template}" STRATEGY file_copy' if template else ""
        if template:
            # Citus itself is connected to look for deadlocks.
            await connection.execute(f'ALTER DATABASE "{template}" ALLOW_CONNECTIONS false')
            await connection.fetch(_END_SESSIONS, template)
        await connection.execute(f'CREATE DATABASE "{name}"{copied}')
        if template:
            await connection.execute(f'ALTER DATABASE "{template}" ALLOW_CONNECTIONS true')

    async def _drop(self, connection: "asyncpg.Connection[asyncpg.Record]", names: list[str]) -> None:
        for name in names:
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    async def _machines(self) -> list[tuple[str, int, bool]]:
        connection = await asyncpg.connect(self._dsn.geturl())
        try:
            return [(row[0], row[1], row[2]) for row in await connection.fetch(_MACHINES)]
        finally:
            await connection.close()

    async def _connect(self, name: str, host: str, port: int) -> "asyncpg.Connection[asyncpg.Record]":
        return await asyncpg.connect(self.dsn(name), host=host, port=port)

    async def _on_coordinator(self, work: "Callable[[asyncpg.Connection[asyncpg.Record]], Awaitable[None]]") -> None:
        await self._on_each(work, only_coordinator=True)

    async def _on_each(
        self, work: "Callable[[asyncpg.Connection[asyncpg.Record]], Awaitable[None]]", *, only_coordinator: bool = False
    ) -> None:
        """Does something on each machine, in its database for maintenance, side by side."""

        async def on_one(host: str, port: int) -> None:
            connection = await self._connect("postgres", host, port)
            try:
                # Each database is made on each machine here.
                await connection.execute("SET citus.enable_create_database_propagation = off")
                await work(connection)
            finally:
                await connection.close()

        machines = await self._machines()
        await asyncio.gather(*(on_one(host, port) for host, port, leads in machines if leads or not only_coordinator))


def _wait_for(work: "Coroutine[object, object, None]") -> None:
    """Runs it in a thread: the caller may be part of a loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()
