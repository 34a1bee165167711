"""``libctl backup drill pgbackrest:…``, with the configuration that deploy/host installs."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest
from gameshelf.devstack.process import as_somebody
from gameshelf.devstack.servers import Postgres, choice
from gameshelf.libctl.errors import ExitCode
from gameshelf.libctl.packages import installed

DATABASE = Path(__file__).parent
CONFIGURATION = DATABASE.parents[3] / "deploy" / "host" / "pgbackrest.conf"
PROGRAM = shutil.which("pgbackrest")


@pytest.fixture(scope="module")
def archived(server_directory, execute):
    """A server that archives by pgBackRest, with a full backup."""
    if not choice.are_real() or PROGRAM is None:
        pytest.skip("Debian's pgBackRest is for Debian's PostgreSQL 15: ./dev test --real")
    server = Postgres(server_directory / f"pgbackrest-{uuid4().hex[:8]}")
    server.durable = False
    server.start()
    repository, folder = server.directory / "repository", server.directory / "pgbackrest"
    for path in (repository, folder / "log", folder / "lock"):
        path.mkdir(parents=True)
    text = re.sub(r"(?m)^repo1-path=.*", f"repo1-path={repository}", CONFIGURATION.read_text())
    data = f"pg1-path={server.directory / 'data'}\npg1-port={server.port}\npg1-user=library"
    text = re.sub(r"(?m)^pg1-path=.*", data, text)
    places = f"repo1-cipher-pass=secret\nlog-path={folder / 'log'}\nlock-path={folder / 'lock'}"
    (folder / "pgbackrest.conf").write_text(text.replace("[global]", f"[global]\n{places}", 1))
    environment = {
        **os.environ,
        "PGBACKREST_CONFIG": str(folder / "pgbackrest.conf"),
        "PGHOST": "127.0.0.1",
        "POSTGRES_DSN": server.dsn(),
    }

    def pgbackrest(*words):
        command = as_somebody([PROGRAM, "--stanza=gameshelf", *words])
        ran = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr + ran.stdout

    for package in installed().values():
        package.upgrade(server.dsn())
    push = f"{PROGRAM} --config={folder / 'pgbackrest.conf'} --stanza=gameshelf archive-push %p"
    settings = {"archive_mode": "on", "archive_timeout": "1", "archive_command": push}
    execute(server.dsn(), (DATABASE / "data.sql").read_text())
    execute(server.dsn(), *(f"ALTER SYSTEM SET {name} = '{value}'" for name, value in settings.items()))
    server.stop()
    pgbackrest("--no-online", "stanza-create")
    server.start()
    pgbackrest("--type=full", "backup")
    yield SimpleNamespace(server=server, repository=repository, environment=environment)
    server.remove()


def drill(archived, folder):
    words = ["backup", "drill", "pgbackrest:gameshelf", "--json", "--work", str(folder)]
    ran = subprocess.run(
        as_somebody([sys.executable, "-m", "gameshelf.libctl", *words]),
        env=archived.environment,
        capture_output=True,
        text=True,
    )
    return ran, json.loads(ran.stdout) if ran.stdout else None


@pytest.mark.long
@pytest.mark.real
def test_a_commit_comes_back_from_the_repository_and_a_gap_is_found(archived, tmp_path, execute):
    ran, found = drill(archived, tmp_path)
    assert (ran.returncode, found and found["problems"]) == (ExitCode.OK, []), ran.stderr
    assert (found["kind"], found["marker"]["found"]) == ("base", True)
    assert found["rows"] > 20_000
    for _ in range(3):
        execute(archived.server.dsn(), "INSERT INTO gateway.backup_markers DEFAULT VALUES", "SELECT pg_switch_wal()")
    # A drill waits for its marker, which is in a later segment than all of these.
    kept = {path for path in archived.repository.rglob("0000*-*") if path.suffix == ".lz4"}
    sorted(kept, key=lambda path: path.name)[-1].unlink()
    ran, found = drill(archived, tmp_path)
    assert ran.returncode == ExitCode.FAILED
    assert any("gap" in problem for problem in found["problems"]), found["problems"]
    assert any("marker" in problem for problem in found["problems"])
    assert list(tmp_path.iterdir()) == []
