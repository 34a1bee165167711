"""``libctl backup restore``: into a database that gets its name at the very end, also after a crash in between."""

import json
import signal
import subprocess
import time

import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.devstack.servers.postgres import binary
from gameshelf.libctl.errors import ExitCode

PG_BIN = binary("psql").parent
APPLY = ("--apply", "--reason", "ticket 7")
STEPS = ["checking", "loading", "collecting", "comparing", "marking", "giving"]


@pytest.fixture
def restores(fetch):
    """The marks of a database; None where there is no such database."""

    def of(dsn):
        name = dsn.rpartition("/")[2]
        server = dsn.removesuffix(name) + "postgres"
        if not fetch(server, "SELECT FROM pg_database WHERE datname = $1", name):
            return None
        return fetch(dsn, "SELECT restored_point, actor, reason, backup, reconciled_at FROM gateway.restores")

    return of


def test_a_restore_shows_what_it_would_do_and_does_it_only_with_apply(libctl, backup, absent, restores, databases):
    shown = libctl("backup", "restore", backup, "--json", dsn=absent)
    assert (shown.code, shown.data["applied"], shown.data["target_state"]) == (ExitCode.OK, False, "absent")
    assert "--apply" in shown.err
    assert (restores(absent), databases(), libctl.log.exists()) == (None, set(), False)

    made = libctl("backup", "restore", backup, *APPLY, "--json")
    assert (made.code, made.data["applied"], made.data["differences"]) == (ExitCode.OK, True, [])
    [mark] = restores(absent)
    manifest = json.loads((backup / "manifest.json").read_text())
    assert mark["restored_point"].isoformat().replace("+00:00", "Z") == manifest["restored_point"]
    assert (mark["reason"], mark["backup"]) == ("ticket 7", str(backup))
    assert "@" in mark["actor"]
    assert mark["reconciled_at"] is None
    assert "saves reconcile" in made.err
    assert not databases()
    started, done = libctl.logged()
    assert (started["what"], started["plan"]["digest"]) == ("backup restore", manifest["digest"])
    assert (done["state"], done["result"]["restored"]) == ("done", True)


def test_what_was_restored_is_what_was_there(libctl, backup, postgres, filled, absent, fetch):
    libctl("backup", "restore", backup, *APPLY, dsn=absent)
    for table in (
        "library.products",
        "playtime.playtime_sessions",
        "achievements.achievement_metadata",
    ):
        query = f"SELECT t::text FROM {table} AS t ORDER BY 1"
        assert fetch(absent, query) == fetch(postgres.dsn(filled), query)
    assert libctl("db", "check", "--package", "library", dsn=absent).code == ExitCode.OK
    # Values that devices have from the lost time are not valid any more: each package has done its part of the mark.
    for query in (
        "SELECT min(revision) FROM settings.game_specific_settings",
        "SELECT min(version) FROM gateway.user_streams",
    ):
        assert fetch(absent, query)[0]["min"] > 1000
    added = (
        "INSERT INTO gateway.outbox (shard, user_id, topic, value) VALUES (1, gen_random_uuid(), 't', '') RETURNING id"
    )
    assert fetch(absent, added)[0]["id"] > 300  # its sequence continues, too
    assert fetch(
        absent,
        "SELECT count(*) > 0 AS any FROM pg_statistic s JOIN pg_class c ON c.oid = s.starelid "
        "WHERE c.relname = 'products'",
    )[0]["any"]


@pytest.mark.parametrize("columns", [80, pytest.param(120, marks=pytest.mark.long)])
def test_it_prints_the_next_steps_in_lines_that_fit(libctl, backup, absent, columns):
    shown = libctl("backup", "restore", backup, dsn=absent, COLUMNS=str(columns))
    assert "(will be made)" in " ".join(shown.out.split())
    made = libctl("backup", "restore", backup, *APPLY)
    assert "all counts and checksums match" in made.out
    assert max(len(line) for line in (shown.out + made.out).splitlines()) <= columns
    assert "Next:" in made.err


def test_a_database_with_data_is_not_replaced(libctl, backup, library, fetch, databases):
    for words in ((), APPLY):
        refused = libctl("backup", "restore", backup, *words, dsn=library)
        assert refused.code == ExitCode.PRECONDITION
        assert "RENAME TO" in refused.err
    assert fetch(library, "SELECT count(*) AS n FROM library.products")[0]["n"] == 50
    assert (databases(), libctl.log.exists()) == (set(), False)


def test_a_database_with_tables_of_others_is_not_moved_aside(libctl, backup, database, execute):
    execute(database, "CREATE TABLE accounts (id int)")
    refused = libctl("backup", "restore", backup, *APPLY, dsn=database)
    assert refused.code == ExitCode.PRECONDITION
    assert "public.accounts" in refused.err


def test_an_empty_database_goes_aside_and_is_not_dropped(
    libctl, backup, database, restores, databases, execute, server
):
    made = libctl("backup", "restore", backup, *APPLY, "--json", dsn=database)
    assert made.code == ExitCode.OK, made.err
    assert databases() == {made.data["renamed_aside"]}
    assert len(restores(database)) == 1
    assert f'DROP DATABASE "{made.data["renamed_aside"]}"' in made.err
    execute(server, f'DROP DATABASE "{made.data["renamed_aside"]}"')


def test_a_database_in_use_is_left_to_who_uses_it(libctl, backup, database):
    user = subprocess.Popen([PG_BIN / "psql", database], stdin=subprocess.PIPE, env={"PGAPPNAME": "gameshelf-gateway"})
    user.stdin.write(b"SELECT 1;\n")
    user.stdin.flush()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "gameshelf-gateway (1)" not in (refused := libctl("backup", "restore", backup, dsn=database)).err:
        assert time.monotonic() < deadline
    assert refused.code == ExitCode.PRECONDITION
    assert "stop the service" in refused.err
    user.communicate()
    assert libctl("backup", "restore", backup).code == ExitCode.OK


@pytest.mark.long
@pytest.mark.parametrize("step", STEPS)
def test_a_restore_that_is_killed_leaves_the_name_alone_and_is_repeated(
    libctl, backup, absent, restores, databases, step
):
    process = libctl.start("backup", "restore", backup, *APPLY, dsn=absent)
    for line in process.stderr:
        if line.startswith(step):
            process.kill()
    process.communicate(timeout=PATIENCE_SECONDS)
    # No database has the name, or (killed right after its last commit) a complete and marked one has it.
    if process.returncode == 0 or restores(absent) is not None:
        assert step == STEPS[-1]
        assert len(restores(absent)) == 1
        return
    assert [entry["state"] for entry in libctl.logged()] == ["started"]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (made := libctl("backup", "restore", backup, *APPLY, "--json", dsn=absent)).code != ExitCode.OK:
        assert time.monotonic() < deadline, made.err
    assert len(restores(absent)) == 1


@pytest.mark.long
@pytest.mark.parametrize("step", [pytest.param("checking", marks=pytest.mark.long), "loading"])
def test_an_interrupted_load_leaves_nothing(libctl, backup, absent, restores, databases, step):
    process = libctl.start("backup", "restore", backup, *APPLY, dsn=absent)
    for line in process.stderr:
        if line.startswith(step):
            process.send_signal(signal.SIGINT)
            break
    _, printed = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == ExitCode.INTERRUPTED, printed
    assert "Traceback" not in printed
    assert (restores(absent), databases()) == (None, set())
    assert [entry["state"] for entry in libctl.logged()] == ["started", "interrupted"]


@pytest.mark.long
def test_a_load_that_was_interrupted_is_resumed(libctl, backup, absent, restores, databases):
    process = libctl.start("backup", "restore", backup, *APPLY, dsn=absent)
    for line in process.stderr:
        if line.startswith("comparing"):
            process.send_signal(signal.SIGINT)
            break
    _, printed = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == ExitCode.INTERRUPTED, printed
    [left] = databases()
    assert left in printed
    assert left in libctl("backup", "restore", backup, dsn=absent).out.replace("\n", "")
    made = libctl("backup", "restore", backup, *APPLY)
    assert made.code == ExitCode.OK, made.err
    assert f"resuming with {left}" in made.err
    assert "loading" not in made.err
    assert (len(restores(absent)), databases()) == (1, set())


def test_a_damaged_backup_is_not_restored(libctl, backup, absent, restores, databases):
    largest = max((backup / "dump").iterdir(), key=lambda path: path.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-1])
    failed = libctl("backup", "restore", backup, *APPLY, "--json", dsn=absent)
    assert (failed.code, failed.data["applied"]) == (ExitCode.FAILED, False)
    assert [difference["what"] for difference in failed.data["differences"]] == ["file"]
    assert (restores(absent), databases()) == (None, set())
    assert libctl.logged()[-1]["result"]["restored"] is False


def test_without_a_mark_there_is_no_restore(libctl, library, absent, restores, databases, execute, tmp_path):
    execute(library, "ALTER FUNCTION gateway.mark_restored RENAME TO other")
    libctl("backup", "create", tmp_path / "b", dsn=library)
    refused = libctl("backup", "restore", tmp_path / "b", *APPLY, dsn=absent)
    assert refused.code == ExitCode.FAILED
    assert "mark_restored" in refused.err
    [left] = databases()
    assert restores(absent) is None
    execute(library, f'DROP DATABASE "{left}"')


def test_an_older_backup_is_brought_up_to_this_version(libctl, library, absent, execute, tmp_path):
    """The packages that it lacks get their schemas: the service starts on what was restored."""
    execute(library, "DROP SCHEMA wishlist CASCADE")
    libctl("backup", "create", tmp_path / "b", dsn=library)
    made = libctl("backup", "restore", tmp_path / "b", *APPLY, "--json", dsn=absent)
    assert (made.code, made.data["migrated"]) == (ExitCode.OK, ["wishlist"]), made.err
    assert libctl("db", "check", "--package", "wishlist", dsn=absent).code == ExitCode.OK


def test_without_a_log_nothing_is_restored(libctl, backup, absent, restores, databases, tmp_path):
    (tmp_path / "file").touch()
    refused = libctl("backup", "restore", backup, *APPLY, dsn=absent, LIBCTL_LOG=str(tmp_path / "file" / "log"))
    assert refused.code == ExitCode.FAILED
    assert (restores(absent), databases()) == (None, set())
