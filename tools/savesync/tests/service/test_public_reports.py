"""What players have reported about other clients that keep files the same on several machines, tried on this one."""

import os
import stat
import subprocess

import pytest

FAR = 2**33 * 100
"""A time of the year 29190, in seconds."""


def both_have(deck, desktop, **files):
    for name, content in files.items():
        deck.put(name, content)
    deck.run("sync", "--now")
    desktop.run("sync", "--now")


@pytest.mark.parametrize("seconds", [-1_000_000_000, 0, 4_102_444_800, 253_402_300_800, FAR])
def test_a_file_of_any_time_is_synchronised(deck, desktop, seconds):
    """nextcloud/desktop#4332, nextcloud/desktop#5196: files of 1938, of 1970, and of times that no clock shows."""
    deck.put("a.sav", "one")
    os.utime(deck.saves / "a.sav", (seconds, seconds))
    deck.run("sync", "--now")
    desktop.run("sync", "--now")
    assert desktop.files == {"a.sav": b"one"}
    if 0 <= seconds < 10**10:
        assert (desktop.saves / "a.sav").stat().st_mtime == seconds
    desktop.put("a.sav", "two")
    os.utime(desktop.saves / "a.sav", (seconds, seconds))
    desktop.run("sync", "--now")
    deck.run("sync", "--now")
    assert deck.files == {"a.sav": b"two"}
    for machine in (deck, desktop):
        assert "up to date" in machine.run("sync", "--now")


def test_a_prefix_that_wine_has_not_made_is_left_alone(game, deck, desktop):
    """Proton#8768, Proton#8854: a prefix with the saves alone is taken for a broken one, and made again without them.

    The empty folder of the new prefix then replaced the cloud's save.
    """
    where = [{"when": [{"os": "windows"}], "path": "<winDocuments>/Dragon"}]
    game.follow(revision=2, roots={"saves": {"where": where, "include": ["**"]}}, units=[])
    prefix, saves = "compatdata/77/pfx", "drive_c/users/steamuser/Documents/Dragon"
    on_deck, on_desktop = ((one.home / prefix) for one in (deck, desktop))
    (on_deck / saves).mkdir(parents=True)
    (on_deck / saves / "a.sav").write_text("70 hours")
    deck.run("sync", "--now", "--prefix", str(on_deck))
    for intent in ("launch", "exit", "manual"):
        shown = desktop.run("sync", "--intent", intent, "--prefix", str(on_desktop), code=4)
        assert "is no Wine prefix yet" in " ".join(shown.split())
    shown = desktop.run("status", "--prefix", str(on_desktop), code=4)
    assert "is no Wine prefix yet" in " ".join(shown.split())
    assert not (desktop.home / "compatdata").exists()
    (on_desktop / "drive_c" / "users" / "steamuser").mkdir(parents=True)  # the game was started once
    assert "downloaded" in desktop.run("sync", "--now", "--prefix", str(on_desktop))
    assert (on_desktop / saves / "a.sav").read_text() == "70 hours"


def test_a_machine_that_was_cut_off_in_the_game_keeps_its_saves(deck, desktop):
    """unifideck#319: 49 local files, 13 in the cloud, and the 13 replaced them."""
    both_have(deck, desktop, **{f"{one}.sav": "1" for one in range(13)})
    played = {f"{one}.sav": f"played {one}".encode() for one in range(49)}
    for name, content in played.items():
        deck.put(name, content)
    assert "uploaded" in deck.run("sync", "--intent", "launch")
    assert deck.files == played
    desktop.run("sync", "--now")
    assert desktop.files == played


def test_files_that_become_folders_and_back(deck, desktop):
    """syncthing#2907 and others: a delete of the one must not take the other with it."""
    both_have(deck, desktop, **{"a": "1", "b/c": "1", "b/d": "1", **{f"k{one}": "1" for one in range(6)}})
    (deck.saves / "a").unlink()
    deck.put("a/x", "2")
    for name in ("c", "d"):
        (deck.saves / "b" / name).unlink()
    (deck.saves / "b").rmdir()
    deck.put("b", "2")
    deck.run("sync", "--now")
    desktop.run("sync", "--now")
    assert desktop.files == deck.files
    assert {"a/x", "b"} <= desktop.files.keys()


def test_permissions_of_files_stay_those_of_the_machine(deck, desktop):
    """unison#718, unison#789: files of 600, which the group could not read any more."""
    before = os.umask(0o022)
    try:
        both_have(deck, desktop, **{"a.sav": "1", "b.sav": "1"})
        (desktop.saves / "a.sav").chmod(0o664)
        deck.put("a.sav", "2")
        deck.run("sync", "--now")
        desktop.run("sync", "--now")
    finally:
        os.umask(before)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in desktop.saves.iterdir() if file.is_file()}
    assert modes == {"a.sav": 0o664, "b.sav": 0o644}


@pytest.mark.parametrize("name", ["a\nb", "-rf", "~", "*?", "a\\b", "a|b<c>d", "я" * 127, "%2e%2e", "\ufeffx", " lead"])
def test_names_that_scripts_and_other_systems_stumble_over(deck, desktop, name):
    """rclone, unison and others have a report for each of them."""
    both_have(deck, desktop, **{"ok.sav": "ok", f"w/{name}": "content"})
    assert desktop.files == {"ok.sav": b"ok", f"w/{name}": b"content"}


def test_a_pipe_in_the_folder_stops_nobody(deck, desktop):
    """syncthing, unison: a reader of a pipe waits for ever."""
    os.mkfifo(deck.saves / "pipe")
    both_have(deck, desktop, **{"a.sav": "one", "empty.sav": ""})
    assert desktop.files == {"a.sav": b"one", "empty.sav": b""}


def test_a_folder_that_cannot_be_written_is_named(deck, desktop, mount):
    """Saves of a game on a disk that was mounted read-only, after an error of it."""
    both_have(deck, desktop, **{"a.sav": "one"})
    deck.put("a.sav", "two")
    deck.run("sync", "--now")
    unmount = mount(desktop.saves, desktop.saves)
    subprocess.run(["mount", "-o", "remount,ro,bind", desktop.saves], check=True)
    shown = desktop.run("sync", "--now", code=1)
    assert f"{desktop.saves}: Read-only file system" in shown
    assert desktop.files == {"a.sav": b"one"}
    unmount()
    desktop.run("sync", "--now")
    assert desktop.files == {"a.sav": b"two"}


def test_a_home_folder_behind_a_link_is_one_folder(deck, desktop):
    """ludusavi#619 and others: the same prefix or home by another name is no other save."""
    both_have(deck, desktop, **{"a.sav": "one"})
    link = desktop.home.with_name("link")
    link.symlink_to(desktop.home)
    desktop.variables["HOME"] = str(link)
    desktop.put("a.sav", "two")
    assert "uploaded" in desktop.run("sync", "--now")
    deck.run("sync", "--now")
    assert deck.files == {"a.sav": b"two"}
