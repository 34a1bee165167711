"""A game that writes while its save is read: nothing is uploaded that was never a save."""

import asyncio
import unicodedata

import pytest
from gameshelf.savesync import snapshot as snapshots
from gameshelf.savesync.content import UploadOrigin, look_at_save, prepare_upload, scan_save
from gameshelf.savesync.download import Downloader, OnThisMachine
from gameshelf.savesync.errors import SaveChanged
from gameshelf.savesync.paths import System, to_disk
from gameshelf.savesync.places import Machine
from gameshelf.savesync.policy import FolderPolicy
from gameshelf.savesync.roots import find_roots
from gameshelf.savesync.settle import Deferred, Settled, settle
from gameshelf.savesync.snapshot import Snapshot
from gameshelf.savesync.upload import Uploader

POLICY = FolderPolicy.parse({"roots": {"saves": {"where": [{"path": "<home>/.g"}]}}})


@pytest.fixture
def saves(tmp_path):
    folder = tmp_path / ".g"
    folder.mkdir()
    return folder


@pytest.fixture
def roots(tmp_path, saves):
    return find_roots(POLICY, Machine(System.LINUX, tmp_path, "anna"), {})


class Game:
    """Writes a pair of files that only make sense together: one of them per pause."""

    def __init__(self, folder, saves):
        self.folder, self.left, self.turn = folder, saves * 2, 0

    async def pause(self, seconds):
        if self.left:
            name = "data" if self.turn % 2 else "meta"
            (self.folder / name).write_text(f"save {self.turn // 2}" + "." * self.turn)
            self.left, self.turn = self.left - 1, self.turn + 1


async def settled(game, roots, rounds=20):
    async def look():
        return await asyncio.to_thread(look_at_save, POLICY, roots, None, System.LINUX)

    async def running():
        return []

    return await settle(look, running, 10, rounds=rounds, pause=game.pause)


async def test_a_pair_is_read_when_both_are_written(saves, roots):
    assert isinstance(await settled(Game(saves, 3), roots), Settled)
    found = scan_save(POLICY, roots, None, System.LINUX)
    assert {(saves / file.disk_name).read_text()[:6] for file in found.files.values()} == {"save 2"}


async def test_an_endless_writer_is_deferred(saves, roots):
    assert await settled(Game(saves, 1_000), roots) == Deferred("files still change after 200 seconds")


def test_a_game_that_starts_during_the_snapshot_is_noticed(saves, roots, state, monkeypatch):
    for name in ("meta", "data"):
        (saves / name).write_text("save 0")
    content = scan_save(POLICY, roots, None, System.LINUX)
    copy = snapshots._copy

    def write(source, target):
        if source.path.name == "meta":  # it was scanned, and is written before it is copied
            (saves / "data").write_text("save 1.")
        return copy(source, target)

    monkeypatch.setattr(snapshots, "_copy", write)
    with pytest.raises(SaveChanged):
        prepare_upload(UploadOrigin("product", "main", "device", None), content, Snapshot(state.staging / "upload"))


async def test_a_game_that_starts_during_the_upload_changes_nothing(saves, roots, state, api, store, objects, service):
    for name in ("meta", "data"):
        (saves / name).write_text("save 0 " + name)
    content = scan_save(POLICY, roots, None, System.LINUX)
    snapshot = Snapshot(state.staging / "upload")
    new = prepare_upload(UploadOrigin("product", "main", "device", None), content, snapshot)
    for name in ("meta", "data"):
        (saves / name).write_text("save 1 " + name)
    await Uploader(api, store, state).upload(new, snapshot)
    assert set(service.contents.values()) == {b"save 0 meta", b"save 0 data"}


async def test_names_survive_the_way_through_the_cloud(saves, roots, state, api, store, service):
    """What one system calls so, another one may not: the bytes arrive, and the way back leads to the same path."""
    names = ["a:b.sav", "con.txt", "name.", "100%", "%41", unicodedata.normalize("NFD", "Ёлка.sav"), "SAVE"]
    names.append("/".join(["папка " * 8] * 4).replace(" /", "/").strip() + "/level.dat")
    for name in names:
        (saves / name).parent.mkdir(parents=True, exist_ok=True)
        (saves / name).write_text(f"content of {name}")
    content = scan_save(POLICY, roots, None, System.LINUX)
    snapshot = Snapshot(state.staging / "upload")
    new = prepare_upload(UploadOrigin("product", "main", "device", None), content, snapshot)
    done = await Uploader(api, store, state).upload(new, snapshot)
    staging = state.staging / "download"
    fetched = await Downloader(api, store, "other").fetch(
        done.savegame_id, "main", None, OnThisMachine({}, {}), staging
    )
    arrived = {path: fetched.contents[file.disk_sha256].read_text() for path, file in fetched.files.items()}
    on_disk = {to_disk(path.partition("/")[2], System.LINUX): text for path, text in arrived.items()}
    assert on_disk == {unicodedata.normalize("NFC", name): f"content of {name}" for name in names}
    assert {path: file.mtime_ns for path, file in fetched.files.items()} == {
        path: file.mtime_ns - file.mtime_ns % 1_000 for path, file in content.files.items()
    }
