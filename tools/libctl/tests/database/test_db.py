"""``libctl db``: the state of schemas, their differences, and migrations."""

from pathlib import Path

import pytest
from gameshelf.libctl.errors import ExitCode
from gameshelf.libctl.packages import installed

from ..shown_tables import headings_of

FOLDERS = Path(__file__).parents[4] / "packages"
PACKAGES = {"gateway", *(path.parent.name for path in FOLDERS.glob("*/pyproject.toml"))} - {"kernel"}


def test_every_package_with_a_schema_is_found_without_an_import():
    assert set(installed()) == PACKAGES


def test_an_empty_database_is_brought_up_to_date_on_request_only(libctl, database):
    assert {schema["state"] for schema in libctl("db", "status", "--json", dsn=database).data["schemas"]} == {"absent"}
    checked = libctl("db", "check", "--json")
    assert (checked.code, checked.data["well"]) == (ExitCode.FAILED, False)

    shown = libctl("--json", "db", "migrate")
    assert (shown.code, shown.data["applied"]) == (ExitCode.OK, False)
    assert {migration["package"] for migration in shown.data["migrations"]} == PACKAGES
    assert {schema["state"] for schema in libctl("db", "status", "--json").data["schemas"]} == {"absent"}
    assert not libctl.log.exists()

    made = libctl("db", "migrate", "--apply", "--reason", " ticket 7 ", "--json")
    assert (made.code, made.data["applied"], made.data["migrations"]) == (0, True, shown.data["migrations"])
    assert {schema["state"] for schema in made.data["schemas"]} == {"current"}
    started, done = libctl.logged()
    assert (started["state"], done["state"], done["reason"]) == ("started", "done", "ticket 7")
    assert set(done["result"]["migrated"]) == PACKAGES
    assert started["change"] == done["change"]

    assert libctl("db", "check").code == ExitCode.OK
    again = libctl("db", "migrate", "--apply", "--reason", "again", "--json")
    assert (again.data["applied"], again.data["migrations"], len(libctl.logged())) == (False, [], 2)


def test_one_package_may_be_chosen(libctl, database):
    libctl("db", "migrate", "--package", "wishlist", "--apply", "--reason", "first", dsn=database)
    states = {schema["schema"]: schema["state"] for schema in libctl("db", "status", "--json").data["schemas"]}
    assert {name for name, state in states.items() if state == "current"} == {"wishlist"}
    assert headings_of(libctl("db", "migrate").out) == [["package", "revision", "migration"]]
    unknown = libctl("db", "check", "--package", "wishes")
    assert unknown.code == ExitCode.NOT_FOUND
    assert "wishlist" in unknown.err


def test_status_is_a_table_and_talk_goes_elsewhere(libctl, library, execute):
    execute(library, "ANALYZE")
    for columns in (80, 120):
        status = libctl("db", "status", dsn=library, COLUMNS=str(columns))
        assert max(map(len, status.out.splitlines())) <= columns
        [row] = [line.split() for line in status.out.splitlines() if line.startswith("library ")]
        assert (row[3], row[5]) == ("current", "~353")
        assert not status.err
    assert headings_of(status.out) == [["schema", "revision", "needed", "state", "tables", "rows", "size"]]


def test_what_a_newer_version_has_migrated_is_left_alone(libctl, library, execute):
    execute(library, "UPDATE wishlist.alembic_version SET version_num = '9999'")
    states = {one["schema"]: one["state"] for one in libctl("db", "status", "--json", dsn=library).data["schemas"]}
    assert states["wishlist"] == "newer"
    assert libctl("db", "migrate", "--json").data["migrations"] == []
    assert libctl("db", "check").code == ExitCode.OK


def test_check_names_what_was_changed_by_hand(libctl, library, execute):
    execute(
        library, "ALTER TABLE wishlist.wishlist_items ADD COLUMN extra int", "DROP INDEX gateway.ix_feed_occurred_at"
    )
    found = libctl("db", "check", dsn=library)
    assert found.code == ExitCode.FAILED
    assert "ix_feed_occurred_at" in found.out
    assert headings_of(found.out) == [["package", "found"]]
    assert "extra" in found.out
    checked = {one["package"]: one["differences"] for one in libctl("db", "check", "--json").data["packages"]}
    assert {name for name, differences in checked.items() if differences} == {"wishlist", "gateway"}


def test_without_a_log_nothing_is_changed(libctl, database, tmp_path):
    (tmp_path / "file").touch()
    refused = libctl(
        "db", "migrate", "--apply", "--reason", "x", dsn=database, LIBCTL_LOG=str(tmp_path / "file" / "log")
    )
    assert refused.code == ExitCode.FAILED
    assert "nothing was changed" in refused.err
    assert "LIBCTL_LOG" in refused.err
    assert {schema["state"] for schema in libctl("db", "status", "--json").data["schemas"]} == {"absent"}


def test_the_log_is_under_the_state_home_unless_it_is_named(libctl, database, tmp_path, monkeypatch):
    libctl("db", "migrate", "--apply", "--reason", "x", dsn=database, LIBCTL_LOG="", XDG_STATE_HOME=str(tmp_path))
    log = tmp_path / "libctl" / "changes.jsonl"
    assert log.stat().st_mode & 0o777 == 0o600
    assert len(log.read_text().splitlines()) == 2


def test_a_migration_that_fails_is_refused_and_logged(libctl, database, execute):
    execute(database, "CREATE SCHEMA wishlist; CREATE TABLE wishlist.wishlist_items (id int)")
    failed = libctl("db", "migrate", "--apply", "--reason", "x", dsn=database)
    assert failed.code == ExitCode.FAILED
    assert "wishlist_items" in failed.err
    assert "Traceback" not in failed.err
    *_, last = libctl.logged()
    assert (last["state"], "wishlist" in last["result"]["migrated"]) == ("failed", False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--apply",), "--reason"),
        (("--apply", "--reason", "  "), "--reason"),
        (("--reason", "x"), "--apply"),
        (("--apply", "--reason", "x" * 501), "500"),
    ],
)
def test_a_change_needs_apply_and_a_reason(libctl, database, words, said):
    refused = libctl("db", "migrate", *words, dsn=database)
    assert refused.code == ExitCode.USAGE
    assert said in refused.err


@pytest.mark.parametrize(
    ("dsn", "code"),
    [
        ("postgresql://library:gehe%2Fim@127.0.0.1:1/x", ExitCode.UNAVAILABLE),
        ("postgresql://library:gehe/im@127.0.0.1:1/x", ExitCode.USAGE),
        ("postgresql://library@127.0.0.1:1/x?password=gehe/im", ExitCode.UNAVAILABLE),
        ("gehe/im", ExitCode.USAGE),
        ("", ExitCode.USAGE),
    ],
)
def test_a_password_is_never_shown(libctl, dsn, code, tmp_path):
    for words in (("db", "status"), ("db", "check", "--json"), ("backup", "create", tmp_path / "backup")):
        refused = libctl(*words, dsn=dsn, POSTGRES_DSN=dsn)
        assert (refused.code, refused.out) == (code, "")
        assert "gehe" not in refused.err
        assert refused.err


def test_a_wrong_password_and_an_absent_database_are_distinguished(libctl, postgres, absent, execute):
    assert libctl("db", "status", dsn=absent).code == ExitCode.NOT_FOUND
    execute(postgres.dsn("postgres"), "DROP ROLE IF EXISTS nobody", "CREATE ROLE nobody LOGIN")
    refused = libctl("db", "migrate", "--apply", "--reason", "x", dsn=postgres.dsn().replace("library@", "nobody:no1@"))
    assert refused.code == ExitCode.FAILED
    assert "no1" not in refused.err
    assert "no1" not in libctl.log.read_text()
