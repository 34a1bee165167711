"""Scenarios 21 to 25 of the design, by the commands of a player over the real service and store."""

import os
import random
import signal
import threading
from unicodedata import normalize

import pytest
from gameshelf.savesync.store import SaveStore


def both_have(deck, desktop, **files):
    for name, content in files.items():
        deck.put(name, content)
    deck.run("sync", "--now")
    desktop.run("sync", "--now")


def large_version(number, count):
    """Many files; the second version changes, deletes, adds and respells some."""
    files = {f"worlds/мир {one % 7}/часть {one % 3}/{one:03}.dat": b"%d" % (one * 1000) for one in range(count)}
    if number == 1:
        return files
    kept = {path: content for place, (path, content) in enumerate(files.items()) if place % 5}
    changed = {path: content + b", further" for place, (path, content) in enumerate(kept.items()) if place % 3 == 0}
    respelled = {path.replace("часть 2", "Часть 2"): content for path, content in {**kept, **changed}.items()}
    return {**respelled, "worlds/новый мир/level.dat": b"new"}


def replace_all(machine, files):
    for file in [one for one in machine.saves.rglob("*") if one.is_file()]:
        file.unlink()
    for path, content in files.items():
        machine.put(path, content)


@pytest.mark.parametrize(
    ("count", "points"),
    [
        (30, ["staged-partly", "step-20-after"]),
        pytest.param(
            100,
            [
                *("journal-staging", "staged-partly", "journal-applying", "journal-applied", "state-written"),
                *("synced-sent", "cleared-saves", "cleared"),
                *(f"step-{step}-{when}" for step in range(1, 200, 20) for when in ("before", "between", "after")),
            ],
            marks=pytest.mark.long(minutes=2),
        ),
    ],
)
def test_scenario_21_killed_between_two_versions(game, deck, desktop, count, points):
    replace_all(deck, large_version(1, count))
    deck.run("sync", "--now")
    for turn, point in enumerate(points):
        desktop.run("sync", "--now")
        desktop.put("own.log", "the game's own")
        before, number = desktop.files, 2 - turn % 2
        replace_all(deck, large_version(number, count))
        # Without the second version's new world a whole unit is gone.
        deck.run("sync", "--now", "--accept-older", *(("--confirm-removals", "1") if number == 1 else ()))
        after = {**large_version(number, count), "own.log": b"the game's own"}
        if not desktop.killed("sync", "--now", point=point):
            assert desktop.files == after, point
            continue
        report = desktop.report("sync", "--intent", "launch")
        assert desktop.files == after, point
        assert before != after
        assert report["slots"][0]["conflict"] is None
    assert not game.conflicts


@pytest.mark.parametrize("sent", [pytest.param(0, marks=pytest.mark.long), 3])
def test_an_upload_that_was_killed_is_resumed(game, deck, desktop, sent):
    files = {f"worlds/w/{one}.dat": b"%d" % one * 100 for one in range(12)}
    replace_all(deck, files)
    left, send = [sent], SaveStore.send

    async def killing(store, *arguments):
        await send(store, *arguments)
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def before():
        SaveStore.send = killing

    assert deck.killed("sync", "--now", before=before)
    report = deck.report("sync", "--now")["slots"][0]
    assert (report["version"], report["files"]) == (1, 12)
    assert report["uploaded_bytes"] < sum(map(len, files.values()))
    desktop.run("sync", "--now")
    assert desktop.files == files


def test_scenario_22_a_writer_during_the_transfer_is_not_in_the_version(deck, desktop, monkeypatch):
    pair = {"worlds/w/meta": b"1", "worlds/w/data": b"1" * 1000}
    replace_all(deck, pair)
    send = SaveStore.send

    async def writing(store, *arguments):
        replace_all(deck, {"worlds/w/meta": b"2", "worlds/w/data": b"1" * 1000})
        await send(store, *arguments)

    monkeypatch.setattr(SaveStore, "send", writing)
    deck.run("sync", "--now")
    monkeypatch.undo()
    desktop.run("sync", "--now")
    assert desktop.files == pair
    deck.run("sync", "--now")
    desktop.run("sync", "--now")
    assert desktop.files == {**pair, "worlds/w/meta": b"2"}


def test_scenario_22_a_writer_that_never_ends_is_deferred(game, deck):
    deck.put("a.sav", "0")
    end = threading.Event()

    def write():
        number = 0
        while not end.wait(0.05):
            number += 1
            deck.put("a.sav", f"{number}")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        shown = deck.run("sync", code=4)
    finally:
        end.set()
        writer.join()
    assert "nothing was uploaded for now: files still change" in shown
    assert not game.get("savegames", product_id=str(game.product))


def test_scenario_23_a_missing_root_changes_nothing(game, deck, desktop):
    both_have(deck, desktop, **{"a.sav": "one", "b.sav": "two"})
    before = game.save
    deck.saves.rename(deck.home / "unmounted")
    shown = deck.run("sync", "--now", code=1)
    assert str(deck.saves) in shown
    assert game.save == before
    desktop.run("sync", "--now")
    assert desktop.files == {"a.sav": b"one", "b.sav": b"two"}
    deck.saves.mkdir()  # an empty mount point
    deck.run("sync", "--now")
    assert game.save["attributes"]["version"] == before["attributes"]["version"]
    assert desktop.files == {"a.sav": b"one", "b.sav": b"two"}


def test_scenario_24_an_empty_folder_is_filled(deck, desktop):
    both_have(deck, desktop, **{"a.sav": "one"})
    (desktop.saves / "a.sav").unlink()
    desktop.run("sync", "--now")
    assert desktop.files == {"a.sav": b"one"}


def test_scenario_24_defaults_that_were_written_first_are_a_conflict(game, deck, desktop):
    deck.put("a.sav", "200 hours")
    deck.run("sync", "--now")
    desktop.put("a.sav", "defaults")
    shown = desktop.run("sync", "--now", code=3)
    assert "conflict" in shown
    assert game.save["attributes"]["version"] == 1
    assert desktop.files == {"a.sav": b"defaults"}
    desktop.run("sync", "--now", "--on-conflict", "keep_cloud")
    assert desktop.files == {"a.sav": b"200 hours"}


@pytest.mark.parametrize("turns", [6, pytest.param(40, marks=pytest.mark.long)])
def test_scenario_24_two_machines_in_turn_have_no_conflict(game, deck, desktop, turns):
    both_have(deck, desktop, **{"a.sav": "start"})
    for turn in range(turns):
        one, other = (deck, desktop) if turn % 2 else (desktop, deck)
        one.put("a.sav", f"{turn}")
        one.run("sync", "--now")
        other.run("sync", "--now")
        assert other.files == {"a.sav": b"%d" % turn}
    assert not game.conflicts
    assert game.save["attributes"]["version"] == turns + 1


def test_scenario_25_names_of_all_systems_go_round(deck, desktop):
    files = {
        "SAVE/a.sav": b"upper case",
        "a:b.sav": b"a colon",
        "con.sav": b"a device of Windows",
        normalize("NFD", "й/ё.sav"): b"decomposed",
        "/".join(["папка"] * 40 + ["x" * 60 + ".sav"]): b"a path of three hundred characters",
        "trailing./x": b"a dot at the end",
        "100%41.sav": b"looks like an escape",
    }
    for path, content in files.items():
        deck.put(path, content)
    (deck.saves / "link").symlink_to("/etc")
    report = deck.report("sync", "--now")
    assert report["links"] == [str(deck.saves / "link")]
    desktop.run("sync", "--now")
    assert sorted(desktop.files.values()) == sorted(files.values())
    assert {normalize("NFC", path) for path in desktop.files} == {normalize("NFC", path) for path in files}
    assert "up to date" in desktop.run("sync", "--now")
    assert "up to date" in deck.run("sync", "--now")


def test_scenario_25_two_spellings_of_one_name_are_refused_by_name(game, deck):
    deck.put("SAVE/a.sav", "1")
    deck.put("save/a.sav", "2")
    shown = deck.run("sync", "--now", code=1)
    assert "SAVE/a.sav" in shown
    assert "save/a.sav" in shown
    assert not game.get("savegames", product_id=str(game.product))


MIB = 1024**2


@pytest.mark.long
@pytest.mark.parametrize(("count", "size"), [(30, 9 * MIB), pytest.param(200, 60 * MIB, marks=pytest.mark.long)])
def test_the_folder_of_a_real_game_through_conflict_and_merge(game, deck, desktop, count, size):
    """Nested folders, Cyrillic names, binary and text, and a large file in parts."""
    for place in range(count):
        deck.put(f"worlds/Мир {place % 4}/регион {place % 5}/чанк.{place}.dat", f"{place}\n" * place)
    deck.put("профиль.json", '{"имя": "Игрок"}')
    deck.put("game.log", "not of the save")
    large = deck.saves / "worlds" / "Мир 0" / "level.bin"
    large.write_bytes(random.Random(1).randbytes(size))
    deck.run("sync", "--now")
    desktop.run("sync", "--now")
    expected = {path: content for path, content in deck.files.items() if path != "game.log"}
    assert desktop.files == expected

    with large.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"the deck has played")
    deck.put("worlds/Мир 1/новый.dat", "of the deck")
    deck.run("sync", "--now")
    (desktop.saves / "worlds" / "Мир 2" / "регион 2" / "чанк.22.dat").unlink()
    desktop.put("worlds/Мир 3/регион 3/чанк.23.dat", "of the desktop")
    conflict = desktop.report("sync", "--now", code=3)["slots"][0]["conflict"]
    assert {unit["name"]: unit["suggested"] for unit in conflict["units"]} == {
        "Мир 0": "head",
        "Мир 1": "head",
        "Мир 2": "branch",
        "Мир 3": "branch",
    }
    desktop.run("sync", "--now", "--on-conflict", "units")
    deck.run("sync", "--now")
    expected["worlds/Мир 0/level.bin"] = large.read_bytes()
    expected["worlds/Мир 1/новый.dat"] = b"of the deck"
    expected["worlds/Мир 3/регион 3/чанк.23.dat"] = b"of the desktop"
    del expected["worlds/Мир 2/регион 2/чанк.22.dat"]
    assert desktop.files == expected
    assert deck.files == {**expected, "game.log": b"not of the save"}
    assert not game.conflicts
