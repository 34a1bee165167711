"""``libctl backup create`` and ``verify``: a backup is consistent, and complete or absent; every change is found."""

import asyncio
import json
import os
import shutil
import signal
import time
from contextlib import suppress
from datetime import datetime

import asyncpg
import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.libctl.errors import ExitCode

from ..shown_tables import headings_of


def ends(process, line, number=signal.SIGINT):
    """Sends a signal when the program prints a step; returns its exit code, its output, and all that it printed."""
    printed = ""
    for text in process.stderr:
        printed += text
        if line in text:
            process.send_signal(number)
            break
    out, rest = process.communicate(timeout=PATIENCE_SECONDS)
    return process.returncode, out, printed + rest


async def noted_in(dsn):
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch("SELECT kind, point FROM gateway.backups")
    await connection.close()
    return [tuple(row) for row in rows]


def test_a_backup_is_made_and_verified(libctl, library, tmp_path, databases):
    folder = tmp_path / "b"
    made = libctl("backup", "create", folder, "--json", dsn=library)
    assert made.code == ExitCode.OK, made.err
    assert {package["schema"] for package in made.data["packages"]} >= {"gateway", "library", "savegames"}
    assert made.data["rows"] > 20_000
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["b"]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["digest"] == made.data["digest"]
    assert {file["path"] for file in manifest["files"]} == {f"dump/{path.name}" for path in (folder / "dump").iterdir()}

    noted = asyncio.run(noted_in(library))  # by which the service knows its age
    assert noted == [("logical", datetime.fromisoformat(made.data["restored_point"]))]

    verified = libctl("backup", "verify", folder, "--json")
    assert (verified.code, verified.data["well"], verified.data["differences"]) == (ExitCode.OK, True, [])
    assert not databases()
    assert not libctl.log.exists()


def test_a_database_that_takes_no_writes_is_backed_up_too(libctl, library, tmp_path):
    dsn = f"{library}{'&' if '?' in library else '?'}options=-c%20default_transaction_read_only%3Don"
    made = libctl("backup", "create", tmp_path / "b", "--json", dsn=dsn)
    assert made.code == ExitCode.OK, made.err
    assert "backup_age_seconds" in made.err
    assert (tmp_path / "b" / "manifest.json").exists()


@pytest.mark.long
@pytest.mark.parametrize("columns", [80, pytest.param(120, marks=pytest.mark.long)])
def test_messages_fit_the_width_and_stand_beside_the_data(libctl, backup, server, columns):
    verified = libctl("backup", "verify", backup, dsn=server, COLUMNS=str(columns))
    assert "all files, counts and checksums match" in verified.out
    assert max(map(len, verified.out.splitlines())) <= columns
    assert "comparing: " in verified.err


@pytest.mark.long
def test_it_is_of_one_moment_whatever_is_written_meanwhile(libctl, library, tmp_path, execute):
    process = libctl.start("backup", "create", tmp_path / "b", "--jobs", "2", dsn=library)
    while process.poll() is None:
        execute(
            library,
            "INSERT INTO gateway.outbox (shard, user_id, topic, value) SELECT 1, gen_random_uuid(), 't', 'x' "
            "FROM generate_series(1, 100)",
            "UPDATE library.user_library_items SET is_hidden = NOT is_hidden",
            "DELETE FROM gateway.inbox WHERE event_id::int % 7 = 1 AND random() < 0.1",
        )
    assert process.returncode == ExitCode.OK, process.communicate()
    process.communicate()
    assert libctl("backup", "verify", tmp_path / "b", dsn=library).code == ExitCode.OK


def test_a_folder_that_is_there_is_not_touched(libctl, library, tmp_path):
    refused = libctl("backup", "create", tmp_path, dsn=library)
    assert refused.code == ExitCode.PRECONDITION
    assert list(tmp_path.iterdir()) == []


def test_a_schema_of_an_unknown_package_is_not_left_out_silently(libctl, library, tmp_path, execute):
    execute(library, "CREATE SCHEMA eighth; CREATE TABLE eighth.alembic_version (version_num text)")
    refused = libctl("backup", "create", tmp_path / "b", dsn=library)
    assert refused.code == ExitCode.FAILED
    assert "eighth" in refused.err
    assert libctl("backup", "create", tmp_path / "b", "--leave-out", "eighth").code == ExitCode.OK


def test_an_empty_database_is_no_backup(libctl, database, tmp_path):
    refused = libctl("backup", "create", tmp_path / "b", dsn=database)
    assert refused.code == ExitCode.NOT_FOUND
    assert list(tmp_path.iterdir()) == []


def test_a_pg_dump_older_than_the_server_is_refused(libctl, library, tmp_path):
    old = tmp_path / "bin" / "pg_dump"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 14.2 (Debian 14.2-1)'\n")
    old.chmod(0o755)
    refused = libctl("backup", "create", tmp_path / "b", dsn=library, LIBCTL_PG_BIN=str(old.parent))
    assert refused.code == ExitCode.PRECONDITION
    assert "PostgreSQL 14" in refused.err
    assert "LIBCTL_PG_BIN" in refused.err
    assert not (tmp_path / "b.partial").exists()


@pytest.mark.long
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.long)]
)
def test_an_interrupted_backup_leaves_nothing(libctl, library, tmp_path, number, code):
    process = libctl.start("backup", "create", tmp_path / "b", dsn=library)
    ended, out, printed = ends(process, "dumping", number)
    assert (ended, out) == (code, ""), printed
    assert "Traceback" not in printed
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []


@pytest.mark.long
def test_a_killed_backup_leaves_no_backup_and_can_be_repeated(libctl, library, tmp_path):
    partial = tmp_path / "b.partial"
    process = libctl.start("backup", "create", tmp_path / "b", dsn=library)
    ends(process, "dumping", signal.SIGKILL)
    assert not (tmp_path / "b").exists()
    (partial / "dump").mkdir(parents=True, exist_ok=True)
    (partial / "dump" / "half.dat.gz").write_text("half")
    refused = libctl("backup", "verify", partial, dsn=library)
    assert refused.code == ExitCode.NOT_FOUND
    assert "never finished" in refused.err
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (made := libctl("backup", "create", tmp_path / "b", dsn=library)).code == ExitCode.PRECONDITION:
        assert time.monotonic() < deadline  # its pg_dump may still be there, and holds the lock
    assert made.code == ExitCode.OK, made.err
    assert "starts from scratch" in made.err
    assert not partial.exists()
    assert not (tmp_path / "b" / "dump" / "half.dat.gz").exists()


@pytest.mark.long
def test_two_backups_do_not_write_to_one_folder(libctl, library, tmp_path):
    process = libctl.start("backup", "create", tmp_path / "b", dsn=library)
    assert any("dumping" in line for line in process.stderr)
    process.send_signal(signal.SIGSTOP)
    try:
        refused = libctl("backup", "create", tmp_path / "b", dsn=library)
    finally:
        process.send_signal(signal.SIGCONT)
    assert refused.code == ExitCode.PRECONDITION
    process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == ExitCode.OK
    assert libctl("backup", "verify", tmp_path / "b").code == ExitCode.OK


def test_a_corrupted_file_is_named_and_nothing_is_loaded(libctl, backup, server, databases):
    largest = max((backup / "dump").iterdir(), key=lambda path: path.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 1
    largest.write_bytes(content)
    (backup / "dump" / "more").touch()
    gone = min((path for path in (backup / "dump").glob("*.gz")), key=lambda path: path.name)
    gone.unlink()
    found = libctl("backup", "verify", backup, "--json", dsn=server)
    assert (found.code, found.data["well"], found.data["loaded"]) == (ExitCode.FAILED, False, False)
    differences = {(difference["where"], difference["what"]) for difference in found.data["differences"]}
    assert differences == {
        (f"dump/{largest.name}", "file"),
        (f"dump/{gone.name}", "missing"),
        ("dump/more", "unexpected"),
    }
    assert "loading" not in found.err
    assert largest.name in libctl("backup", "verify", backup).out


def test_a_manifest_that_was_changed_is_not_believed(libctl, backup, server):
    manifest = backup / "manifest.json"
    content = manifest.read_text()
    for change in (content.replace('"rows": 300', '"rows": 301', 1), content[:-20], "[]", "{}"):
        manifest.write_text(change)
        refused = libctl("backup", "verify", backup, "--json", dsn=server)
        assert refused.code == ExitCode.FAILED
        assert json.loads(refused.err.splitlines()[-1])["error"]["code"] == "BACKUP_DAMAGED"
    later = json.loads(content) | {"format": 2}
    manifest.write_text(json.dumps(later))
    assert "format 2" in libctl("backup", "verify", backup).err


def test_what_was_changed_lost_and_added_is_found_row_by_row(libctl, library, tmp_path, execute, postgres):
    """A dump of another state, under the manifest of this one: the result of a faulty pg_restore."""
    here, there = tmp_path / "here", tmp_path / "there"
    execute(library, "DELETE FROM gateway.backups")
    libctl("backup", "create", here, dsn=library)
    execute(
        library,
        "UPDATE library.products SET title_ru = 'другое' WHERE product_id = md5('7')::uuid",
        "DELETE FROM gateway.outbox WHERE topic LIKE '%7'",
        "DROP INDEX gateway.ix_feed_occurred_at",
        "DROP TABLE wishlist.sale_fanouts",
        "CREATE TABLE library.extra (id int)",
        "ALTER TABLE gateway.outbox ALTER COLUMN id RESTART WITH 5",
        "DELETE FROM gateway.backups",  # the note of the first one
    )
    libctl("backup", "create", there)
    shutil.rmtree(here / "dump")
    shutil.copytree(there / "dump", here / "dump")
    mixed = {**json.loads((here / "manifest.json").read_text())}
    mixed["files"] = json.loads((there / "manifest.json").read_text())["files"]
    rewrite(here, mixed)
    found = libctl("backup", "verify", here, "--json")
    assert (found.code, found.data["loaded"]) == (ExitCode.FAILED, True)
    differences = {(difference["where"], difference["what"]) for difference in found.data["differences"]}
    assert differences == {
        ("library.products", "checksum"),
        ("gateway.outbox", "rows"),
        ("gateway.outbox", "checksum"),
        ("gateway.outbox_id_seq", "sequence"),
        ("gateway.feed", "shape"),
        ("wishlist.sale_fanouts", "missing"),
        ("library.extra", "unexpected"),
        ("gateway.backup_markers", "rows"),  # each of both has written one
        ("gateway.backup_markers", "checksum"),
    }
    drawn = libctl("backup", "verify", here).out
    assert headings_of(drawn) == [["where", "what", "expected", "found"]]
    assert "library.products" in drawn
    assert "другое" not in drawn


def rewrite(folder, content):
    """Writes a manifest that has the right digest."""
    from gameshelf.libctl.backup.manifest import Manifest

    content.pop("digest")
    (folder / "manifest.json").unlink()
    Manifest.model_validate(content).write(folder)


@pytest.mark.parametrize("step", ["loading", pytest.param("comparing", marks=pytest.mark.long)])
def test_an_interrupted_verification_drops_its_database(libctl, server, backup, databases, step):
    process = libctl.start("backup", "verify", backup, dsn=server)
    ended, out, printed = ends(process, step)
    assert (ended, out) == (130, ""), printed
    assert "Traceback" not in printed
    assert not databases()


@pytest.mark.long
def test_what_a_killed_verification_leaves_is_dropped_by_the_next_one(libctl, server, backup, databases):
    process = libctl.start("backup", "verify", backup, dsn=server)
    ends(process, "comparing", signal.SIGKILL)
    [left] = databases()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while left in databases():
        verified = libctl("backup", "verify", backup, dsn=server)
        assert verified.code == ExitCode.OK, verified.err
        assert time.monotonic() < deadline  # the server has to notice that the lock's holder is gone
    assert left in verified.err
    assert not databases()


@pytest.mark.long
def test_a_running_verification_keeps_its_database(libctl, server, backup, databases):
    process = libctl.start("backup", "verify", backup, dsn=server)
    assert any("comparing" in line for line in process.stderr)
    process.send_signal(signal.SIGSTOP)
    try:
        [its] = databases()
        assert libctl("backup", "verify", backup, dsn=server).code == ExitCode.OK
        assert databases() == {its}
    finally:
        process.send_signal(signal.SIGCONT)
    process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == ExitCode.OK


def test_without_the_right_to_make_databases_it_says_so(libctl, server, backup, postgres, execute):
    execute(postgres.dsn("postgres"), "DROP ROLE IF EXISTS reader", "CREATE ROLE reader LOGIN")
    refused = libctl("backup", "verify", backup, dsn=server.replace("library@", "reader:geheim@"))
    assert refused.code == ExitCode.FAILED
    assert "may make databases" in refused.err
    assert "geheim" not in refused.err


def test_a_password_stays_out_of_the_list_of_processes(libctl, library, tmp_path):
    """pg_dump is a script here, which writes down its arguments, which all users can see, and its secret."""
    seen = tmp_path / "seen"
    script = tmp_path / "bin" / "pg_dump"
    script.parent.mkdir()
    script.write_text(
        "#!/bin/sh\n[ \"$1\" = --version ] && echo 'pg_dump (PostgreSQL) 99.1' && exit\n"
        f'echo "$@" > {seen}; echo "$PGPASSWORD" > {seen}.secret; echo "error: no gehe/im" >&2; exit 1\n'
    )
    script.chmod(0o755)
    dsn = library.replace("library@", "library:gehe%2Fim@")
    failed = libctl("backup", "create", tmp_path / "b", dsn=dsn, LIBCTL_PG_BIN=str(script.parent))
    assert failed.code == ExitCode.FAILED
    assert "gehe" not in seen.read_text()
    assert (tmp_path / "seen.secret").read_text() == "gehe/im\n"
    assert "gehe" not in failed.err


def test_on_a_terminal_there_are_bars_which_end_full(libctl, server, made_backup):
    terminal, theirs = os.openpty()
    process = libctl.start("backup", "verify", made_backup, "--json", dsn=server, stderr=theirs, TERM="xterm")
    os.close(theirs)
    seen = b""
    with suppress(OSError):  # a terminal's signal that nobody writes to it any more
        while part := os.read(terminal, 65536):
            seen += part
    out, _ = process.communicate(timeout=PATIENCE_SECONDS)
    os.close(terminal)
    assert json.loads(out)["well"]
    tables = json.loads(out)["tables"]
    for step in ("loading", "comparing"):
        assert f"{tables}/{tables}" in seen.decode().rpartition(step)[2], seen
