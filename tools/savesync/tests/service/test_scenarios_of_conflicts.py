"""Scenarios 1, 3 to 5, 8 and 14 of the design as a player has them: what is merged, asked, and left as it is."""

import os
from hashlib import sha256


def apart(deck, desktop, on_deck, on_desktop, *words, start):
    """Both machines have a version, and then each changes something of its own. None: the file is deleted."""
    for path, content in start.items():
        deck.put(path, content)
    deck.run("sync", "--now")
    desktop.run("sync", "--now")
    for machine, changes in ((deck, on_deck), (desktop, on_desktop)):
        for path, content in changes.items():
            if content is None:
                (machine.saves / path).unlink()
            else:
                machine.put(path, content)
    deck.run("sync", "--now", *words)


START = {"worlds/w1/data": "1", "worlds/w1/extra": "1", "worlds/w2/data": "1"}


def test_scenario_01_a_save_without_units_is_never_merged(game, deck, desktop):
    game.follow(revision=2, units=[], merge="units")
    apart(deck, desktop, {"worlds/w1/data": "deck"}, {"worlds/w2/data": "desktop"}, start=START)
    for choice in ((), ("--on-conflict", "units")):
        shown = desktop.run("sync", "--now", *choice, code=3)
        assert "changed on both sides" in shown
        assert "units" not in shown
    desktop.run("sync", "--now", "--on-conflict", "keep_local")
    seen = [{"deck", "1"}, {"1", "desktop"}, {"1"}]
    for version in game.versions:
        files = game.get(f"savegames/{game.save['id']}/versions/{version}/files")
        held = {one["attributes"]["sha256"] for one in files}
        assert held in [{sha256(one.encode()).hexdigest() for one in texts} for texts in seen]


def test_scenario_03_a_deleted_file_stays_deleted_on_all_machines(game, deck, desktop):
    game.follow(revision=2, merge="units")
    apart(deck, desktop, {"worlds/w1/extra": None}, {"worlds/w2/data": "desktop"}, start=START)
    assert "main: merged" in desktop.run("sync", "--now")
    deck.run("sync", "--now")
    expected = {"worlds/w1/data": b"1", "worlds/w2/data": b"desktop"}
    assert (deck.files, desktop.files) == (expected, expected)


def test_scenario_04_a_player_decides_between_delete_and_change(game, deck, desktop):
    game.follow(revision=2, merge="units")
    start = {f"worlds/w{one}/data": "1" for one in range(1, 5)}
    played, removed = {"worlds/w1/data": "played"}, ("--confirm-removals", "1")
    apart(deck, desktop, {"worlds/w1/data": None}, played, *removed, start=start)
    shown = desktop.run("sync", "--now", code=3)
    assert "w1: deleted on one side, changed on the other" in shown
    assert desktop.files["worlds/w1/data"] == b"played"
    desktop.run("sync", "--now", "--on-conflict", "keep_local")
    deck.run("sync", "--now")
    assert deck.files == desktop.files
    assert deck.files["worlds/w1/data"] == b"played"


def test_scenario_05_only_times_of_files_differ(game, deck):
    deck.put("a.sav", "1")
    deck.run("sync", "--now")
    os.utime(deck.saves / "a.sav", (1_000_000_000, 1_000_000_000))
    report = deck.report("sync", "--now")["slots"][0]
    assert (report["reason"], report["uploaded_bytes"]) == ("identical", 0)
    assert game.versions == [1]


def test_scenario_08_a_new_spelling_sends_nothing(game, deck, desktop):
    deck.put("Worlds/Мир/a.sav", "1")
    deck.run("sync", "--now")
    desktop.run("sync", "--now")
    (deck.saves / "Worlds").rename(deck.saves / "worlds")
    (deck.saves / "worlds" / "Мир").rename(deck.saves / "worlds" / "МИР")
    assert deck.report("sync", "--now")["slots"][0]["uploaded_bytes"] == 0
    assert desktop.report("sync", "--now")["slots"][0]["downloaded_bytes"] == 0
    assert desktop.files == deck.files == {"worlds/МИР/a.sav": b"1"}
    assert game.save["attributes"]["file_count"] == 1
    assert "up to date" in deck.run("sync", "--now")


def test_scenario_14_who_plays_on_in_a_conflict_has_one_conflict(game, deck, desktop):
    apart(deck, desktop, {"worlds/w1/data": "deck"}, {"worlds/w1/data": "desktop"}, start=START)
    desktop.run("sync", "--now", code=3)
    for turn in range(12):
        desktop.put("worlds/w1/data", f"desktop {turn}")
        desktop.run("sync", "--now", code=3)
    assert len(game.conflicts) == 1
    desktop.run("sync", "--now", "--on-conflict", "keep_local")
    deck.run("sync", "--now")
    assert deck.files["worlds/w1/data"] == b"desktop 11"
    assert not game.conflicts
