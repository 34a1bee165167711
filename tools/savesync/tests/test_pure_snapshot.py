"""What is sent is what was scanned: copies of one moment, and large files that are read again."""

import errno
import os
from hashlib import sha256
from pathlib import Path

import pytest
from gameshelf.savesync import snapshot as snapshots
from gameshelf.savesync.cache import Stamp
from gameshelf.savesync.errors import SaveChanged, StagingFailed
from gameshelf.savesync.snapshot import Snapshot, SnapshotSource


@pytest.fixture
def game(tmp_path):
    folder = tmp_path / "game"
    folder.mkdir()
    return folder


@pytest.fixture
def snapshot(tmp_path):
    return Snapshot(tmp_path / "staging")


def source(path, content):
    path.write_bytes(content)
    return SnapshotSource(path, Stamp.of(path.stat()), sha256(content).hexdigest())


def test_a_change_after_the_snapshot_is_not_sent(game, snapshot):
    a = source(game / "a", b"old")
    snapshot.take([a])
    (game / "a").write_bytes(b"new")
    assert snapshot.path_of(a.sha256).read_bytes() == b"old"
    snapshot.verify()
    assert snapshot.path_of("unknown") is None
    snapshot.clear()
    assert snapshot.path_of(a.sha256) is None


@pytest.mark.parametrize("change", [b"new", b"other", None])
def test_a_change_since_the_scan_is_noticed(game, snapshot, change):
    a = source(game / "a", b"old")
    (game / "a").unlink() if change is None else (game / "a").write_bytes(change)
    with pytest.raises(SaveChanged) as raised:
        snapshot.take([a])
    assert raised.value.path == game / "a"


def test_a_change_of_another_file_is_noticed(game, snapshot):
    """The game has written b before a was copied: together they would be a save that never was."""
    a, b = source(game / "a", b"a1"), source(game / "b", b"b1")
    source(game / "b", b"b2 ")
    with pytest.raises(SaveChanged) as raised:
        snapshot.take([a], [b])
    assert raised.value.path == game / "b"


def test_copies_of_an_interrupted_run_are_used(game, snapshot, tmp_path, monkeypatch):
    a, b = source(game / "a", b"a"), source(game / "b", b"b")
    snapshot.take([a, b])
    (tmp_path / "staging" / "half.part").write_bytes(b"")
    monkeypatch.setattr(snapshots, "_copy", None)
    Snapshot(tmp_path / "staging").take([a])
    assert [path.name for path in (tmp_path / "staging").iterdir()] == [a.sha256]


def test_what_the_cloud_has_lost_is_read_where_it_is(game, snapshot):
    a, b = source(game / "a", b"a"), source(game / "b", b"b")
    snapshot.take([a], [b])
    assert snapshot.path_of(b.sha256) == game / "b"
    (game / "b").write_bytes(b"B")
    with pytest.raises(SaveChanged):
        snapshot.verify()


class TestLarge:
    @pytest.fixture(autouse=True)
    def _small_limit(self, monkeypatch):
        monkeypatch.setattr(snapshots, "LARGE", 4)
        monkeypatch.setattr(snapshots, "_shares_blocks", lambda original, copy: False)

    def test_it_stays_where_it_is(self, game, snapshot, tmp_path):
        a = source(game / "a", b"large")
        snapshot.take([a])
        assert snapshot.path_of(a.sha256) == game / "a"
        assert list((tmp_path / "staging").iterdir()) == []
        snapshot.verify()

    def test_a_change_while_it_is_sent_is_noticed(self, game, snapshot):
        snapshot.take([source(game / "a", b"large")])
        (game / "a").write_bytes(b"LARGE")
        with pytest.raises(SaveChanged):
            snapshot.verify()


@pytest.fixture
def refusing(monkeypatch):
    """A disk that refuses every copy with an error."""

    def refuse(number):
        opened = Path.open

        def open_file(path, mode="r", *args, **options):
            file = opened(path, mode, *args, **options)
            if path.suffix == ".part":
                file.close()
                raise OSError(number, os.strerror(number))
            return file

        monkeypatch.setattr(Path, "open", open_file)

    return refuse


def test_a_disk_that_fails_is_named(game, snapshot, tmp_path, refusing):
    a = source(game / "a", b"a")
    refusing(errno.EIO)
    with pytest.raises(StagingFailed, match="Input/output error") as raised:
        snapshot.take([a])
    assert raised.value.path.parent == tmp_path / "staging"
    assert list((tmp_path / "staging").iterdir()) == []


def test_without_room_for_copies_files_are_sent_where_they_are(game, snapshot, tmp_path, refusing):
    a = source(game / "a", b"a")
    refusing(errno.ENOSPC)
    snapshot.take([a])
    assert snapshot.path_of(a.sha256) == game / "a"
    assert list((tmp_path / "staging").iterdir()) == []
    snapshot.verify()
    (game / "a").write_bytes(b"b")
    with pytest.raises(SaveChanged):
        snapshot.verify()
