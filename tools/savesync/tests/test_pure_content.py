"""What a machine says a save is: never less than it knows, whatever is missing on its disks."""

import os
from hashlib import sha256

import pytest
from gameshelf.savesync.canonical import content_identity
from gameshelf.savesync.content import UploadOrigin, look_at_save, on_device, prepare_upload, scan_save
from gameshelf.savesync.errors import RootUnreadable, SaveChanged, UnsuitablePaths
from gameshelf.savesync.files import CloudFile, LocalFile, SyncedSlot
from gameshelf.savesync.paths import System
from gameshelf.savesync.places import Machine
from gameshelf.savesync.policy import FolderPolicy
from gameshelf.savesync.roots import find_roots
from gameshelf.savesync.snapshot import Snapshot
from gameshelf.savesync.wire import NewVersion

DOCUMENT = {
    "roots": {
        "saves": {"where": [{"path": "<home>/.g/saves"}, {"path": "<xdgData>/g"}], "exclude": ["**/*.log"]},
        "config": {"where": [{"when": [{"os": "windows"}], "path": "<winAppData>/G"}]},
        "graphics": {"where": [{"path": "<home>/.g"}], "include": ["graphics.ini"], "scope": "machine"},
    }
}
POLICY = FolderPolicy.parse(DOCUMENT)
CONFIG = {"config/x.ini": CloudFile(1, "e" * 64), "other/y": CloudFile(1, "f" * 64)}


def digest(content):
    return sha256(content).hexdigest()


@pytest.fixture
def machine(tmp_path):
    return Machine(System.LINUX, tmp_path, "anna")


@pytest.fixture
def saves(tmp_path):
    return tmp_path / ".g" / "saves"


def write(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def synced(content, elsewhere=(), version=3):
    return SyncedSlot("main", "0190", version, "cc", content.files, dict(elsewhere))


class TestRoots:
    def test_the_folder_that_exists_is_chosen(self, machine, saves, tmp_path):
        assert find_roots(POLICY, machine, {}).folders == {"saves": saves}
        assert find_roots(POLICY, machine, {}).existing == {}
        second = tmp_path / ".local" / "share" / "g"
        write(second)
        assert find_roots(POLICY, machine, {}).existing == {"saves": second}
        write(saves)
        assert find_roots(POLICY, machine, {}).folders == {"saves": saves}

    def test_the_folder_of_the_last_time_stays(self, machine, saves, tmp_path):
        second = tmp_path / ".local" / "share" / "g"
        write(saves)
        write(second)
        assert find_roots(POLICY, machine, {"saves": second}).folders == {"saves": second}

    def test_roots_without_a_folder_say_why(self, machine):
        assert find_roots(POLICY, machine, {}).absent == {
            "config": "config: the policy has no place for linux",
            "graphics": "it stays on each machine",
        }

    def test_a_synchronised_folder_that_is_gone_is_an_error(self, machine, saves):
        with pytest.raises(RootUnreadable, match="the folder does not exist") as raised:
            find_roots(POLICY, machine, {"saves": saves})
        assert raised.value.path == saves

    def test_a_place_that_is_no_longer_known_is_an_error(self, machine, tmp_path):
        with pytest.raises(RootUnreadable, match="it was a folder of this save"):
            find_roots(POLICY, machine, {"config": tmp_path})

    def test_a_disk_that_is_gone_is_not_replaced(self, machine, saves, tmp_path):
        write(saves)
        with pytest.raises(RootUnreadable, match="the folder does not exist") as raised:
            find_roots(POLICY, machine, {"saves": tmp_path / "old"})
        assert raised.value.hints[-1] == f"if the save is in {saves} now: --root saves={saves}"
        assert raised.value.path == tmp_path / "old"

    def test_a_save_that_was_moved(self, machine, saves, tmp_path):
        """The player names the new folder, or the policy of a new version of the game does."""
        write(saves)
        named = find_roots(POLICY, machine, {"saves": tmp_path / "gone"}, {"saves": saves})
        assert (named.folders, named.moved) == ({"saves": saves}, ("saves",))
        write(tmp_path / "old")
        found = find_roots(POLICY, machine, {"saves": tmp_path / "old"})
        assert (found.folders, found.moved) == ({"saves": saves}, ("saves",))
        assert find_roots(POLICY, machine, {"saves": saves}).moved == ()

    def test_a_chosen_folder_that_is_gone_is_an_error(self, machine, tmp_path):
        gone = {"saves": tmp_path / "gone"}
        with pytest.raises(RootUnreadable):
            find_roots(POLICY, machine, gone, gone)

    def test_a_chosen_folder_wins(self, machine, saves, tmp_path):
        write(saves)
        assert find_roots(POLICY, machine, {}, {"saves": tmp_path}).folders == {"saves": tmp_path}
        assert find_roots(FolderPolicy(), machine, {}, {"any": tmp_path}).existing == {"any": tmp_path}


@pytest.fixture
def scanned(machine):
    def scan(base=None, policy=POLICY, synced_roots=()):
        return scan_save(policy, find_roots(policy, machine, dict(synced_roots)), base, System.LINUX)

    return scan


class TestContent:
    def test_the_files_of_all_roots(self, scanned, saves):
        write(saves, a=b"a", log=b"")
        (saves / "x.log").write_bytes(b"")
        content = scanned()
        assert set(content.files) == {"saves/a", "saves/log"}
        assert content.identity == content_identity(content.files)
        assert on_device("main", content, None, {}).attributes() == {
            "slot_name": "main",
            "content_hash": content.identity,
            "base_version": 0,
        }

    def test_another_time_is_the_same_save(self, scanned, saves):
        """Disks with local times shift by an hour twice a year."""
        write(saves, a=b"a")
        before = scanned().identity
        os.utime(saves / "a", ns=(0, (saves / "a").stat().st_mtime_ns + 3_600_000_000_000))
        assert scanned().identity == before

    def test_an_empty_machine_has_nothing(self, scanned):
        content = scanned()
        assert content.identity is None
        assert content.emptied == ()

    def test_files_of_other_machines_are_part_of_it(self, scanned, saves):
        write(saves, a=b"a")
        base = synced(scanned(), CONFIG)
        content = scanned(base)
        assert set(content.elsewhere) == {"config/x.ini"}  # the policy has no root named other
        assert content.identity == content_identity({**content.files, **content.elsewhere})
        assert on_device("main", content, base, {}).attributes()["base_version"] == 3

    def test_a_root_that_was_emptied_is_named(self, scanned, saves):
        write(saves, a=b"a")
        base = synced(scanned())
        (saves / "a").unlink()
        assert scanned(base).emptied == ("saves",)

    def test_a_folder_that_is_new_deletes_nothing(self, scanned, saves):
        """The game was just installed here, and wrote its defaults before the first download."""
        base = SyncedSlot("main", "0190", 3, "cc", {}, {"saves/a": CloudFile(1, "a" * 64)})
        write(saves, a=b"default")
        content = scanned(base)
        assert content.arriving == ("saves",)
        assert content.files == {}
        assert content.elsewhere == base.elsewhere

    def test_a_folder_that_was_moved_grows_from_nothing(self, scanned, saves, tmp_path):
        write(saves, a=b"default")
        write(tmp_path / "old")
        base = SyncedSlot("main", "0190", 3, "cc", {"saves/a": LocalFile(9, 1, "a" * 64, "a")})
        content = scanned(base, synced_roots={"saves": tmp_path / "old"})
        said = on_device("main", content, base, {}).attributes()
        assert (said["savegame_id"], said["base_version"]) == ("0190", 0)

    def test_two_roots_in_one_folder(self, scanned, saves):
        shared = {"where": [{"path": "<home>/.g/saves"}]}
        roots = {"first": {**shared, "include": ["a*"]}, "second": {**shared, "include": ["*"]}}
        write(saves, a1=b"a", b1=b"b")
        assert set(scanned(policy=FolderPolicy.parse({"roots": roots})).files) == {"first/a1", "second/b1"}

    @pytest.mark.skipif(os.name == "nt", reason="links need a right of their own there")
    def test_links_are_named(self, scanned, saves, tmp_path):
        write(saves)
        (saves / "link").symlink_to(tmp_path)
        assert scanned().links == (saves / "link",)

    def test_names_of_other_machines_collide_with_these(self, scanned, saves):
        write(saves, a=b"a")
        policy = FolderPolicy.parse({"roots": {**DOCUMENT["roots"], "saves": {"where": [{"path": "<home>/.g/saves"}]}}})
        base = SyncedSlot("main", "0190", 3, "cc", {}, {"config/A": CloudFile(1, "a" * 64)})
        assert set(scanned(base, policy).elsewhere) == {"config/A"}
        both = SyncedSlot("main", "0190", 3, "cc", {}, {"config/a": CONFIG["other/y"], "config/A": CONFIG["other/y"]})
        with pytest.raises(UnsuitablePaths):
            scanned(both, policy)

    def test_a_look_shows_a_change(self, machine, saves):
        write(saves, a=b"a")
        roots = find_roots(POLICY, machine, {})
        before = look_at_save(POLICY, roots, None, System.LINUX)
        assert scan_save(POLICY, roots, None, System.LINUX).look == before
        assert look_at_save(POLICY, roots, None, System.LINUX) == before
        write(saves, a=b"ab")
        assert look_at_save(POLICY, roots, None, System.LINUX) != before


class TestUpload:
    @pytest.fixture
    def snapshot(self, tmp_path):
        return Snapshot(tmp_path / "staging")

    def test_the_whole_list_is_said_and_the_new_is_copied(self, scanned, saves, snapshot):
        write(saves, a=b"a", b=b"b")
        base = synced(scanned(), CONFIG)
        write(saves, b=b"B")
        origin = UploadOrigin("product", "main", "device", base, {"comment": "hello"})
        said = prepare_upload(origin, scanned(base), snapshot).attributes()
        assert [file["path"] for file in said["files"]] == ["config/x.ini", "saves/a", "saves/b"]
        assert (said["base_version"], said["savegame_id"], said["comment"]) == (3, "0190", "hello")
        assert snapshot.path_of(digest(b"B")).read_bytes() == b"B"
        assert snapshot.path_of(digest(b"a")) == saves / "a"

    def test_the_first_version_grows_from_nothing(self, scanned, saves, snapshot):
        write(saves, large=bytes(9 * 1024**2))
        said = prepare_upload(UploadOrigin("product", "main", "device", None), scanned(), snapshot).attributes()
        assert said["base_version"] == 0
        assert "savegame_id" not in said
        assert [len(file["part_sha256"]) for file in said["files"]] == [2]

    def test_a_change_since_the_scan_is_noticed(self, scanned, saves, snapshot):
        write(saves, a=b"a", b=b"b")
        base = synced(scanned())
        write(saves, a=b"A")
        content = scanned(base)
        write(saves, b=b"B!")
        with pytest.raises(SaveChanged):
            prepare_upload(UploadOrigin("product", "main", "device", base), content, snapshot)


def test_times_beyond_the_protocol_are_left_out():
    ancient = {"saves/a": LocalFile(1, -5, "a" * 64, "a"), "saves/b": LocalFile(1, 2**62, "b" * 64, "b")}
    said = NewVersion("product", "main", "device", ancient).attributes()
    assert [file.get("modified_at") for file in said["files"]] == [None, "2116-02-20T23:53:38.427387Z"]
