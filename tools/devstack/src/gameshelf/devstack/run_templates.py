"""One folder of PostgreSQL's data for all workers of a test run: its databases have the tables already.

Each worker has a server of its own. One of them makes the data, and migrates a database for each package; the others
copy these 140 MB of files.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from gameshelf.devstack.databases import Upgradable
from gameshelf.devstack.servers import Postgres

VARIABLE = "GAMESHELF_TEST_RUN"
"""Names the folder that the workers of a run share. Processes that they start inherit it."""

OF_ALL = "tables_of_all"
"""The database that has the tables of every package of the service. Tests copy it; a benchmark has a server of its own,
and takes it.
"""

Templates = dict[tuple[Upgradable, ...], str]
"""The name of a database that is copied, by the packages whose tables it has."""


def begin_run() -> None:
    """Makes the folder of a run that is about to start workers."""
    os.environ[VARIABLE] = tempfile.mkdtemp(prefix="gameshelf-run-")


def end_run() -> None:
    """Forgets it; there is none where the run has failed before it began."""
    if made := os.environ.pop(VARIABLE, None):
        shutil.rmtree(made, ignore_errors=True)


def folder() -> Path | None:
    """The folder of the run that this process is a part of."""
    return Path(os.environ[VARIABLE]) if VARIABLE in os.environ else None


def of_service() -> tuple[Upgradable, ...]:
    """The packages of the service. They are imported here: who finds the data made, needs none of their code."""
    from gameshelf.gateway.wiring import MIGRATIONS

    return tuple(MIGRATIONS)


def copy_to(server: Postgres, run: Path, packages: Callable[[], Sequence[Upgradable]]) -> None:
    """Gives a server, before its first start, a copy of the data in the folder of a run, with ``templates``.

    The first one that comes makes the data; the others wait for it.
    """
    with (run / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = run / "made"
        if not made.exists():
            shutil.rmtree(run / "postgresql", ignore_errors=True)  # of a process that did not come to its end
            _make(Postgres(run / "postgresql"), templates(packages()))
            made.touch()
    server.directory.mkdir(parents=True, exist_ok=True)
    shutil.copytree(run / "postgresql" / "data", server.directory / "data")


def templates(packages: Sequence[Upgradable]) -> Templates:
    """The databases of such data: one with the tables of each package, and one with those of all."""
    alone: Templates = {(package,): f"tables_{number}" for number, package in enumerate(packages)}
    return {**alone, tuple(packages): OF_ALL}


def _make(server: Postgres, wanted: Templates) -> None:
    server.durable = False
    server.start()
    try:
        for group, name in wanted.items():
            server.create_database(name)
            for package in group:
                package.upgrade(server.dsn(name))
    finally:
        server.stop()
