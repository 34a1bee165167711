"""Guards, policies and history by the commands of a player over the real service and store."""

import json
import os
import signal

import pytest
from gameshelf.savesync.api import SaveApi


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


@pytest.mark.parametrize("count", [8, pytest.param(250, marks=pytest.mark.long)])
def test_only_what_changed_is_sent_and_received(deck, desktop, count):
    for one in range(count):
        deck.put(f"worlds/w/{one}.dat", f"{one}")
    assert deck.report("sync", "--now")["slots"][0]["files"] == count
    desktop.run("sync", "--now")
    for one in range(3):
        deck.put(f"worlds/w/{one}.dat", f"{one}, further")
    assert deck.report("sync", "--now")["slots"][0]["uploaded_bytes"] == len("0, further") * 3
    assert desktop.report("sync", "--now")["slots"][0]["downloaded_bytes"] == len("0, further") * 3
    assert desktop.files == deck.files


def test_shrinking_asks_for_the_number(game, deck):
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


def test_an_older_content_is_a_question(game, deck):
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


@pytest.mark.parametrize("choice", ["keep_local", "keep_cloud", "keep_both"])
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


def test_units_that_a_policy_merges_need_no_question(game, deck, desktop):
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


def test_a_new_policy_is_followed_and_deletes_nothing(game, deck, desktop):
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


def test_what_another_machine_has_not_uploaded_is_said(deck, desktop):
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


def test_a_player_without_the_game_keeps_the_folder(game, deck):
    deck.put("a.sav", "one")
    deck.variables["LIBRARY_TOKEN"] = game.platform.token("11111111-1111-4111-8111-111111111111")
    error = json.loads(deck.run("sync", "--now", "--json", code=1))["error"]
    assert error["code"] == "PERMISSION_DENIED"
    assert deck.files == {"a.sav": b"one"}
