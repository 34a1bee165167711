"""The state of a device survives, and is never half written; one process at a time has the lock."""

import json
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from gameshelf.savesync.errors import LockHeld, StateUnusable
from gameshelf.savesync.files import CloudFile, LocalFile, SyncedSlot
from gameshelf.savesync.installation import machine_mark, system_of
from gameshelf.savesync.lock import locked
from gameshelf.savesync.state import SaveState, device_of

FILES = {"saves/Мир/a": LocalFile(3, 17, "aa", "Мир/a"), "saves/b": LocalFile(1, 2**62, "bb", "b")}
ELSEWHERE = {
    "config/a": CloudFile(3, "aa", 17, "bb", 9, "gzip"),
    "config/b": CloudFile(1, "bb", encryption={"scheme": "x"}),
}
SLOT = SyncedSlot("main", "0190", 3, "cc", FILES, ELSEWHERE)


@pytest.fixture
def state(tmp_path):
    return SaveState(tmp_path / "state")


def test_a_slot_is_read_back(state):
    assert state.slot("main") is None
    state.record(SLOT, {"saves": Path("/saves")})
    again = SaveState(state.folder)
    assert again.slot("main") == SLOT
    assert again.slots() == [SLOT]
    assert again.root_folders(["main"]) == {"saves": Path("/saves")}
    assert again.root_folders(["second"]) == {}


def test_a_new_version_replaces_all_files(state):
    state.record(SLOT, {"saves": Path("/old"), "config": Path("/config")})
    newer = SyncedSlot("main", "0190", 4, "dd", {"saves/b": FILES["saves/b"]})
    state.record(newer, {"saves": Path("/new")})
    assert state.slots() == [newer]
    state.record(SyncedSlot("second", "0191", 1, "ee", {}), {"saves": Path("/second")})
    assert state.root_folders(["main"]) == {"config": Path("/config"), "saves": Path("/new")}
    assert state.folders() == [("config", Path("/config")), ("saves", Path("/new")), ("saves", Path("/second"))]


def test_a_slot_without_files(state):
    state.record(SyncedSlot("main", "0190", 5, "ee", {}), {})
    assert state.slot("main").files == {}


def test_a_failure_leaves_the_slot_as_it_was(state):
    state.record(SLOT, {})
    broken = SyncedSlot("main", "0190", 4, "dd", {"saves/a": LocalFile(1, 2, "aa", None)})
    with pytest.raises(StateUnusable):
        state.record(broken, {})
    assert state.slot("main") == SLOT


def test_an_upload_is_remembered_until_its_commit(state):
    assert state.started_upload("main") is None
    state.note_upload("main", "u1", {"base_version": 2})
    found = state.started_upload("main")
    assert (found.upload_id, found.request) == ("u1", {"base_version": 2})
    state.note_upload("main", "u2", {})
    assert state.started_upload("main").upload_id == "u2"
    state.record(SLOT, {})
    assert state.started_upload("main") is None


def test_a_newer_format_is_left_alone(state):
    state.record(SLOT, {})
    with closing(sqlite3.connect(state.folder / "state.db")) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StateUnusable, match="newer version of this client"):
        state.slots()


def test_an_older_format_is_refused_with_what_to_do(state):
    """Columns have been added since, before any release: no state of a player has the format."""
    state.folder.mkdir()
    with closing(sqlite3.connect(state.folder / "state.db")) as connection:
        connection.execute("CREATE TABLE slots (slot_name TEXT PRIMARY KEY)")
        connection.execute("PRAGMA user_version = 1")
    with pytest.raises(StateUnusable, match="format 1 is of an older version of this client; move the file away"):
        state.slots()
    with closing(sqlite3.connect(state.folder / "state.db")) as connection:
        assert connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall() == [("slots",)]


def test_whether_a_game_synchronises_is_remembered(state):
    assert state.auto_sync()
    for value in (False, False, True):
        state.note_auto_sync(value)
        assert SaveState(state.folder).auto_sync() is value


def test_a_damaged_file_is_named(state):
    state.folder.mkdir()
    (state.folder / "state.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StateUnusable, match="the file is damaged") as raised:
        state.slots()
    assert raised.value.path == state.folder / "state.db"


class TestDevice:
    def test_the_id_stays(self, tmp_path):
        made = device_of(tmp_path / "deep" / "device.json", "deck")
        assert made.device_name == "deck"
        assert device_of(tmp_path / "deep" / "device.json", "other") == made
        assert [path.name for path in (tmp_path / "deep").iterdir()] == ["device.json"]

    def test_two_processes_have_one_id(self, tmp_path):
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda _: device_of(tmp_path / "device.json"), range(32)))
        assert len(set(made)) == 1

    @pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"device_id": "x"}', b'{"device_id": 1}', b"\xff"])
    def test_a_file_that_is_no_device_is_named(self, tmp_path, content):
        (tmp_path / "device.json").write_bytes(content)
        with pytest.raises(StateUnusable, match="remove the file"):
            device_of(tmp_path / "device.json")

    def test_a_copied_home_folder_is_another_device(self, tmp_path):
        first = device_of(tmp_path / "device.json", "pc", "one machine")
        assert device_of(tmp_path / "device.json", "pc", "one machine") == first
        assert device_of(tmp_path / "device.json", "pc", None) == first
        copy = device_of(tmp_path / "device.json", "laptop", "another machine")
        assert (copy.device_id != first.device_id, copy.device_name) == (True, "laptop")
        assert device_of(tmp_path / "device.json", "laptop", "another machine") == copy

    def test_a_machine_has_one_mark(self):
        assert machine_mark(system_of()) == machine_mark(system_of())

    def test_a_name_that_is_no_text_is_none(self, tmp_path):
        device_of(tmp_path / "device.json")
        said = json.loads((tmp_path / "device.json").read_bytes())
        (tmp_path / "device.json").write_text(json.dumps({**said, "device_name": 1}))
        assert device_of(tmp_path / "device.json").device_name is None


class TestLock:
    def test_a_second_holder_is_refused(self, tmp_path):
        with locked(tmp_path / "state" / "lock"), pytest.raises(LockHeld, match="process"):
            locked(tmp_path / "state" / "lock").__enter__()
        with locked(tmp_path / "state" / "lock"):
            pass

    def test_a_lock_ends_with_its_process(self, tmp_path):
        holder = (
            "import sys, os; from pathlib import Path; from gameshelf.savesync.lock import locked\n"
            "held = locked(Path(sys.argv[1])); held.__enter__(); print('held', flush=True)\n"
            "sys.stdin.read(); os._exit(1)"
        )
        with subprocess.Popen(
            [sys.executable, "-c", holder, tmp_path / "lock"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout.readline() == b"held\n"
            with pytest.raises(LockHeld, match=f"process {process.pid}"):
                locked(tmp_path / "lock").__enter__()
            process.kill()
            process.wait()
            with locked(tmp_path / "lock"):
                pass
