"""A save that has moved shows in files that changed beside it."""

import os
from pathlib import Path

import pytest
from gameshelf.savesync import uncovered
from gameshelf.savesync.paths import System
from gameshelf.savesync.places import Machine
from gameshelf.savesync.policy import FolderPolicy
from gameshelf.savesync.roots import find_roots
from gameshelf.savesync.uncovered import find_uncovered

LAST = 1_700_000_000_000_000_000
POLICY = FolderPolicy.parse({"roots": {"saves": {"where": [{"path": "<home>/.g/saves"}], "include": ["**/*.sav"]}}})


@pytest.fixture
def game(tmp_path):
    return tmp_path / ".g"


def write(path, at):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, ns=(at, at))


@pytest.fixture
def look(tmp_path, game):
    def find(policy=POLICY, chosen=None):
        roots = find_roots(policy, Machine(System.LINUX, tmp_path, "anna"), {}, chosen)
        return find_uncovered(policy, roots, LAST, System.LINUX)

    return find


def test_files_of_a_new_place_are_shown(game, look, tmp_path):
    for name in ("saves/a.sav", "saves/new/a.dat", "profiles/1/a.sav", ".gameshelf-save/new/1", "too/deep/for/this"):
        write(game / name, LAST + 1)
    write(game / "old.dat", LAST)
    write(tmp_path / ".other" / "a.sav", LAST + 1)
    [found] = look()
    assert (found.root, found.count) == ("saves", 2)
    assert found.paths == (game / "profiles" / "1" / "a.sav", game / "saves" / "new" / "a.dat")


def test_a_game_that_only_saves_has_none(game, look):
    assert look() == []
    write(game / "saves" / "a.sav", LAST + 1)
    assert look() == []
    assert look(FolderPolicy(), {"any": game}) == []


def test_many_files_are_counted_and_few_are_shown(game, look, monkeypatch):
    for n in range(30):
        write(game / f"{n:02}.dat", LAST + 1)
    [found] = look()
    assert (found.count, len(found.paths)) == (30, 20)
    monkeypatch.setattr(uncovered, "_MOST_ENTRIES", 5)
    assert look()[0].count == 5


@pytest.mark.skipif(os.name == "nt", reason="links need a right of their own there")
def test_links_lead_nowhere(game, look, tmp_path):
    write(tmp_path / "outside" / "a.dat", LAST + 1)
    game.mkdir()
    (game / "link").symlink_to(tmp_path / "outside")
    (game / "file").symlink_to(Path("/etc/hostname"))
    assert look() == []
