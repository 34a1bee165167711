"""A scan reports all files that the policy covers, or fails and names what it could not read."""

import os
import sqlite3
import sys
from contextlib import closing
from hashlib import sha256

import pytest
from gameshelf.savesync import scan as scanning
from gameshelf.savesync.cache import HashCache, Stamp
from gameshelf.savesync.errors import RootUnreadable, SaveChanged, TooManyFiles, UnsuitablePaths
from gameshelf.savesync.paths import System
from gameshelf.savesync.scan import RootToScan, hash_file, scan

LONG_AGO = 1_600_000_000_000_000_000


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "game"
    made.mkdir()
    return made


@pytest.fixture
def cache(tmp_path):
    return HashCache(tmp_path / "cache.db")


def write(folder, files, at=LONG_AGO):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, ns=(at, at))


def root(folder, covers=lambda path: True, reaches=lambda path: True, known=(), name="saves"):
    return RootToScan(name, folder, covers, reaches, dict(known))


def hashes(scanned):
    return {path: file.sha256 for path, file in scanned.files.items()}


def test_the_files_of_a_folder(folder):
    write(folder, {"a.sav": b"a", "Мир/уровень 1.dat": b"b", "a:b": b"c", ".gameshelf-save/new/1": b"x"})
    found = scan(root(folder), System.LINUX).files
    assert {path: (file.size, file.mtime_ns, file.disk_name) for path, file in found.items()} == {
        "saves/a.sav": (1, LONG_AGO, "a.sav"),
        "saves/a%3Ab": (1, LONG_AGO, "a:b"),
        "saves/Мир/уровень 1.dat": (1, LONG_AGO, "Мир/уровень 1.dat"),
    }
    assert found["saves/a.sav"].sha256 == sha256(b"a").hexdigest()


def test_an_empty_folder_is_no_error(folder):
    assert scan(root(folder), System.LINUX).files == {}


def test_a_known_file_keeps_its_path(folder):
    """Another client wrote the part as it is, and this one would escape it."""
    write(folder, {"%41.sav": b"a"})
    assert set(scan(root(folder), System.LINUX).files) == {"saves/%2541.sav"}
    known = {"%41.sav": "saves/%41.sav"}
    assert set(scan(root(folder, known=known), System.LINUX).files) == {"saves/%41.sav"}


def test_a_missing_folder_is_not_an_empty_one(folder):
    with pytest.raises(RootUnreadable, match="the folder does not exist") as raised:
        scan(root(folder / "gone"), System.LINUX)
    assert raised.value.path == folder / "gone"
    write(folder, {"file": b""})
    with pytest.raises(RootUnreadable, match="this is no folder"):
        scan(root(folder / "file"), System.LINUX)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
@pytest.mark.parametrize("name", ["deep", "deep/a.sav"])
def test_what_cannot_be_read_is_named(folder, name):
    write(folder, {"deep/a.sav": b"a"})
    (folder / name).chmod(0)
    try:
        with pytest.raises(RootUnreadable) as raised:
            scan(root(folder), System.LINUX)
    finally:
        (folder / name).chmod(0o700)
    assert raised.value.path == folder / name


def test_a_folder_that_fails_is_named(folder, monkeypatch):
    write(folder, {"deep/a.sav": b"a"})
    listed = os.scandir

    def fail(path):
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", lambda path: fail(path))
    with pytest.raises(RootUnreadable, match="Permission denied") as raised:
        scan(root(folder), System.LINUX)
    assert raised.value.path == folder / "deep"


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right of their own there")
def test_links_are_reported_and_not_followed(folder, tmp_path):
    outside = tmp_path / "outside"
    write(outside, {"secret": b"s"})
    write(folder, {"a.sav": b"a"})
    (folder / "out").symlink_to(outside)
    (folder / "b.sav").symlink_to(outside / "secret")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    scanned = scan(root(folder), System.LINUX)
    assert set(scanned.files) == {"saves/a.sav"}
    assert scanned.content.links == ("b.sav", "loop", "out")
    assert scanned.content.specials == ("pipe",)
    with pytest.raises(RootUnreadable):
        hash_file(folder / "b.sav")


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right of their own there")
def test_the_folder_of_a_root_may_be_a_link(folder, tmp_path):
    write(folder, {"a.sav": b"a"})
    (tmp_path / "link").symlink_to(folder)
    assert set(scan(root(tmp_path / "link"), System.LINUX).files) == {"saves/a.sav"}


@pytest.mark.skipif(sys.platform != "linux", reason="names of other systems are text")
def test_a_name_that_is_no_text_is_refused(folder):
    (folder / os.fsdecode(b"\xff.sav")).write_bytes(b"")
    with pytest.raises(UnsuitablePaths, match="path_not_text"):
        scan(root(folder), System.LINUX)


@pytest.mark.skipif(sys.platform != "linux", reason="two files only where case matters")
def test_two_files_that_another_system_cannot_hold_are_named(folder):
    write(folder, {"SAVE": b"1", "save": b"2"})
    with pytest.raises(UnsuitablePaths) as raised:
        scan(root(folder), System.LINUX)
    assert [(one.path, one.rule, one.other) for one in raised.value.problems] == [
        ("saves/save", "path_taken", "saves/SAVE")
    ]


def test_folders_that_no_pattern_reaches_are_not_opened(folder, monkeypatch):
    write(folder, {"saves/a.sav": b"a", "data/huge.pak": b"x"})
    opened = []
    listed = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: opened.append(str(path)) or listed(path))
    found = scan(root(folder, lambda path: "/saves/" in path, lambda path: path == "saves/saves"), System.LINUX)
    assert set(found.files) == {"saves/saves/a.sav"}
    assert not [path for path in opened if "data" in path]


def test_the_number_of_files_is_bounded(folder, monkeypatch):
    write(folder, {"a": b"", "b": b"", "c": b""})
    monkeypatch.setattr(scanning, "MAX_FILES", 2)
    with pytest.raises(TooManyFiles, match="more than 2 files"):
        scan(root(folder), System.LINUX)


class TestCache:
    def test_an_unchanged_file_is_not_read_again(self, folder, cache, monkeypatch):
        write(folder, {"a.sav": b"a"})
        # A file whose times are too young is read each time, so this one has to look old.
        monkeypatch.setattr(Stamp, "is_older_than", lambda self, now_ns: True)
        first = scan(root(folder), System.LINUX, cache)
        monkeypatch.setattr(scanning, "hash_file", None)
        assert scan(root(folder), System.LINUX, cache) == first

    def test_a_file_that_was_just_written_is_read_again(self, folder, cache):
        write(folder, {"a.sav": b"a"})
        scan(root(folder), System.LINUX, cache)
        assert cache.of(f"saves:{folder}") == {}  # its change time is now

    @pytest.mark.parametrize("change", ["content", "replaced"])
    def test_a_change_under_the_old_times_is_seen(self, folder, cache, monkeypatch, change):
        monkeypatch.setattr(Stamp, "is_older_than", lambda self, now_ns: True)
        write(folder, {"a.sav": b"a"})
        scan(root(folder), System.LINUX, cache)
        if change == "replaced":
            write(folder, {"b.sav": b"b"})
            (folder / "b.sav").replace(folder / "a.sav")
        else:
            write(folder, {"a.sav": b"b"})
        assert hashes(scan(root(folder), System.LINUX, cache)) == {"saves/a.sav": sha256(b"b").hexdigest()}

    def test_a_damaged_cache_costs_time_only(self, folder, cache, tmp_path, monkeypatch):
        monkeypatch.setattr(Stamp, "is_older_than", lambda self, now_ns: True)
        write(folder, {"a.sav": b"a"})
        (tmp_path / "cache.db").write_bytes(b"no database" * 1000)
        first = scan(root(folder), System.LINUX, cache)
        assert hashes(first) == {"saves/a.sav": sha256(b"a").hexdigest()}
        assert set(cache.of(f"saves:{folder}")) == {"a.sav"}

    def test_two_roots_of_one_folder_have_both(self, folder, cache, monkeypatch):
        monkeypatch.setattr(Stamp, "is_older_than", lambda self, now_ns: True)
        write(folder, {"a.sav": b"a", "b.cfg": b"b"})
        saves, config = (root(folder, lambda path, end=end: path.endswith(end), name=end) for end in ("sav", "cfg"))
        roots = [saves, config]
        first = [scan(one, System.LINUX, cache) for one in roots]
        monkeypatch.setattr(scanning, "hash_file", None)
        assert [scan(one, System.LINUX, cache) for one in roots] == first

    def test_a_cache_of_another_version_is_started_again(self, folder, cache, tmp_path, monkeypatch):
        monkeypatch.setattr(Stamp, "is_older_than", lambda self, now_ns: True)
        with closing(sqlite3.connect(tmp_path / "cache.db")) as connection:
            connection.executescript("CREATE TABLE hashes (other TEXT); PRAGMA user_version = 9")
        write(folder, {"a.sav": b"a"})
        scan(root(folder), System.LINUX, cache)
        assert set(cache.of(f"saves:{folder}")) == {"a.sav"}

    def test_files_that_are_gone_are_dropped(self, folder, cache, monkeypatch):
        monkeypatch.setattr(Stamp, "is_older_than", lambda self, now_ns: True)
        write(folder, {"a.sav": b"a", "b.sav": b"b"})
        scan(root(folder), System.LINUX, cache)
        (folder / "a.sav").unlink()
        scan(root(folder), System.LINUX, cache)
        assert set(cache.of(f"saves:{folder}")) == {"b.sav"}


def test_a_file_that_changes_while_it_is_read_is_no_hash(folder, monkeypatch):
    write(folder, {"a.sav": b"a"})
    opened = scanning.open_file

    def grow(path):
        file = opened(path)
        with path.open("ab") as other:
            other.write(b"b")
        return file

    stamp = Stamp.of((folder / "a.sav").stat())
    monkeypatch.setattr(scanning, "open_file", grow)
    with pytest.raises(SaveChanged):
        hash_file(folder / "a.sav", stamp)


def test_a_file_that_vanishes_is_a_change(folder):
    with pytest.raises(SaveChanged):
        hash_file(folder / "gone")


def test_two_forms_of_one_letter_are_distinguished(folder):
    """They look the same in an error (syncthing#8128, syncthing#7827)."""
    write(folder, {"й.sav": b"1", "\u0438\u0306.sav": b"2"})
    with pytest.raises(UnsuitablePaths, match=r"'saves/й\.sav': .* from 'saves/и<U\+0306>\.sav'"):
        scan(root(folder), System.LINUX)


def test_a_link_that_leads_to_itself_is_no_folder(folder):
    """steam-for-linux#3696, steam-for-linux#7549."""
    for name in ("loop", "deep/loop"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).symlink_to(folder / name)
    write(folder, {"deep/a.sav": b"a"})
    (folder / "deep" / "up").symlink_to(folder)
    found = scan(root(folder), System.LINUX)
    assert (list(found.files), sorted(found.content.links)) == (["saves/deep/a.sav"], ["deep/loop", "deep/up", "loop"])
    with pytest.raises(RootUnreadable, match="loop"):
        scan(root(folder / "loop"), System.LINUX)
