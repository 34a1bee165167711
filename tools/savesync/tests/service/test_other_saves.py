"""Other saves of a game: copies of conflicts, deleted ones, several conflicts, and games that are not synchronised."""

import json
import socket
from contextlib import closing

import pytest

ENGINE = {"where": [{"path": "<home>/.local/share/Дракон/engine"}], "scope": "os"}
COPY = "main (conflict v3)"


def diverge(deck, desktop, head="deck", branch="desktop"):
    for world in "12":
        deck.put(f"worlds/w{world}/level.dat", "one")
    deck.run("sync", "--now")
    desktop.run("sync", "--now")
    deck.put("worlds/w1/level.dat", head)
    deck.run("sync", "--now")
    for world in "12":
        desktop.put(f"worlds/w{world}/level.dat", branch)


def worlds(one, other):
    return {"worlds/w1/level.dat": one, "worlds/w2/level.dat": other}


def test_the_copy_of_a_conflict_comes_back(game, deck, desktop):
    diverge(deck, desktop)
    shown = desktop.run("sync", "--now", "--on-conflict", "keep_both").splitlines()
    assert shown[1:] == [
        f"  the other side is a save of its own: {COPY}",
        f"  to have it here: savesync restore --from '{COPY}'",
    ]
    deck.run("sync", "--now")
    assert [one.files for one in (deck, desktop)] == [worlds(b"deck", b"one")] * 2
    assert f"{COPY}:" in deck.run("history").splitlines()
    deck.put("worlds/w1/level.dat", "deck, further")
    report = deck.report("restore", "--from", COPY)["slots"][0]
    assert (report["reason"], report["uploaded_bytes"]) == ("restored", 0)
    assert deck.files == worlds(b"desktop", b"desktop")
    assert game.save_of(COPY)["attributes"]["version"] == 1
    desktop.run("sync", "--now")
    assert desktop.files == deck.files
    assert desktop.report("history")[0]["comment"] == f"from {COPY}"
    deck.run("restore", "--version", "4")
    assert deck.files == worlds(b"deck, further", b"one")


def test_a_unit_of_another_save_comes_back(deck, desktop):
    diverge(deck, desktop)
    desktop.run("sync", "--now", "--on-conflict", "keep_both")
    refused = deck.run("restore", "--from", COPY, "--unit", "w9", code=1)
    assert "there is no unit 'w9'; there are 'w1', 'w2'" in refused
    deck.run("restore", "--from", COPY, "--unit", "W2")
    assert deck.files == worlds(b"deck", b"desktop")


def test_a_save_that_is_not_there_is_named(deck):
    deck.put("a.sav", "one")
    deck.run("sync", "--now")
    refused = deck.run("restore", "--from", "second", code=1)
    assert "the cloud has no save 'second' of this game; there are 'main'" in refused
    assert "--version or --from is needed" in deck.run("restore", code=2)


def test_fewer_files_of_another_save_need_no_question(game, deck, desktop):
    """The player has asked for the whole of it."""
    diverge(deck, desktop)
    for one in range(9):
        deck.put(f"worlds/w3/{one}.dat", f"{one}")
    desktop.run("sync", "--now", "--on-conflict", "keep_both")
    deck.run("restore", "--from", COPY)
    assert deck.files == worlds(b"desktop", b"desktop")
    assert game.save["attributes"]["file_count"] == 2


def test_a_save_that_was_deleted_elsewhere_is_taken_out_of_the_trash(game, deck, desktop):
    deck.put("a.sav", "one")
    deck.run("sync", "--now")
    desktop.run("sync", "--now")
    save = game.save["id"]
    assert game.api.delete(f"savegames/{save}").status_code == 204
    assert desktop.run("sync", "--now").splitlines() == [
        "main: deleted elsewhere, 1 file",
        "  the files stay here; as soon as they change, they are a new save",
        "  to have the deleted one again: savesync sync --undelete",
    ]
    assert "main: up to date, version 1, 1 file" in desktop.run("sync", "--now", "--undelete")
    assert game.save["id"] == save
    assert "main: up to date, version 1, 1 file" in deck.run("sync", "--now")


def test_a_deleted_save_beside_a_newer_one_has_another_name(game, deck, desktop):
    deck.put("a.sav", "one")
    deck.run("sync", "--now")
    desktop.run("sync", "--now")
    deleted = game.save["id"]
    assert game.api.delete(f"savegames/{deleted}").status_code == 204
    deck.put("a.sav", "two")
    deck.run("sync", "--now")
    assert game.save["id"] != deleted
    assert "  the deleted one is a save of its own: main (2)" in desktop.run("sync", "--now", "--undelete").splitlines()
    assert game.save_of("main (2)")["id"] == deleted
    deck.run("restore", "--from", "main (2)")
    assert deck.files == {"a.sav": b"one"}
    assert "main: up to date" in desktop.run("sync", "--now")


@pytest.fixture
def offline():
    """An address where nobody answers."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        yield {"LIBRARY_API": f"http://127.0.0.1:{taken.getsockname()[1]}/api/v1/library"}


def test_a_game_that_is_not_synchronised_starts_without_a_network(game, deck, desktop, offline):
    deck.put("a.sav", "one")
    deck.run("sync", "--now")
    assert "is switched on" in desktop.run("auto-sync")
    assert "is switched off" in desktop.run("auto-sync", "off")
    deck.put("a.sav", "two")
    shown = deck.run("sync", "--intent", "launch")
    assert "main: not synchronised, since that is switched off" in shown
    online = dict(deck.variables)
    deck.variables |= offline
    assert deck.run("sync", "--intent", "launch") == shown.replace(", version 1", "")
    assert deck.report("sync", "--intent", "exit", "--now")["queued"] == 0
    assert deck.report("sync", "--now", code=4)["queued"] == 1
    assert deck.report("sync", "--intent", "exit", "--now")["queued"] == 0
    deck.variables = online
    assert json.loads(deck.run("auto-sync", "on", "--json")) == {"auto_sync": True}
    assert "main: uploaded, version 2" in deck.run("sync", "--intent", "launch")


def test_each_of_two_conflicts_is_decided_by_itself(game, deck, desktop):
    game.follow(revision=2, roots={**game.policy["roots"], "engine": ENGINE})
    engines = [one.home / ".local" / "share" / "Дракон" / "engine" for one in (deck, desktop)]
    for one, engine in zip((deck, desktop), engines, strict=True):
        engine.mkdir()
        one.run("sync", "--now")
    for text, one, engine in (("deck", deck, engines[0]), ("desktop", desktop, engines[1])):
        one.put("a.sav", text)
        (engine / "options").write_text(text)
        shown = one.run("sync", "--now", code=0 if text == "deck" else 3)
    assert "decide: savesync sync --on-conflict 'main=keep_local|" in shown
    assert "decide: savesync sync --on-conflict 'main (linux)=keep_local|" in shown
    choices = ("--on-conflict", "main=keep_local", "--on-conflict", "main (linux)=later")
    report = desktop.report("sync", "--now", *choices, code=3)
    assert [(one["slot"], one["reason"]) for one in report["slots"]] == [
        ("main", "keep_local"),
        ("main (linux)", "open"),
    ]
    desktop.run("sync", "--now", "--on-conflict", "keep_cloud")
    assert (desktop.files, (engines[1] / "options").read_text()) == ({"a.sav": b"desktop"}, "deck")
    assert not game.conflicts
