"""Databases with something in every schema, and ``libctl`` beside them: in this process, or as a process of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from gameshelf.devstack.servers.postgres import binary
from gameshelf.libctl.main import main
from gameshelf.libctl.packages import installed

from ..checked_shapes import check_shape

DATA = (Path(__file__).parent / "data.sql").read_text()
PG_BIN = binary("pg_dump").parent


@dataclass
class Answer:
    code: int
    out: str
    err: str
    words: tuple = ()

    @property
    def data(self):
        """The JSON that was printed; it is as the command's schema says."""
        data = json.loads(self.out)
        check_shape(self.words, data)
        return data


class Libctl:
    """Runs commands; ``log`` is where they write what they change."""

    def __init__(self, folder, capsys, monkeypatch):
        self.log = folder / "changes.jsonl"
        self.environment = {
            "LIBCTL_LOG": str(self.log),
            "COLUMNS": "80",
            "LIBCTL_PG_BIN": str(binary("pg_dump").parent),
        }
        self._capsys, self._monkeypatch = capsys, monkeypatch

    def __call__(self, *words, dsn=None, **environment):
        """Runs a command in this process: the same entry point, and much quicker."""
        for name, value in self._settings(dsn, environment).items():
            self._monkeypatch.setenv(name, value)
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        printed = self._capsys.readouterr()
        return Answer(int(ended.value.code), printed.out, printed.err, words)

    def start(self, *words, dsn=None, stderr=subprocess.PIPE, **environment):
        return subprocess.Popen(
            [sys.executable, "-m", "gameshelf.libctl", *map(str, words)],
            env={**os.environ, **self._settings(dsn, environment)},
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )

    def logged(self):
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def _settings(self, dsn, environment):
        return {**self.environment, **({"POSTGRES_DSN": dsn} if dsn else {}), **environment}


@pytest.fixture
def libctl(tmp_path, capsys, monkeypatch):
    before = signal.getsignal(signal.SIGTERM)
    yield Libctl(tmp_path, capsys, monkeypatch)
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="session")
def filled(postgres, execute):
    """The name of a database with rows in every schema; only to be copied."""
    name = f"filled{uuid4().hex[:8]}"
    postgres.create_database(name)
    for package in installed().values():
        package.upgrade(postgres.dsn(name))
    execute(postgres.dsn(name), DATA)
    return name


@pytest.fixture
def library(postgres, filled):
    """The DSN of a filled database of the test's own."""
    name = f"library{uuid4().hex[:8]}"
    postgres.create_database(name, template=filled)
    yield postgres.dsn(name)
    postgres.drop_database(name)


@pytest.fixture(scope="session")
def made_backup(postgres, filled, tmp_path_factory):
    """A backup of the filled database; only to be copied.

    It is noted in the database that it is of, so that is a copy: no test's own database begins with a backup.
    """
    folder, name = tmp_path_factory.mktemp("made") / "backup", f"backed{uuid4().hex[:8]}"
    postgres.create_database(name, template=filled)
    subprocess.run(
        [sys.executable, "-m", "gameshelf.libctl", "backup", "create", folder],
        env={**os.environ, "POSTGRES_DSN": postgres.dsn(name), "LIBCTL_PG_BIN": str(PG_BIN)},
        capture_output=True,
        check=True,
    )
    return folder


@pytest.fixture
def backup(made_backup, tmp_path):
    """A backup of the filled database, of the test's own."""
    shutil.copytree(made_backup, tmp_path / "backup")
    return tmp_path / "backup"


@pytest.fixture
def server(postgres):
    """The DSN of a database of the server that no test depends on."""
    return postgres.dsn()


@pytest.fixture
def absent(postgres):
    """The DSN of a database that isn't there."""
    return postgres.dsn(f"absent{uuid4().hex[:8]}")


@pytest.fixture
def databases(postgres, fetch):
    """Asks for the names of the databases that libctl has made for itself, and of those that it has put aside."""

    def every():
        like = "datname LIKE 'libctl\\_%' OR datname LIKE '%\\_before\\_%'"
        found = fetch(postgres.dsn("postgres"), f"SELECT datname FROM pg_database WHERE {like}")
        return {row["datname"] for row in found}

    before = every()
    return lambda: every() - before
