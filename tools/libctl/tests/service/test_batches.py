"""Changes of many players by ``--users-file``: the dry run, the batch, its end in the middle, and its undo."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import grpc
import httpx
import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS, on_one_server

from ..shown_tables import tables_of
from .refusing_proxy import RefusingProxy

GIB = 1024**3


@pytest.fixture(autouse=True)
def batches(tmp_path, monkeypatch):
    folder = tmp_path / "batches"
    monkeypatch.setenv("LIBCTL_BATCHES", str(folder))
    return folder


@pytest.fixture
def write(tmp_path):
    """Writes a list of players."""

    def make(*lines, name="players.txt"):
        path = tmp_path / name
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    return make


@pytest.fixture
def players():
    return [uuid4() for _ in range(6)]


def plan(somebody, path, *words):
    return somebody.data(*words, "--users-file", path, "--rate", 1000)


def apply(somebody, batch, *words, reason="a promotion of the studio"):
    return somebody.run("--json", *words, "--batch", batch, "--rate", 1000, "--apply", "--reason", reason)


def limits(somebody, players):
    return [somebody.data("quota", "show", one)["limit_bytes"] // GIB for one in players]


def test_a_dry_run_shows_what_many_players_get_and_changes_nothing(support, write, players):
    support.applies("quota", "set", players[0], "2GiB")
    path = write("user_id", "# those of the promotion", *players, "", str(players[1]).upper())
    ran = support.run("quota", "set", "2GiB", "--users-file", path, "--rate", 1000)
    assert ran.code == 0, ran.err
    assert tables_of(ran.out) == [(["players", "what", "before", "after"], [["5", "limit_bytes", "-", str(2 * GIB)]])]
    found = plan(support, path, "quota", "set", "2GiB")
    assert (found["players"], found["planned"], found["unchanged"], found["listed_twice"]) == (6, 5, 1, 1)
    assert found["differences"] == [{"what": f"limit_bytes\t-\t{2 * GIB}", "players": 5}]
    assert "libctl quota set 2GiB --rate 1000 --batch " in ran.err
    assert limits(support, players) == [2, 1, 1, 1, 1, 1]


def test_a_batch_is_applied_audited_and_undone_by_its_id(support, write, players):
    batch = plan(support, write(*players), "quota", "set", "2GiB")["batch_id"]
    done = apply(support, batch, "quota", "set", "2GiB")
    assert done.code == 0, done.err
    assert done.data["applied"] == 6
    assert limits(support, players) == [2] * 6
    entries = support.data("audit", "list", "--batch", batch)["entries"]
    assert {one["user_id"] for one in entries} == set(map(str, players))
    assert {(one["batch_id"], one["reason"]) for one in entries} == {(batch, "a promotion of the studio")}
    again = apply(support, batch, "quota", "set", "2GiB")
    assert (again.code, len(support.data("audit", "list", "--batch", batch)["entries"])) == (0, 6)

    seen = support.data("audit", "undo", batch, "--rate", 1000)
    assert (seen["planned"], limits(support, players)) == (6, [2] * 6)
    undone = support.data("audit", "undo", batch, "--rate", 1000, "--apply", "--reason", "the wrong promotion")
    assert (undone["applied"], limits(support, players)) == (6, [1] * 6)
    assert support.refused("audit", "undo", batch) == (3, "NOT_FOUND")
    assert len(support.data("audit", "list", "--batch", batch)["entries"]) == 12


def test_a_batch_makes_each_change_once_even_if_its_journal_forgets(support, write, players, batches):
    """What an end between the answer and its record leaves: the service has made a change that the journal lacks."""
    product = uuid4()
    words = ("playtime", "correct", product, "--add", "1h")
    batch = plan(support, write(*players), *words)["batch_id"]
    assert apply(support, batch, *words).data["applied"] == 6
    with sqlite3.connect(batches / f"{batch}.sqlite") as journal:
        journal.execute("UPDATE items SET state = 'planned', audit_id = '' WHERE line > 2")
    journal.close()
    again = apply(support, batch, *words)
    assert (again.code, again.data["applied"]) == (0, 6)
    assert len(support.data("audit", "list", "--batch", batch)["entries"]) == 6
    for one in players:
        [shown] = support.data("playtime", "show", one)["products"]
        assert shown["corrected_seconds"] == 3600


def test_an_interrupted_undo_continues_and_undoes_nothing_twice(support, write, players, batches):
    batch = plan(support, write(*players), "quota", "set", "2GiB")["batch_id"]
    apply(support, batch, "quota", "set", "2GiB")
    undo = ("audit", "undo", batch, "--rate", 1000)
    support.data(*undo)
    why = ("--apply", "--reason", "the wrong promotion")
    support.data(*undo, *why)
    with sqlite3.connect(batches / f"{batch}.undo.sqlite") as journal:
        journal.execute("UPDATE items SET state = 'planned' WHERE line > 2")
    journal.close()
    assert support.data(*undo, *why)["applied"] == 6
    assert len(support.data("audit", "list", "--batch", batch, "--command", "audit undo")["entries"]) == 6


def test_an_undo_that_has_nothing_to_do_says_so(support, write, players, batches):
    words = ("quota", "set", "2GiB")
    batch = plan(support, write(*players), *words)["batch_id"]
    with sqlite3.connect(batches / f"{batch}.sqlite") as journal:
        journal.execute("UPDATE items SET state = 'refused' WHERE line > 3")
    journal.close()
    assert apply(support, batch, *words).data["applied"] == 3
    undo = ("audit", "undo", batch, "--rate", 1000)
    assert support.data(*undo)["planned"] == 3
    with sqlite3.connect(batches / f"{batch}.sqlite") as journal:
        journal.execute("UPDATE items SET state = 'planned' WHERE line > 3")
    journal.close()
    assert apply(support, batch, *words).data["applied"] == 6
    late = support.run(*undo, "--apply", "--reason", "the wrong promotion")
    assert (late.code, "the batch has changed more since" in late.err) == (4, True)
    assert limits(support, players) == [2] * 6

    assert support.data(*undo)["planned"] == 6
    with sqlite3.connect(batches / f"{batch}.undo.sqlite") as journal:  # as the end of the process leaves it
        journal.execute("DELETE FROM items")
        journal.execute("DELETE FROM about WHERE name = 'newest'")
    journal.close()
    empty = support.run(*undo, "--apply", "--reason", "the wrong promotion")
    assert (empty.code, "was interrupted before it had read the batch" in empty.err) == (4, True)

    assert support.data(*undo)["planned"] == 6
    assert support.data(*undo, "--apply", "--reason", "the wrong promotion")["applied"] == 6
    again = support.run(*undo, "--apply", "--reason", "the wrong promotion")
    assert (again.code, "nothing is left to undo" in again.err, "6 changes are undone" in again.err) == (4, True, True)


def test_the_dry_run_of_a_batch_that_was_made_says_so(support, write, players):
    batch = plan(support, write(*players), "quota", "set", "2GiB")["batch_id"]
    apply(support, batch, "quota", "set", "2GiB")
    ran = support.run("quota", "set", "2GiB", "--batch", batch)
    assert ran.code == 0
    assert "Nothing is left to change." in ran.err
    assert f"libctl audit undo {batch}" in ran.err
    assert "got no entry" not in ran.err


def test_who_was_changed_or_erased_meanwhile_is_an_exception(support, admin, write, players, batches):
    batch = plan(support, write(*players), "quota", "set", "2GiB")["batch_id"]
    support.applies("quota", "set", players[1], "5GiB")
    admin.applies("user", "erase", players[2], "--confirm", players[2])
    done = apply(support, batch, "quota", "set", "2GiB")
    assert done.code == 1
    assert (done.data["applied"], done.data["failed"]) == (4, 2)
    assert {(one["code"], tuple(one["words"])) for one in done.data["exceptions"]} == {
        ("PRECONDITION_FAILED", (str(players[1]),)),
        ("NOT_FOUND", (str(players[2]),)),
    }
    again = support.run("--json", "quota", "set", "2GiB", "--users-file", done.data["exceptions_file"])
    assert (again.code, again.data["planned"], again.data["refused"]) == (1, 1, 1)
    shown = support.run("quota", "set", "2GiB", "--users-file", done.data["exceptions_file"], "--rate", 1000)
    headings, rows = tables_of(shown.out)[-1]
    assert headings == ["line", "exception", "why"]
    assert [row[1] for row in rows] == [str(players[2])]
    refusals = support.data("audit", "list", "--batch", batch, "--kind", "refusal")["entries"]
    assert {one["code"] for one in refusals} == {"PRECONDITION_FAILED", "NOT_FOUND"}


@pytest.fixture
def fails(platform, fetch, monkeypatch):
    """Makes PostgreSQL fail at the quotas of some players, as it does where it can't lock or read their rows."""
    monkeypatch.setattr("gameshelf.libctl.batches.work._PAUSES", (0, 0))
    drop = "DROP TRIGGER IF EXISTS fails ON savegames.savegame_quotas"

    def make(sqlstate, *players):
        body = f"BEGIN RAISE EXCEPTION ''on purpose'' USING ERRCODE = ''{sqlstate}''; END"
        fetch(platform.dsn, f"CREATE OR REPLACE FUNCTION public.fails() RETURNS trigger LANGUAGE plpgsql AS '{body}'")
        fetch(platform.dsn, drop)
        whose = ", ".join(f"'{one}'" for one in players)
        fetch(
            platform.dsn,
            "CREATE TRIGGER fails BEFORE INSERT OR UPDATE ON savegames.savegame_quotas FOR EACH ROW "
            f"WHEN (NEW.user_id IN ({whose})) EXECUTE FUNCTION public.fails()",
        )

    yield make
    fetch(platform.dsn, drop)


@on_one_server("a table that is distributed has no triggers")
@pytest.mark.parametrize(
    ("sqlstate", "code", "exit_code"),
    [("55P03", "SERVICE_UNAVAILABLE", 5), ("P0001", "INTERNAL_ERROR", 1)],
    ids=["locked", "defect"],
)
def test_a_player_without_an_answer_keeps_nobody_waiting(support, write, players, fails, sqlstate, code, exit_code):
    batch = plan(support, write(*players), "quota", "set", "2GiB")["batch_id"]
    fails(sqlstate, players[0], players[1])
    for _ in range(2):
        done = apply(support, batch, "quota", "set", "2GiB")
        assert (done.code, done.data["applied"], done.data["planned"], done.data["unanswered"]) == (exit_code, 4, 2, 2)
        assert [(one["code"], *one["words"]) for one in done.data["exceptions"]] == [
            (code, str(players[0])),
            (code, str(players[1])),
        ]
        assert done.data["exceptions_file"] is None, "a new batch might make them twice"
        assert "2 were not answered: it is not known whether they are made" in done.err
    fails(sqlstate, uuid4())
    done = apply(support, batch, "quota", "set", "2GiB")
    assert (done.code, done.data["applied"], done.data["unanswered"], done.data["exceptions"]) == (0, 6, 0, [])
    assert limits(support, players) == [2] * 6
    assert len(support.data("audit", "list", "--batch", batch, "--kind", "change")["entries"]) == 6


@on_one_server("a table that is distributed has no triggers")
@pytest.mark.parametrize(("sqlstate", "exit_code"), [("55P03", 5), ("P0001", 1)], ids=["locked", "defect"])
def test_players_that_fail_for_good_keep_no_other_one_waiting(support, write, players, fails, sqlstate, exit_code):
    batch = plan(support, write(*players), "quota", "set", "2GiB")["batch_id"]
    fails(sqlstate, *players[:4])
    begun = apply(support, batch, "quota", "set", "2GiB")
    assert begun.code == exit_code
    assert "changing: 0 of 6 are done" in begun.err
    done = apply(support, batch, "quota", "set", "2GiB")
    assert (done.code, done.data["applied"], done.data["unanswered"]) == (exit_code, 2, 4)
    fails(sqlstate, *players[:3])
    done = apply(support, batch, "quota", "set", "2GiB")
    assert (done.code, done.data["applied"], done.data["unanswered"]) == (exit_code, 3, 3)
    assert limits(support, players) == [1, 1, 1, 2, 2, 2]


@on_one_server("a table that is distributed has no triggers")
@pytest.mark.parametrize(("sqlstate", "exit_code"), [("55P03", 5), ("P0001", 1)], ids=["locked", "defect"])
def test_a_batch_that_leaves_players_out_does_not_succeed(support, write, players, fails, sqlstate, exit_code):
    words = ("quota", "set", "2GiB")
    for one in players[2:4]:
        support.applies("quota", "set", one, "3GiB")  # so that an undo writes a row, too
    fails(sqlstate, *players[:2])
    planned = support.run("--json", *words, "--users-file", write(*players), "--rate", 1000)
    assert (planned.code, planned.data["planned"], planned.data["unanswered"]) == (exit_code, 4, 2)
    batch = planned.data["batch_id"]
    done = apply(support, batch, *words)
    assert (done.code, done.data["applied"]) == (1, 4), "the same command once more asks none of them"
    assert "2 are left out: the dry run got no answer" in done.err

    fails(sqlstate, *players[2:4])
    undo = ("--json", "audit", "undo", batch, "--rate", 1000)
    why = ("--apply", "--reason", "the wrong promotion")
    seen = support.run(*undo)
    assert (seen.code, seen.data["planned"], seen.data["unanswered"]) == (exit_code, 2, 2)
    undone = support.run(*undo, *why)
    assert (undone.code, undone.data["applied"]) == (1, 2)
    seen = support.run(*undo)
    assert (seen.code, seen.data["planned"], seen.data["unanswered"]) == (exit_code, 0, 2)
    nothing = support.run(*undo, *why)
    assert (nothing.code, "0 changes are undone, 2 got no answer" in nothing.err) == (4, True)

    fails(sqlstate, uuid4())
    assert support.data(*words, "--batch", batch)["planned"] == 2
    done = apply(support, batch, *words)
    assert (done.code, done.data["applied"]) == (0, 6)


@pytest.fixture
def proxy(service, support):
    """Support works through a proxy."""
    made = RefusingProxy(service.grpc)
    support.environment["LIBCTL_ENDPOINT"] = made.address
    yield made
    made.close()


def test_a_status_without_a_code_stops_a_batch_at_nobody(proxy, support, write, players):
    batch = plan(support, write(*players), "quota", "set", "2GiB")["batch_id"]
    proxy.texts = [players[0], players[3]]
    done = apply(support, batch, "quota", "set", "2GiB")
    assert (done.code, done.data["applied"], done.data["unanswered"]) == (1, 4, 2)
    assert {one["code"] for one in done.data["exceptions"]} == {"FAILED"}
    proxy.texts = []
    done = apply(support, batch, "quota", "set", "2GiB")
    assert (done.code, done.data["applied"], done.data["unanswered"]) == (0, 6, 0)


@pytest.mark.parametrize("status", ["UNAUTHENTICATED", "PERMISSION_DENIED", "UNIMPLEMENTED"])
def test_what_was_under_way_when_a_batch_stopped_is_made_once(proxy, support, write, players, status):
    batch = plan(support, write(*players), "quota", "set", "2GiB")["batch_id"]
    proxy.texts, proxy.status, proxy.passed = [players[0]], grpc.StatusCode[status], threading.Semaphore(0)

    def keep_the_first_one_waiting(request):
        if str(players[0]).encode() in request:
            for _ in range(3):
                assert proxy.passed.acquire(timeout=PATIENCE_SECONDS)

    proxy.arrived = keep_the_first_one_waiting
    stopped = apply(support, batch, "quota", "set", "2GiB")
    assert (stopped.code, "changing: 0 of 6 are done" in stopped.err, f'"{status}"' in stopped.err) == (1, True, True)
    proxy.texts, proxy.arrived = [], lambda request: None
    assert limits(support, players) == [1, 2, 2, 2, 1, 1], "three were under way behind the first one"
    done = apply(support, batch, "quota", "set", "2GiB")
    assert (done.code, done.data["applied"], done.data["unanswered"]) == (0, 6, 0)
    assert len(support.data("audit", "list", "--batch", batch, "--kind", "change")["entries"]) == 6


def test_a_few_players_are_under_way_where_answers_take_long(proxy, support, write, players):
    four = threading.Barrier(4, timeout=PATIENCE_SECONDS)
    proxy.arrived = lambda request: four.wait()
    assert plan(support, write(*players, uuid4(), uuid4()), "quota", "set", "2GiB")["planned"] == 8
    assert proxy.most == 4

    # Two changes of one player may be of the same data.
    proxy.arrived, proxy.most = lambda request: time.sleep(0.05), 0
    path = write(*(f"{one} {uuid4()}" for one in players))
    ran = support.run("uploads", "cancel", "--users-file", path, "--rate", 1000)
    assert (ran.code, proxy.most) == (1, 1)


@on_one_server("a table that is distributed has no triggers")
def test_a_service_that_answers_nobody_stops_the_batch(support, write, players, fails):
    batch = plan(support, write(*players), "quota", "set", "2GiB")["batch_id"]
    fails("55P03", *players)
    done = apply(support, batch, "quota", "set", "2GiB")
    assert done.code == 5
    assert "changing: 0 of 6 are done. To continue: libctl --json quota set 2GiB" in done.err
    fails("55P03", uuid4())
    assert apply(support, batch, "quota", "set", "2GiB").data["applied"] == 6


def test_a_limit_of_one_player_is_an_exception_of_their_line(platform, service, admin, write):
    """Its status is that of a limit of requests, which concerns all lines."""
    lines = []
    for members in (6, 1):
        owner = uuid4()
        headers = {"Authorization": f"Bearer {platform.token(owner)}"}
        with httpx.Client(base_url=service.api, headers=headers, timeout=PATIENCE_SECONDS) as http:
            for number in range(members):
                attributes = {"shared_with_user_id": str(uuid4())}
                made = http.post("/family/links", json={"data": {"attributes": attributes}})
                assert made.status_code == 201, made.text
                if not number:
                    lines.append(f"{owner} {made.json()['data']['id']}")
                    admin.applies("family", "revoke", *lines[-1].split())
    planned = admin.run("--json", "family", "reopen", "--users-file", write(*lines), "--rate", 1000)
    assert (planned.code, planned.data["planned"], planned.data["refused"]) == (1, 1, 1)
    done = apply(admin, planned.data["batch_id"], "family", "reopen")
    assert (done.code, done.data["applied"]) == (1, 1)
    assert [(one["code"], " ".join(one["words"])) for one in done.data["exceptions"]] == [
        ("FAMILY_LIMIT_EXCEEDED", lines[0])
    ]


def test_accounts_are_erased_by_their_number_and_once(admin, write, players, batches):
    batch = plan(admin, write(*players), "user", "erase")["batch_id"]
    assert apply(admin, batch, "user", "erase").code == 2
    done = apply(admin, batch, "user", "erase", "--confirm", 6)
    assert (done.code, done.data["applied"]) == (0, 6)
    with sqlite3.connect(batches / f"{batch}.sqlite") as journal:
        journal.execute("UPDATE items SET state = 'planned'")
    journal.close()
    assert apply(admin, batch, "user", "erase", "--confirm", 6).data["applied"] == 6
    assert admin.refused("audit", "undo", batch)[0] == 3


def test_a_line_may_name_what_is_the_players_own(support, saver, write):
    one, two = saver.saves(b"one", b"two", slot="a"), saver.saves(b"three", b"four", slot="b")
    path = write(f"{saver.id},{one}", f"{saver.id},{two}")
    batch = plan(support, path, "saves", "restore", "--version", 1)["batch_id"]
    assert apply(support, batch, "saves", "restore", "--version", 1).data["applied"] == 2
    undone = support.data("audit", "undo", batch)
    assert undone["planned"] == 2


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("nonsense9", "line 2: 'nonsense9' is not a whole id, and a list has no shortened ones"),
        ("3f2b8c1e", "line 2: '3f2b8c1e' is not a whole id, and a list has no shortened ones"),
        (f"{uuid4()} {uuid4()}", "line 2: it has 2 words instead of USER"),
        ("x" * 5000, "line 2: it is too long"),
    ],
    ids=["no id", "shortened", "two ids", "long"],
)
def test_a_line_that_is_no_player_stops_the_dry_run_before_it_begins(support, write, players, batches, line, problem):
    ran = support.run("quota", "set", "2GiB", "--users-file", write(players[0], line, players[1]))
    assert ran.code == 2
    assert f"the list can't be read: {problem}\n" in ran.err
    assert list(batches.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--users-file", "FILE", "--apply", "--reason", "a good reason"), "need a dry run first"),
        (("--users-file", "nowhere.txt"), "nowhere.txt can't be read"),
        (("--users-file", os.devnull), "the list is empty"),
        (("--batch", uuid4()), "no journal of batch"),
        (("--batch", "x"), "not a valid UUID"),
    ],
)
def test_what_is_no_batch_is_refused_and_named(support, write, players, words, said):
    words = [write(*players) if word == "FILE" else word for word in words]
    ran = support.run("quota", "set", "2GiB", *words)
    assert ran.code in (2, 3)
    assert said in ran.err


def test_a_batch_is_applied_by_its_own_command_and_on_its_own_service(support, write, players, batches):
    batch = plan(support, write(*players), "quota", "set", "2GiB")["batch_id"]
    for words in (("quota", "set", "3GiB"), ("quota", "reset")):
        ran = support.run(*words, "--batch", batch, "--apply", "--reason", "another promotion")
        assert (ran.code, "planned by libctl quota set" in ran.err) == (2, True)
    address = support.environment["LIBCTL_ENDPOINT"].replace("127.0.0.1", "localhost")
    ran = support.run("quota", "set", "2GiB", "--batch", batch, LIBCTL_ENDPOINT=address)
    assert (ran.code, "this batch was planned on" in ran.err) == (2, True)
    with sqlite3.connect(batches / f"{batch}.sqlite") as journal:
        journal.execute("PRAGMA user_version = 0")
    journal.close()
    ran = support.run("quota", "set", "2GiB", "--batch", batch)
    assert (ran.code, "the journal of this batch is of another libctl" in ran.err) == (4, True)


def test_a_batch_continues_with_a_new_token(platform, support, write, players):
    batch = plan(support, write(*players), "quota", "set", "2GiB")["batch_id"]
    expired = platform.issuer.issue(str(support.id), ("support",), ttl=-3600)
    words = ("quota", "set", "2GiB", "--batch", batch, "--apply", "--reason", "a promotion of the studio")
    ran = support.run(*words, LIBCTL_TOKEN=expired)
    assert ran.code == 1
    assert "it expired" in ran.err
    assert f"changing: 0 of 6 are done. To continue: libctl quota set 2GiB --batch {batch} --apply" in ran.err
    assert apply(support, batch, "quota", "set", "2GiB").data["applied"] == 6


def test_one_process_at_a_time_works_on_a_batch(support, write, players):
    batch = plan(support, write(*players), "quota", "set", "2GiB")["batch_id"]
    words = ("quota", "set", "2GiB", "--batch", batch, "--apply", "--reason", "twice at the same time", "--rate", 2)
    with ThreadPoolExecutor(2) as pool:
        codes = sorted(pool.map(lambda _: support.process(*words), range(2)))
    assert codes == [0, 4]
    assert len(support.data("audit", "list", "--batch", batch)["entries"]) == 6


def start(somebody, *words):
    command = [sys.executable, "-m", "gameshelf.libctl", "--json", *map(str, words)]
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen(command, env={**os.environ, **somebody.environment}, text=True, **streams)


def test_a_list_comes_from_standard_input_too(support, players):
    process = start(support, "quota", "set", "2GiB", "--users-file", "-", "--rate", 1000)
    out, err = process.communicate("\ufeffuser\n" + "\n".join(map(str, players)))
    assert process.returncode == 0, err
    assert f'"players": {len(players)}' in out


def test_ctrl_c_says_how_to_continue(support, write, players, platform, fetch):
    batch = plan(support, write(*players), "quota", "set", "2GiB")["batch_id"]
    words = ("quota", "set", "2GiB", "--batch", batch, "--apply", "--reason", "a promotion of the studio")
    begun = time.monotonic()
    process = start(support, *words, "--rate", 2)
    query = "SELECT count(*) FROM gateway.audit WHERE batch_id = $1 AND kind = 'change'"
    while not fetch(platform.dsn, query, batch)[0][0]:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130, err
    assert "of 6 are done. To continue: libctl " in err
    assert f'--batch {batch} --apply --reason "…"' in err
    again = start(support, *words, "--rate", 2)
    _, err = again.communicate()
    assert again.returncode == 0, err
    assert limits(support, players) == [2] * 6
    assert time.monotonic() - begun > 5 / 2, "the rate is kept"
