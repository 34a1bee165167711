"""``libctl backup drill`` of a base backup and archived WAL: what is missing or dangerous ends it with an error."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest
from gameshelf.devstack.process import as_somebody
from gameshelf.devstack.servers import Postgres
from gameshelf.libctl.errors import ExitCode
from gameshelf.libctl.packages import installed

DATA = (Path(__file__).parent / "data.sql").read_text()
ARCHIVES = "test ! -f {0}/%f && cp %p {0}/.%f && mv {0}/.%f {0}/%f"


@pytest.fixture(scope="module")
def live(server_directory, execute, fetch):
    """A server that archives its WAL, with a base backup and four segments after it."""
    server = Postgres(server_directory / f"archived-{uuid4().hex[:8]}")
    server.durable = False
    server.start()
    dsn = server.dsn()
    wal = server.directory / "wal"
    wal.mkdir()
    for package in installed().values():
        package.upgrade(dsn)
    execute(dsn, DATA, "ALTER SYSTEM SET archive_mode = on", "ALTER SYSTEM SET archive_timeout = 1")
    execute(dsn, f"ALTER SYSTEM SET archive_command = '{ARCHIVES.format(wal)}'")
    server.stop()
    server.start()
    base = server.base_backup("copy")
    for _ in range(3):
        execute(dsn, "INSERT INTO gateway.backup_markers DEFAULT VALUES", "SELECT pg_switch_wal()")
    yield SimpleNamespace(server=server, dsn=dsn, base=base, wal=wal)
    server.remove()


def drill(live, folder, *words, base=None, wal=None, dsn=""):
    """Runs one as a user that may start PostgreSQL; returns its exit code, document and messages."""
    line = ["backup", "drill", "--json", base or live.base, "--wal", wal or live.wal, "--work", folder]
    line += ["--role", "library", "--database", "library", *words]
    ran = subprocess.run(
        as_somebody([sys.executable, "-m", "gameshelf.libctl", *map(str, line)]),
        env={**os.environ, "POSTGRES_DSN": dsn},
        capture_output=True,
        text=True,
    )
    assert [path.name for path in folder.glob("libctl-backup-*")] == []
    return SimpleNamespace(code=ran.returncode, err=ran.stderr, data=json.loads(ran.stdout) if ran.stdout else None)


def copied(live, folder):
    shutil.copytree(live.base, folder / "base", symlinks=True)
    shutil.copytree(live.wal, folder / "wal")
    return folder / "base", folder / "wal"


@pytest.mark.long
def test_a_commit_comes_back_from_the_archive_whatever_the_settings_say(live, tmp_path, fetch):
    base, _ = copied(live, tmp_path)
    with (base / "postgresql.auto.conf").open("a") as file:  # of an earlier recovery, and of a standby
        file.write("recovery_target_time = '2020-01-01'\nprimary_conninfo = 'host=127.0.0.1 port=9'\n")
        file.write("recovery_end_command = 'false'\nshared_preload_libraries = 'not_here'\n")
    (base / "standby.signal").touch()
    held = drill(live, tmp_path, base=base, dsn=live.dsn)
    assert (held.code, held.data and held.data["problems"]) == (ExitCode.OK, []), held.err
    assert (held.data["kind"], held.data["marker"]["found"]) == ("base", True)
    assert held.data["max_rpo_seconds"] == 300
    assert held.data["rows"] > 20_000
    [noted] = fetch(live.dsn, "SELECT kind FROM gateway.backup_drills")
    assert noted["kind"] == "base"
    # The copy would be of timeline 2: it has archived nothing.
    assert [path.name for path in live.wal.iterdir() if not path.name.startswith("00000001")] == []


@pytest.mark.long
def test_missing_wal_is_an_error_although_the_server_starts(live, tmp_path):
    base, wal = copied(live, tmp_path)
    segments = sorted(path for path in wal.iterdir() if len(path.name) == 24)
    start = (base / "backup_label").read_text().split("file ")[1][:24]
    segments = [path for path in segments if path.name >= start]
    segments[-2].unlink()
    held = drill(live, tmp_path, base=base, wal=wal)
    assert held.code == ExitCode.FAILED
    [problem] = held.data["problems"]
    assert "gap" in problem
    assert segments[-1].name in problem
    for path in segments[:-1]:
        path.unlink(missing_ok=True)
    shutil.rmtree(base / "pg_wal")  # as of a backup without its own WAL
    (base / "pg_wal").mkdir()
    (base / "backup_manifest").unlink()
    held = drill(live, tmp_path, base=base, wal=wal)
    assert (held.code, held.data) == (ExitCode.FAILED, None)
    assert "checkpoint record" in held.err
    assert "BACKUP_DAMAGED" in held.err


@pytest.mark.long
def test_an_archive_that_stands_still_fails_although_all_of_it_comes_back(live, tmp_path, execute):
    execute(live.dsn, "ALTER SYSTEM SET archive_command = 'false'", "SELECT pg_reload_conf()")
    try:
        held = drill(live, tmp_path, "--max-rpo", "1s", dsn=live.dsn)
    finally:
        execute(
            live.dsn, f"ALTER SYSTEM SET archive_command = '{ARCHIVES.format(live.wal)}'", "SELECT pg_reload_conf()"
        )
    assert held.code == ExitCode.FAILED
    assert "a commit was not archived within 1 s" in held.data["problems"]
    assert any("newest commit" in problem for problem in held.data["problems"])


@pytest.mark.long
def test_what_is_no_copy_or_is_damaged_is_not_started(live, tmp_path):
    refused = drill(live, tmp_path, base=live.server.directory / "data")
    assert (refused.code, "running server" in refused.err) == (ExitCode.FAILED, True)
    base, _ = copied(live, tmp_path)
    tablespace = base / "pg_tblspc" / "16999"
    tablespace.symlink_to(live.server.directory)
    refused = drill(live, tmp_path, base=base)
    assert (refused.code, "may be that of the live server" in refused.err) == (ExitCode.FAILED, True)
    tablespace.unlink()
    largest = max((base / "base").rglob("*"), key=lambda path: path.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 1
    largest.write_bytes(content)
    refused = drill(live, tmp_path, base=base)
    assert refused.code == ExitCode.FAILED
    assert "checksum mismatch" in refused.err
    (base / "backup_label").unlink()
    refused = drill(live, tmp_path, base=base)
    assert (refused.code, "no backup_label" in refused.err) == (ExitCode.FAILED, True)
