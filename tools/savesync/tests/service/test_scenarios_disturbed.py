"""Scenarios 21 to 25 of the design with the client killed, and with network, store, clock and disk disturbed."""

import ctypes
import os
import random
import signal
import time
from hashlib import sha256

import pytest
from gameshelf.devstack.pytest_plugin import wait_for
from gameshelf.savesync.api import SaveApi
from gameshelf.savesync.store import SaveStore

DAY = 86_400


def world(turn, count=12):
    """A version of many files. Each turn changes a third of them, deletes some, and respells a folder."""
    folder = "Часть" if turn % 2 else "часть"
    files = {f"worlds/мир/{folder}/{one:03}.dat": b"%d %d" % (one, one % 3 and turn) * 500 for one in range(count)}
    return {path: content for place, (path, content) in enumerate(files.items()) if (place + turn) % 5}


def replace_all(machine, files):
    for file in [one for one in machine.saves.rglob("*.dat") if one.is_file()]:
        file.unlink()
    for path, content in files.items():
        machine.put(path, content)


def at_random(machine, chance, *words, longest=0.6):
    """Types a command in a process, which is killed at some moment unless it has ended before."""
    process = machine.started(*words)
    time.sleep(chance.uniform(0, longest))
    os.kill(process, signal.SIGKILL)
    machine.ended(process)


def after(kind, name, calls, act):
    """For ``before``: acts when so many calls of a method have ended."""

    def patch():
        method, left = getattr(kind, name), [calls]

        async def acting(*arguments, **options):
            answer = await method(*arguments, **options)
            left[0] -= 1
            if not left[0]:
                act()
            return answer

        setattr(kind, name, acting)

    return patch


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def without_privileges():
    """For ``before``: also root cannot read what its permissions do not allow."""
    if os.geteuid() == 0:
        version, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
        assert ctypes.CDLL(None).capset(version, nothing) == 0


@pytest.fixture
def offline(deck, desktop):
    """The variables of both machines without the network."""
    return lambda machine: {**machine.variables, "LIBRARY_API": "http://127.0.0.1:9/api/v1/library"}


@pytest.mark.parametrize(("turns", "count"), [(2, 12), pytest.param(10, 100, marks=pytest.mark.long(minutes=2))])
def test_scenario_21_killed_at_any_time_and_offline_at_the_launch(deck, desktop, offline, turns, count):
    """Before the launch the folders hold exactly one version, although there is no network to ask."""
    chance, online = random.Random(21), desktop.variables
    replace_all(deck, world(0, count))
    deck.run("sync", "--now")
    desktop.run("sync", "--now")
    desktop.put("game.log", "the game's own")
    for turn in range(1, turns + 1):
        before = desktop.files
        replace_all(deck, world(turn, count))
        deck.run("sync", "--now", "--accept-older")
        at_random(desktop, chance, "sync", "--now")
        desktop.variables = offline(desktop)
        desktop.run("sync", "--intent", "launch", code=4)
        new = {**world(turn, count), "game.log": b"the game's own"}
        assert desktop.files in (before, new), turn
        desktop.variables = online
        desktop.run("sync", "--intent", "launch")
        assert desktop.files == new, turn


@pytest.mark.parametrize("received", [1, 4])
def test_scenario_21_killed_while_the_store_is_frozen(s3, deck, desktop, received):
    deck.put("game.dat", "first")
    deck.run("sync", "--now")
    desktop.run("sync", "--now")
    replace_all(deck, {"game.dat": b"second", **world(1)})
    deck.run("sync", "--now")
    reached, is_frozen = desktop.home.with_name("reached"), desktop.home.with_name("frozen")

    def wait_until_frozen():
        reached.touch()
        wait_for(is_frozen.exists)

    process = desktop.started("sync", "--now", before=after(SaveStore, "receive", received, wait_until_frozen))
    try:
        wait_for(reached.exists)
        s3.freeze()
        is_frozen.touch()
        time.sleep(0.3)  # it asks the store that is frozen
        os.kill(process, signal.SIGKILL)
        assert desktop.ended(process) == -signal.SIGKILL
    finally:
        s3.thaw()
    assert desktop.files == {"game.dat": b"first"}
    desktop.run("sync", "--intent", "launch")
    assert desktop.files == {"game.dat": b"second", **world(1)}


def test_scenario_21_a_clock_that_was_set_back_changes_nothing(game, deck, desktop):
    """That of the files and that of the client; the new bytes have the size of the old ones."""
    deck.put("a.sav", "day 1")
    deck.run("sync", "--now")
    desktop.run("sync", "--now")

    def yesterday():
        now, ns = time.time, time.time_ns
        time.time, time.time_ns = lambda: now() - DAY, lambda: ns() - DAY * 10**9

    for turn in range(2, 5):
        deck.put("a.sav", f"day {turn}")
        past = time.time() - turn * DAY
        os.utime(deck.saves / "a.sav", (past, past))
        assert deck.ended(deck.started("sync", "--now", before=yesterday)) == 0
        desktop.run("sync", "--now")
        assert desktop.files == {"a.sav": b"day %d" % turn}
    assert game.versions == [4, 3, 2, 1]
    assert not game.conflicts


def contents_of_versions(game):
    """The hashes of what each version holds that is still there."""
    found = {}
    for save in game.get("savegames", product_id=str(game.product)):
        for one in game.get(f"savegames/{save['id']}/versions"):
            if one["attributes"]["status"] != "pruned":
                number = one["attributes"]["version"]
                files = game.get(f"savegames/{save['id']}/versions/{number}/files")
                found[number] = {file["attributes"]["sha256"] for file in files}
    return found


@pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=pytest.mark.long)])
def test_scenario_22_no_version_holds_what_a_game_has_half_written(game, deck, desktop, tmp_path, rounds):
    """The game is a process; clients run meanwhile, and some of them are killed."""
    enough, names = tmp_path / "enough", ("meta", "data")

    def pair(turn):
        return [f"{name} {turn}".encode() * 500 for name in names]

    def write(turn):
        for name, content in zip(names, pair(turn), strict=True):
            deck.put(f"worlds/w/{name}", content)
            time.sleep(0.3)

    def play():
        """Writes so many times, and on until two versions were made meanwhile: a slow machine needs longer."""
        turn = 0
        while turn < rounds or not enough.exists():
            turn += 1
            write(turn)
            time.sleep(1.6)  # longer than the second after which a save counts as written
        return turn

    write(0)
    playing = os.fork()
    if not playing:
        os._exit(play())
    chance, held, ended, longest = random.Random(22), {}, (0, 0), 3.0
    while ended == (0, 0):
        at_random(deck, chance, "sync", longest=longest)
        longest += 0.5
        assert longest < 40, "no client ever came to its end"
        held |= contents_of_versions(game)
        if len(held) > 1:
            enough.touch()
        ended = os.waitpid(playing, os.WNOHANG)
    last = os.waitstatus_to_exitcode(ended[1])
    # The service may finish what a killed client has begun only after the next one has asked: then this machine is in
    # conflict with itself, or an upload stays open, for which the other one waits (4) although it has everything.
    deck.run("sync", "--on-conflict", "keep_local")
    held |= contents_of_versions(game)
    desktop.run("sync", "--now", code=(0, 4))
    assert desktop.files == dict(zip((f"worlds/w/{name}" for name in names), pair(last), strict=True))
    whole = [{sha256(content).hexdigest() for content in pair(turn)} for turn in range(last + 1)]
    assert len(held) > 1
    assert not [version for version, hashes in held.items() if hashes not in whole]


def test_scenario_22_a_service_that_is_lost_during_the_upload(game, service, deck, desktop, monkeypatch):
    """The network is cut between two files: the game can start, and the next run sends the rest."""
    files = world(1)
    replace_all(deck, files)
    with monkeypatch.context() as changed:
        changed.setattr(SaveStore, "send", SaveStore.send)
        after(SaveStore, "send", 3, service.kill)()
        try:
            shown = deck.run("sync", "--now", code=4)
        finally:
            service.kill()
            service.start(outlives_test=True)
    assert "work waits for the network" in shown
    report = deck.report("sync", "--now")["slots"][0]
    assert (report["version"], report["files"]) == (1, len(files))
    assert report["uploaded_bytes"] < len(b"".join(set(files.values())))
    assert game.versions == [1]
    desktop.run("sync", "--now")
    assert desktop.files == files


def test_scenario_23_a_file_that_cannot_be_read_is_named(game, deck, desktop):
    for name in ("a.sav", "b.sav"):
        deck.put(name, name)
    deck.run("sync", "--now")
    desktop.run("sync", "--now")
    before = game.save
    deck.put("a.sav", "played further")
    (deck.saves / "b.sav").write_text("unreadable")
    (deck.saves / "b.sav").chmod(0)
    assert deck.ended(deck.started("sync", "--now", before=without_privileges)) == 1
    assert f"{deck.saves / 'b.sav'}: Permission denied" in deck.screen.read_text()
    assert game.save == before
    desktop.run("sync", "--now")
    assert desktop.files == {"a.sav": b"a.sav", "b.sav": b"b.sav"}
    (deck.saves / "b.sav").chmod(0o600)
    deck.run("sync", "--now")
    desktop.run("sync", "--now")
    assert desktop.files == {"a.sav": b"played further", "b.sav": b"unreadable"}


def test_scenario_23_a_disk_that_is_not_mounted_empties_nothing(game, deck, desktop, disk, mount):
    """Its folder is there and empty. When the disk is back, what was played on it is uploaded."""
    volume = disk / "volume"
    volume.mkdir()
    unmount = mount(deck.saves, volume)
    for name in ("a.sav", "b.sav"):
        deck.put(name, name)
    deck.run("sync", "--now")
    desktop.run("sync", "--now")
    deck.put("a.sav", "played further")
    unmount()
    assert not deck.files
    shown = deck.run("sync", "--now")
    assert "was empty, and had files of the save before (is its disk mounted?): " in shown
    assert str(deck.saves) in shown
    assert game.versions == [1]
    assert sorted(deck.files) == ["a.sav", "b.sav"]
    desktop.run("sync", "--now")
    assert desktop.files == {"a.sav": b"a.sav", "b.sav": b"b.sav"}
    mount(deck.saves, volume)
    assert "main: uploaded, version 2" in deck.run("sync", "--now")
    desktop.run("sync", "--now")
    assert desktop.files == {"a.sav": b"played further", "b.sav": b"b.sav"}
    assert not game.conflicts


def test_scenario_24_a_new_machine_gets_the_ninth_version(game, deck, desktop):
    """Although its first downloads are killed."""
    for version in range(1, 10):
        replace_all(deck, world(version))
        deck.run("sync", "--now", "--accept-older")
    for received in (1, 4):
        assert desktop.killed("sync", "--now", before=after(SaveStore, "receive", received, kill))
        assert not desktop.files
    assert "main: downloaded, version 9" in desktop.run("sync", "--now")
    assert desktop.files == world(9)


@pytest.mark.parametrize("call", ["begin", "commit", "conflict"])
def test_scenario_24_defaults_never_replace_progress_when_killed(game, deck, desktop, call):
    deck.put("a.sav", "200 hours")
    deck.run("sync", "--now")
    desktop.put("a.sav", "defaults")
    for _ in range(2):
        desktop.killed("sync", "--now", before=after(SaveApi, call, 1, kill))
    assert "conflict" in desktop.run("sync", "--now", code=3)
    assert len(game.conflicts) == 1
    assert game.save["attributes"]["version"] == 1
    assert desktop.files == {"a.sav": b"defaults"}
    desktop.run("sync", "--now", "--on-conflict", "keep_cloud")
    assert (desktop.files, deck.files) == ({"a.sav": b"200 hours"},) * 2


@pytest.mark.parametrize("turns", [8, pytest.param(100, marks=pytest.mark.long)])
def test_scenario_24_two_processes_in_turn_have_no_conflict(game, deck, turns):
    """Of one machine, such as a launcher and a service. Now and then both run at once."""
    deck.put("a.sav", "start")
    deck.run("sync", "--now")
    for turn in range(turns):
        deck.put("a.sav", f"{turn}")
        processes = [deck.started("sync", "--now") for _ in range(2 if turn % 4 == 3 else 1)]
        codes = sorted(deck.ended(one) for one in processes)
        assert codes[0] == 0
        assert codes[-1] in (0, 4)
    assert not game.conflicts
    assert game.save["attributes"]["version"] == turns + 1


@pytest.mark.parametrize("full", ["saves", "state"])
def test_scenario_25_a_full_disk_leaves_the_old_folder(deck, desktop, mount, full):
    """That of the game, or that of the client's own files."""
    small = desktop.saves if full == "saves" else desktop.home / ".local" / "state"
    unmount = mount(small)
    files = {"worlds/w/level.dat": b"old", "b.sav": b"same"}
    replace_all(deck, files)
    deck.run("sync", "--now")
    desktop.run("sync", "--now")
    deck.put("worlds/w/level.dat", large := random.Random(25).randbytes(2 * 1024**2))
    deck.run("sync", "--now")
    assert "No space left on device" in desktop.run("sync", "--now", code=1)
    assert desktop.files == files
    desktop.put("b.sav", "played, although the disk is full")
    deck.put("worlds/w/level.dat", "small again")
    deck.run("sync", "--now")
    assert "conflict" in desktop.run("sync", "--now", code=3)  # the upload needs no room
    desktop.run("sync", "--now", "--on-conflict", "units")
    assert desktop.files == {"worlds/w/level.dat": b"small again", "b.sav": b"played, although the disk is full"}
    assert large not in desktop.files.values()
    unmount()


def test_scenario_25_a_link_that_leads_outwards_is_not_written_through(deck, desktop, disk):
    outside = disk / "outside"
    outside.mkdir()
    (outside / "level.dat").write_bytes(b"of another program")
    desktop.put("b.sav", "old")
    desktop.run("sync", "--now")
    deck.run("sync", "--now")
    (desktop.saves / "worlds").symlink_to(outside)
    deck.put("worlds/level.dat", "new")
    deck.put("b.sav", "new")
    deck.run("sync", "--now")
    shown = desktop.run("sync", "--now", code=1)
    assert str(desktop.saves / "worlds") in shown or "saves/worlds" in shown
    assert (desktop.saves / "b.sav").read_bytes() == b"old"
    assert {one.name: one.read_bytes() for one in outside.iterdir()} == {"level.dat": b"of another program"}
    (desktop.saves / "worlds").unlink()
    desktop.run("sync", "--now")
    assert desktop.files == {"worlds/level.dat": b"new", "b.sav": b"new"}
