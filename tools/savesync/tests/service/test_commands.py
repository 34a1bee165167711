"""Guards, policies and history by the commands of a player over the real service and store."""

import json
import os
import signal
from itertools import count

import pytest
from gameshelf.devstack.pytest_plugin import wait_for
from gameshelf.savesync import cli
from gameshelf.savesync.api import SaveApi

ENGINE = {"where": [{"path": "<home>/.local/share/Дракон/engine"}], "scope": "os"}


def dies_before(kind, name):
    """For ``before``: the process is killed at its first call of a method."""

    async def kill(*_, **__):
        os.kill(os.getpid(), signal.SIGKILL)

    return lambda: setattr(kind, name, kill)


def test_status_sync_and_history_of_two_machines(game, deck, desktop):
    deck.put("worlds/w1/level.dat", "one")
    assert "main: to be uploaded, 1 file" in deck.run("status")
    assert "main: uploaded, version 1, 1 file, 3 B sent" in deck.run("sync", "--comment", "before the boss")
    assert "main: to be downloaded" in desktop.run("status")
    assert "main: downloaded, version 1, 1 file, 3 B received" in desktop.run("sync")
    assert "main: up to date, version 1" in desktop.run("sync")
    assert "head, before the boss" in desktop.run("history")
    [version] = desktop.report("history")
    assert (version["version"], version["status"], version["file_count"]) == (1, "head", 1)


@pytest.mark.parametrize("files", [8, pytest.param(250, marks=pytest.mark.long)])
def test_scenario_09_only_what_changed_is_sent_and_received(deck, desktop, files):
    for one in range(files):
        deck.put(f"worlds/w/{one}.dat", f"{one}")
    assert deck.report("sync", "--now")["slots"][0]["files"] == files
    desktop.run("sync", "--now")
    for one in range(3):
        deck.put(f"worlds/w/{one}.dat", f"{one}, further")
    assert deck.report("sync", "--now")["slots"][0]["uploaded_bytes"] == len("0, further") * 3
    assert desktop.report("sync", "--now")["slots"][0]["downloaded_bytes"] == len("0, further") * 3
    assert desktop.files == deck.files


def test_scenario_17_a_player_confirms_the_number(game, deck):
    for one in "abcd":
        deck.put(f"{one}.sav", one)
    deck.run("sync", "--now")
    for one in "abc":
        (deck.saves / f"{one}.sav").unlink()
    shown = deck.run("sync", "--now", code=3)
    assert "--confirm-removals 3" in shown
    deck.run("sync", "--now", "--confirm-removals", "2", code=3)
    assert game.save["attributes"]["file_count"] == 4
    deck.run("sync", "--now", "--confirm-removals", "3")
    assert game.save["attributes"]["file_count"] == 1


def test_scenario_16_an_older_content_is_a_question(game, deck):
    for content in ("one", "two"):
        deck.put("a.sav", content)
        deck.run("sync", "--now")
    deck.put("a.sav", "one")
    assert "--accept-older" in deck.run("sync", "--now", code=3)
    deck.run("sync", "--now", "--accept-older")
    assert game.save["attributes"]["version"] == 3


def test_a_world_is_restored_out_of_the_history(game, deck):
    for content in ("one", "two"):
        deck.put("worlds/w1/level.dat", content)
        deck.put("worlds/w2/level.dat", content)
        deck.run("sync", "--now")
    deck.put("worlds/w2/level.dat", "not sent yet")
    assert "main: restored, version 4" in deck.run("restore", "--version", "1", "--unit", "w1")
    assert deck.files == {"worlds/w1/level.dat": b"one", "worlds/w2/level.dat": b"not sent yet"}
    assert "main: up to date, version 4" in deck.run("sync", "--now")


LONG = [pytest.param(choice, marks=pytest.mark.long) for choice in ("keep_local", "keep_cloud")]


@pytest.mark.parametrize("choice", ["keep_both", *LONG])
def test_a_conflict_ends_on_both_machines(game, deck, desktop, choice):
    deck.put("worlds/w1/level.dat", "one")
    deck.run("sync", "--now")
    desktop.run("sync", "--now")
    deck.put("worlds/w1/level.dat", "deck")
    deck.run("sync", "--now")
    desktop.put("worlds/w1/level.dat", "desktop")
    shown = desktop.run("sync", "--now", code=3)
    assert "w1: changed on both sides, 1 file" in shown
    assert f"conflict resolved ({choice})" in desktop.run("sync", "--now", "--on-conflict", choice)
    kept = b"desktop" if choice == "keep_local" else b"deck"
    deck.run("sync", "--now")
    assert [one.files for one in (deck, desktop)] == [{"worlds/w1/level.dat": kept}] * 2
    assert not game.conflicts
    if choice == "keep_both":
        names = {one["attributes"]["slot_name"] for one in game.get("savegames", product_id=str(game.product))}
        assert len(names) == 2


def test_scenario_02_units_merge_without_a_question(game, deck, desktop):
    game.follow(merge="units", revision=2)
    for one in "12":
        deck.put(f"worlds/w{one}/level.dat", "one")
    deck.run("sync", "--now")
    desktop.run("sync", "--now")
    deck.put("worlds/w1/level.dat", "deck")
    deck.run("sync", "--now")
    desktop.put("worlds/w2/level.dat", "desktop")
    assert "main: merged" in desktop.run("sync", "--now")
    deck.run("sync", "--now")
    expected = {"worlds/w1/level.dat": b"deck", "worlds/w2/level.dat": b"desktop"}
    assert (deck.files, desktop.files) == (expected, expected)
    made = [
        [word in line for word in ("this machine", "the cloud")] for line in desktop.run("history").splitlines()[2:]
    ]
    assert made == [[False, True], [True, False], [False, False], [False, False]]


def test_scenario_19_a_new_policy_deletes_nothing(game, deck, desktop):
    deck.put("a.sav", "one")
    deck.put("b.cfg", "settings")
    deck.run("sync", "--now")
    desktop.run("sync", "--now")
    root = {**game.policy["roots"]["saves"], "include": ["**/*.sav"]}
    game.follow(revision=2, roots={"saves": root})
    deck.put("a.sav", "two")
    deck.run("sync", "--now")
    assert game.save["attributes"]["file_count"] == 1
    desktop.run("sync", "--now")
    assert desktop.files == {"a.sav": b"two", "b.cfg": b"settings"}


def test_scenario_18_what_was_not_uploaded_is_said(deck, desktop):
    deck.put("a.sav", "one")
    deck.run("sync", "--now")
    desktop.run("sync", "--now")
    deck.put("a.sav", "two")
    assert deck.killed("sync", "--intent", "exit", "--now", before=dies_before(SaveApi, "begin"))
    shown = desktop.run("sync", "--intent", "launch", code=3)
    assert "has played and not uploaded" in shown
    deck.run("sync", "--now")
    desktop.run("sync", "--intent", "launch")
    assert desktop.files == {"a.sav": b"two"}


@pytest.mark.parametrize("content", ["one", "two"])
def test_a_save_that_was_removed_for_good_is_a_new_one(game, deck, desktop, content):
    deck.put("a.sav", "one")
    deck.run("sync", "--now")
    desktop.run("sync", "--now")
    earlier = game.save["id"]
    assert game.api.delete(f"savegames/{earlier}", params={"permanent": "true"}).status_code == 204
    deck.put("a.sav", content)
    assert "main: uploaded, version 2" in deck.run("sync", "--now")
    assert game.save["id"] != earlier
    assert "main: up to date" in deck.run("sync", "--now")
    assert desktop.run("sync", "--now", code=0 if content == "one" else 3)
    assert desktop.files == {"a.sav": b"one"}


def test_a_file_that_is_too_large_is_named(game, deck):
    game.follow(limits={"max_file_bytes": 5}, revision=2)
    deck.put("a.sav", "too large")
    shown = deck.run("sync", "--now", code=1)
    assert "saves/a.sav has 9 B, and 5 B are allowed" in shown
    assert json.loads(deck.run("sync", "--now", "--json", code=1))["error"]["meta"]["path"] == "saves/a.sav"
    assert not game.get("savegames", product_id=str(game.product))


def test_a_file_that_is_left_out_stays_here(game, deck, desktop):
    """The service of the tests takes files of 100 MiB."""
    game.follow(limits={"oversize": "skip"}, revision=2)
    deck.put("a.sav", "one")
    with (deck.saves / "large.sav").open("wb") as large:
        large.truncate(100 * 1024**2 + 1)
    shown = deck.run("sync", "--now")
    assert "left out of the save: saves/large.sav has 100.0 MiB, and 100.0 MiB are allowed" in shown
    desktop.run("sync", "--now")
    desktop.put("a.sav", "two")
    desktop.run("sync", "--now")
    assert "main: downloaded" in deck.run("sync", "--now")
    assert sorted(deck.files) == ["a.sav", "large.sav"]
    assert deck.files["a.sav"] == b"two"


def test_two_slots_of_a_game_are_synchronised_and_pending(game, deck, desktop):
    game.follow(revision=2, roots={**game.policy["roots"], "engine": ENGINE})
    engines = [one.home / ".local" / "share" / "Дракон" / "engine" for one in (deck, desktop)]
    for one in engines:
        one.mkdir()
    deck.put("a.sav", "one")
    (engines[0] / "shaders").write_text("1")
    assert [one["version"] for one in deck.report("sync", "--now")["slots"]] == [1, 1]
    desktop.run("sync", "--now")
    assert (engines[1] / "shaders").read_text() == "1"
    deck.put("a.sav", "two")
    assert deck.killed("sync", "--intent", "exit", "--now", before=dies_before(SaveApi, "begin"))
    report = desktop.report("sync", "--intent", "launch", code=3)
    assert [(one["state"], one["slot_name"]) for one in report["others"]] == [("upload_pending", "main")]
    assert "main (linux):" in deck.run("history")


def test_a_machine_that_was_off_for_long_has_no_conflict(game, deck, desktop):
    """Its version has left the history meanwhile."""
    deck.put("a.sav", "0")
    deck.run("sync", "--now")
    desktop.run("sync", "--now")
    for turn in range(1, 13):
        deck.put("a.sav", f"{turn}")
        deck.run("sync", "--now")
    statuses = {one["version"]: one["status"] for one in desktop.report("history")}
    assert (statuses[1], statuses[13]) == ("pruned", "head")
    assert "main: to be downloaded, version 13" in desktop.run("status")
    assert "main: downloaded, version 13" in desktop.run("sync", "--intent", "launch")
    assert desktop.files == {"a.sav": b"12"}


@pytest.mark.long
def test_a_save_that_a_newer_game_wrote_is_named(game, deck, desktop):
    deck.put("a.sav", "one")
    deck.run("sync", "--now", "--game-version", "1.4")
    desktop.run("sync", "--now", "--game-version", "1.4")

    versions = count(5)

    def is_named():  # as soon as a job has noted when 1.4 was first seen
        version = f"1.{next(versions)}"
        deck.put("a.sav", version)
        deck.run("sync", "--now", "--game-version", version)
        shown = desktop.run("status", "--game-version", "1.4")
        return f"a newer version of the game wrote the cloud's save: {version}" in shown

    wait_for(is_named)


def test_a_player_without_the_game_keeps_the_folder(game, deck):
    deck.put("a.sav", "one")
    deck.variables["LIBRARY_TOKEN"] = game.platform.token("11111111-1111-4111-8111-111111111111")
    error = json.loads(deck.run("sync", "--now", "--json", code=1))["error"]
    assert error["code"] == "PERMISSION_DENIED"
    assert deck.files == {"a.sav": b"one"}


def test_a_token_that_a_launcher_renews_is_read_again(game, deck, monkeypatch):
    """A ``watch`` outlives its token: the service refuses it, and the file has another one by then."""
    file, read, reads = deck.home / "token", cli._read_token, []
    file.write_text(game.platform.issuer.issue(str(game.user), ttl=-3600))
    deck.variables |= {"LIBRARY_TOKEN": None, "LIBRARY_TOKEN_FILE": str(file)}

    def read_token():
        reads.append(read())
        if len(reads) == 2:  # the command has read it for the account, and for its first call
            file.write_text(game.token)
        return reads[-1]

    monkeypatch.setattr(cli, "_read_token", read_token)
    deck.put("a.sav", "one")
    assert "main: uploaded, version 1" in deck.run("sync", "--now")
    assert len(reads) == 3
