"""The servers of a scenario, and processes on a core of their own."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from gameshelf.devstack import run_templates
from gameshelf.devstack.measurements import Figure, write_figures
from gameshelf.devstack.ports import listens
from gameshelf.devstack.process import Process, StartFailed
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS, StartedPlatform
from gameshelf.devstack.servers import Kafka, Postgres, Valkey
from gameshelf.devstack.servers.base import free_port
from gameshelf.devstack.tokens import TokenIssuer
from rich.console import Console
from rich.table import Table

READY = "ready"
"""What a floor prints once it serves."""


@dataclass(frozen=True, slots=True)
class Stack:
    """The servers of one scenario, with a migrated database."""

    directory: Path
    platform: StartedPlatform
    postgres: Postgres

    def floor(self, script: str, *arguments: str) -> Process:
        """Starts a script of this folder, which prints ``READY``, and waits for that."""
        path = Path(__file__).with_name(script)
        log = self.directory / f"{path.stem}-{time.monotonic_ns()}.log"
        process = Process([sys.executable, str(path), *arguments], log)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while READY not in process.tail():
            if process.returncode is not None or time.monotonic() > deadline:
                raise StartFailed(process.tail(40))
            time.sleep(0.05)
        return process

    @property
    def postgres_pid(self) -> int:
        assert self.postgres.process is not None
        return self.postgres.process.pid


def start_bare(directory: Path, script: str, server: str, *arguments: str) -> tuple[Process, int]:
    """Starts a script of this folder that is a floor over HTTP: ``SCRIPT SERVER PORT ARGUMENTS``. Returns its port."""
    port = free_port()
    path = Path(__file__).with_name(script)
    log = directory / f"{path.stem}-{port}.log"
    process = Process([sys.executable, str(path), server, str(port), *arguments], log)
    while not listens(port):
        if process.returncode is not None:
            raise StartFailed(process.tail(40))
        time.sleep(0.05)
    return process, port


def code_of(checkout: Path) -> dict[str, str]:
    """Returns the environment variables to run the code of another checkout, with its configuration."""
    folders = [*checkout.glob("packages/*/src"), *checkout.glob("services/*/src"), checkout / "protos/src"]
    return {
        "PYTHONPATH": os.pathsep.join(str(folder.resolve()) for folder in folders),
        "LIBRARY_SERVICE_CONFIG": str((checkout / "configs/library_config.yaml").resolve()),
    }


def database_of(postgres: Postgres) -> str:
    """Chooses the database of a server, before its first start: in a run of tests one that has the tables already."""
    run = run_templates.folder()
    if run is None:
        return "library"
    run_templates.copy_to(postgres, run, run_templates.of_service)
    return run_templates.OF_ALL


@contextmanager
def started(settings: Mapping[str, str] = MappingProxyType({}), *, checkout: Path | None = None) -> Iterator[Stack]:
    """Starts the servers. PostgreSQL doesn't wait for the disk, and has these ``settings`` besides.

    Services run the code of another ``checkout``, on tables of this one: these suit the versions before.
    """
    with tempfile.TemporaryDirectory(prefix="gameshelf-bench-") as folder:
        directory = Path(folder)
        postgres, valkey, kafka = Postgres(directory / "pg"), Valkey(directory / "valkey"), Kafka(directory / "kafka")
        postgres.durable = False
        postgres.settings = {**postgres.settings, **settings}
        database = database_of(postgres)
        for server in (postgres, valkey, kafka):
            server.start()
        issuer = TokenIssuer(directory / "keys")
        platform = StartedPlatform(directory, postgres.dsn(database), kafka, valkey, issuer)
        try:
            if database != run_templates.OF_ALL:
                platform.service().migrate()
            if checkout:
                platform.code = code_of(checkout)
            yield Stack(directory, platform, postgres)
        finally:
            platform.close()
            postgres.stop()


@contextmanager
def on_cores(*cores: int) -> Iterator[None]:
    """Processes that are started in the block run on these cores only; without cores, or where the machine lacks one of
    them, wherever there is room.
    """
    before = os.sched_getaffinity(0)
    if cores and before.issuperset(cores):
        os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def parser(
    name: str, description: str | None, *, rounds: int = 5, of_versions: bool = False
) -> argparse.ArgumentParser:
    """The options that all scenarios of the suite have. ``of_versions``: it can also measure another version."""
    made = argparse.ArgumentParser(prog=f"./dev bench {name}", description=description)
    made.add_argument("--rounds", type=int, default=rounds, help=f"runs of each, in turn ({rounds})")
    if of_versions:
        made.add_argument("--checkout", type=Path, help="measures the service of another version, on this one's tables")
    made.add_argument("--json", type=Path, help="also writes the figures of all rounds to this file")
    return made


def report(figures: tuple[Figure, ...], path: Path | None) -> None:
    """Shows the medians, and writes the rounds."""
    names = ("what", "median", "least .. greatest", "unit", "floor", "of the floor", "remark")
    table = Table(*names, box=None, pad_edge=False)
    for figure in figures:
        least, greatest = (f"{value:,.4g}" for value in figure.spread)
        floor = "" if figure.floor_median is None else f"{figure.floor_median:,.4g}"
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
        table.add_row(
            figure.what, f"{figure.median:,.4g}", f"{least} .. {greatest}", figure.unit, floor, ratio, figure.remark
        )
    Console(width=160).print(table)
    if path:
        write_figures(path, figures)
