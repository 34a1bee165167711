"""``libctl backup drill`` of dumps: the newest one becomes a database that is checked, or the drill fails."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import timedelta

import asyncpg
import pytest
from gameshelf.devstack.process import as_somebody
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.libctl.backup.drill import checks
from gameshelf.libctl.backup.manifest import Manifest
from gameshelf.libctl.errors import ExitCode

from ..shown_tables import headings_of


def command(*words):
    """The command line of a drill, as a user that may start PostgreSQL."""
    return as_somebody([sys.executable, "-m", "gameshelf.libctl", "backup", "drill", "--json", *map(str, words)])


def left(folder):
    return [path.name for path in folder.glob("libctl-backup-*")]


def backdated(backup, hours):
    """Makes a backup older than it is."""
    manifest = Manifest.read(backup)
    (backup / "manifest.json").unlink()
    moved = manifest.restored_point - timedelta(hours=hours)
    manifest.model_copy(update={"restored_point": moved}).write(backup)


@pytest.mark.long
def test_the_newest_dump_comes_back_in_a_server_of_the_drills_own(libctl, library, fetch, tmp_path):
    for name in ("old", "new"):
        assert libctl("backup", "create", tmp_path / "dumps" / name, dsn=library).code == ExitCode.OK
    (tmp_path / "dumps" / "begun.partial").mkdir()
    ran = subprocess.run(
        command(tmp_path / "dumps", "--work", tmp_path),
        env={**os.environ, "POSTGRES_DSN": library},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == ExitCode.OK, ran.stderr
    found = json.loads(ran.stdout)
    assert (found["passed"], found["problems"], found["kind"]) == (True, [], "logical")
    assert found["backup"].endswith("/new")
    assert found["marker"]["found"] is True
    assert found["rows"] > 20_000
    assert found["users_read"] == 20
    assert list(found["seconds"]) == ["fetch", "start a server", "restore and compare", "check"]
    assert found["rto_seconds"] == pytest.approx(sum(found["seconds"].values()), abs=0.01)
    [noted] = fetch(library, "SELECT * FROM gateway.backup_drills")
    assert (noted["kind"], round(noted["rto_seconds"], 3)) == ("logical", found["rto_seconds"])
    assert left(tmp_path) == []


def test_a_dump_comes_back_on_a_given_server_which_keeps_nothing(libctl, backup, server, databases):
    held = libctl("backup", "drill", backup, "--scratch", server, "--max-rpo", "90h", POSTGRES_DSN="")
    assert held.code == ExitCode.OK, held.err
    for line in ("RTO", "RPO", "90h 00m 00s", "none was expected", "passed"):
        assert line in held.out
    assert headings_of(held.out) == [["measured", "limit"]]
    assert not databases()


@pytest.mark.long
def test_a_drill_of_a_damaged_dump_fails_and_says_what_is_wrong(libctl, library, backup, server, databases, fetch):
    largest = max((backup / "dump").iterdir(), key=lambda path: path.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-1])
    held = libctl("backup", "drill", backup, "--scratch", server, "--json", dsn=library)
    assert (held.code, held.data["passed"]) == (ExitCode.FAILED, False)
    assert f"dump/{largest.name}: file" in held.data["problems"][0]
    drawn = libctl("backup", "drill", backup, "--scratch", server, dsn=library)
    assert headings_of(drawn.out)[-1] == ["the drill has failed"]
    assert fetch(library, "SELECT 1 FROM gateway.backup_drills") == []
    assert not databases()
    (backup / "manifest.json").write_text("{}")
    held = libctl("backup", "drill", backup, "--scratch", server, "--json")
    assert held.code == ExitCode.FAILED
    assert "BACKUP_DAMAGED" in held.err


def test_a_place_without_a_dump_is_no_passed_drill(libctl, server, tmp_path):
    """As where the nightly job writes elsewhere since it was moved: kubeblocks-addons 3008."""
    (tmp_path / "begun.partial").mkdir()
    assert libctl("backup", "drill", tmp_path, "--scratch", server, POSTGRES_DSN="").code == ExitCode.NOT_FOUND
    for options in (("--wal", tmp_path), ("--wal", tmp_path / "begun.partial")):
        assert libctl("backup", "drill", tmp_path, *options).code == ExitCode.NOT_FOUND
    assert libctl("backup", "drill", tmp_path / "missing", "--scratch", server).code == ExitCode.NOT_FOUND


@pytest.mark.long
def test_a_newer_dump_that_is_damaged_is_not_passed_over(libctl, backup, server, tmp_path):
    for name in ("a-good", "b-damaged"):
        shutil.copytree(backup, tmp_path / "dumps" / name)
    newer = tmp_path / "dumps" / "b-damaged" / "manifest.json"
    newer.write_text("{}")
    os.utime(newer, (time.time() + 60, time.time() + 60))
    words = ("backup", "drill", tmp_path / "dumps", "--scratch", server, "--max-rpo", "90h", "--json")
    held = libctl(*words, POSTGRES_DSN="")
    assert held.code == ExitCode.FAILED
    assert held.data["backup"].endswith("/a-good")
    [problem] = held.data["problems"]
    assert problem.startswith("b-damaged is newer: ")


def test_an_order_of_another_c_library_is_found(library, execute):
    """A base backup on another release of Debian finds only some of the rows: wal-g 724."""

    async def changes():
        connection = await asyncpg.connect(library)
        try:
            before = await checks.collation_changes(connection)
            await connection.execute("UPDATE pg_database SET datcollversion = '1' WHERE datname = current_database()")
            return before, await checks.collation_changes(connection)
        finally:
            await connection.close()

    before, after = asyncio.run(changes())
    assert before == []
    assert "REINDEX" in after[0]


@pytest.mark.long
def test_an_old_dump_and_one_of_another_database_fail(libctl, library, backup, server, tmp_path):
    """The dump of a wrong database restores very well: that is how nobody notices it for months."""
    assert libctl("backup", "create", tmp_path / "of-library", dsn=library).code == ExitCode.OK
    [made] = [path for path in tmp_path.iterdir() if path.name == "backup"]
    backdated(made, -90)  # the other database's is newer than the marker that it must hold
    held = libctl("backup", "drill", made, "--scratch", server, "--json", dsn=library)
    assert held.code == ExitCode.FAILED
    assert [problem for problem in held.data["problems"] if "marker" in problem] == held.data["problems"]
    backdated(made, 90 + 25)
    held = libctl("backup", "drill", made, "--scratch", server, "--json", POSTGRES_DSN="")
    assert held.code == ExitCode.FAILED
    assert [problem.partition(" is ")[0] for problem in held.data["problems"]] == ["the newest commit that came back"]


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux ends the server")
def test_a_killed_drill_leaves_no_server_and_the_next_run_its_folder(libctl, backup, server, tmp_path):
    process = subprocess.Popen(command(backup, "--work", tmp_path), stderr=subprocess.PIPE, text=True)
    assert any("loading" in line for line in process.stderr)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    [folder] = tmp_path.glob("libctl-backup-*")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (folder / "data" / "postmaster.pid").exists():  # a server removes it when it ends
        assert time.monotonic() < deadline
        time.sleep(0.05)
    held = libctl("backup", "drill", backup, "--work", tmp_path, "--scratch", server, "--max-rpo", "90h")
    assert held.code == ExitCode.OK, held.err
