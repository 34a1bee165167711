"""What an apply does when the folders are not as they should be: the old files stay, and the error names the path."""

import os
import shutil
import signal
import sys
from pathlib import Path
from subprocess import CompletedProcess
from unicodedata import normalize

import pytest
from gameshelf.savesync import crash as crashes
from gameshelf.savesync import reference_client
from gameshelf.savesync.conformance import KitDevice, content_of

V1 = {"saves/a.sav": b"one", "saves/w/b.sav": b"two", "saves/w/c.sav": b"three"}
V2 = {"saves/a.sav": b"one, further", "saves/w/b.sav": b"two, further", "saves/new/d.sav": b"four"}


class ForkedDevice(KitDevice):
    """Runs the reference client in a copy of this process: an interpreter for each of a hundred runs takes too long."""

    def __init__(self, home):
        super().__init__(home, ())

    def run(self, version=None, crash="", user=None):
        with (self.home / "error").open("w+") as error:
            child = os.fork()
            if not child:
                crashes._WANTED = crash
                os.environ["KIT_USER"] = str(user or "")
                sys.argv[1:] = [str(self.state), str(version or "--recover")]
                code = 1
                try:
                    reference_client.main()
                    code = 0
                except SystemExit as ended:
                    error.write(str(ended.code))
                    error.flush()
                finally:
                    os._exit(code)
            _, status = os.waitpid(child, 0)
            error.seek(0)
            return CompletedProcess((), os.waitstatus_to_exitcode(status), "", error.read())


@pytest.fixture
def machine(tmp_path):
    machine = ForkedDevice(tmp_path / "device")
    assert machine.run(machine.version(1, V1)).returncode == 0
    return machine


@pytest.fixture
def saves(machine):
    return machine.roots["saves"]


@pytest.fixture
def v2(machine):
    return machine.version(2, V2)


def kill(machine, version, point):
    assert machine.run(version, point).returncode == -signal.SIGKILL


def in_the_middle(machine, v2):
    """Kills the client between two steps of v2; returns the point."""
    kill(machine, v2, "step-2-before")


def test_a_version_is_applied_byte_for_byte(machine, saves, v2):
    assert machine.run(v2).returncode == 0
    assert {path: file[0] for path, file in content_of(saves).items() if file} == {
        path.removeprefix("saves/"): content for path, content in V2.items()
    }
    assert machine.reported() == ["1", "2"]
    assert not list(machine.state.glob("journal*"))


def test_times_of_files_are_those_of_the_version(machine, saves, v2):
    machine.run(v2)
    assert (saves / "a.sav").stat().st_mtime_ns == 1_700_000_000_000_000_000 + 2 * 10**12


def test_a_second_run_changes_nothing(machine, saves, v2):
    machine.run(v2)
    before = content_of(saves)
    assert machine.run(v2).returncode == 0
    assert content_of(saves) == before
    assert machine.reported() == ["1", "2"]


def test_files_that_were_never_synced_stay(machine, saves, v2):
    (saves / "w" / "mine.sav").write_bytes(b"never uploaded")
    (saves / "w" / "engine.bin").write_bytes(b"the game's own")
    assert machine.run(v2).returncode == 0
    assert (saves / "w" / "mine.sav").read_bytes() == b"never uploaded"
    assert (saves / "w" / "engine.bin").exists()


def test_a_narrower_policy_deletes_and_writes_nothing_beyond_it(machine, saves):
    machine.settings([".dat"])
    before = content_of(saves)
    assert machine.run(machine.version(2, {"saves/a.sav": b"x", "saves/e.dat": b"y"})).returncode == 0
    found = content_of(saves)
    assert found.pop("e.dat")[0] == b"y"
    assert found == before


def test_a_root_that_vanished_before_stops_the_apply(machine, saves, v2):
    saves.rename(machine.home / "unmounted")
    refused = machine.run(v2)
    assert refused.returncode == 1
    assert f"RootMissing: {saves}: the folder is not there" in refused.stderr
    assert not saves.exists()
    (machine.home / "unmounted").rename(saves)
    assert machine.run(v2).returncode == 0


@pytest.mark.parametrize("is_mount_point", [True, False])
def test_a_root_that_vanished_meanwhile_waits(machine, saves, v2, is_mount_point):
    in_the_middle(machine, v2)
    saves.rename(machine.home / "unmounted")
    if is_mount_point:
        saves.mkdir()
    refused = machine.run()
    assert refused.returncode == 1
    assert "RootMissing" in refused.stderr
    assert (machine.state / "journal.json").exists()
    if is_mount_point:
        saves.rmdir()
    (machine.home / "unmounted").rename(saves)
    assert machine.run().returncode == 0
    assert (saves / "a.sav").read_bytes() == V2["saves/a.sav"]
    assert machine.reported() == ["1", "2"]


def test_a_game_that_writes_before_the_apply_keeps_its_file(machine, saves, v2):
    before = content_of(saves)
    kill(machine, v2, "journal-applying")  # everything is staged
    (saves / "a.sav").write_bytes(b"the game played on")
    assert machine.run().returncode == 0
    assert (saves / "a.sav").read_bytes() == V2["saves/a.sav"]
    kept = list((saves / ".gameshelf-save" / "rescued").rglob("*"))
    assert [one.read_bytes() for one in kept if one.is_file()] == [b"the game played on"]
    assert before != content_of(saves)


def test_a_game_that_writes_on_a_new_file_keeps_its_change(machine, saves, v2):
    kill(machine, v2, "step-2-after")
    (saves / "a.sav").write_bytes(b"written on a mixture")
    assert machine.run().returncode == 0
    found = [one.read_bytes() for one in saves.rglob("*") if one.is_file()]
    assert b"written on a mixture" in found


def test_staged_files_that_are_lost_lead_back_to_v1(machine, saves, v2):
    before = content_of(saves)
    in_the_middle(machine, v2)
    shutil.rmtree(saves / ".gameshelf-save" / "new")
    assert machine.run().returncode == 0
    assert content_of(saves) == before
    assert machine.reported() == ["1"]
    assert machine.run(v2).returncode == 0


def test_a_kill_during_the_way_back_leads_to_v1(machine, saves, v2):
    before = content_of(saves)
    kill(machine, v2, "step-4-before")
    shutil.rmtree(saves / ".gameshelf-save" / "new")
    assert machine.run(crash="undo-1-before").returncode == -signal.SIGKILL
    assert machine.run().returncode == 0
    assert content_of(saves) == before


def test_a_lost_journal_keeps_the_old_files(machine, saves, v2):
    kill(machine, v2, "step-2-after")
    (machine.state / "journal.json").unlink()
    assert machine.run().returncode == 0
    kept = [one.read_bytes() for one in (saves / ".gameshelf-save" / "rescued").rglob("*") if one.is_file()]
    assert b"one" in kept or b"three" in kept


def test_a_broken_journal_stops_everything(machine, saves, v2):
    in_the_middle(machine, v2)
    before = content_of(saves)
    text = (machine.state / "journal.json").read_text()
    (machine.state / "journal.json").write_text(text[:-10])
    refused = machine.run(v2)
    assert refused.returncode == 1
    assert "JournalBroken" in refused.stderr
    assert content_of(saves) == before
    (machine.state / "journal.json").write_text(text)
    assert machine.run(v2).returncode == 0


def test_another_client_with_unfinished_work_is_refused(machine, saves, v2, tmp_path):
    in_the_middle(machine, v2)
    other = ForkedDevice(tmp_path / "other")
    other.roots["saves"] = saves
    other.settings([".sav"])
    refused = other.run(other.version(1, {"saves/x.sav": b"x"}))
    assert "RootBusy" in refused.stderr
    assert machine.run().returncode == 0
    assert (saves / "a.sav").read_bytes() == V2["saves/a.sav"]


def test_a_read_only_file_is_replaced_and_stays_read_only(machine, saves, v2):
    (saves / "a.sav").chmod(0o444)
    assert machine.run(v2).returncode == 0
    assert (saves / "a.sav").read_bytes() == V2["saves/a.sav"]
    assert (saves / "a.sav").stat().st_mode & 0o777 == 0o444


@pytest.mark.skipif(os.getuid() != 0, reason="needs another user")
def test_a_folder_without_permission_leaves_v1(machine, saves, v2):
    before = content_of(saves)
    for one in [*machine.home.rglob("*"), machine.home]:
        os.chown(one, 65534, 65534)
    for one in machine.home.parents[:-2]:
        one.chmod(0o755)
    (saves / "w").chmod(0o555)
    refused = machine.run(v2, user=65534)
    (saves / "w").chmod(0o755)
    assert "DiskFailed: saves/w/" in refused.stderr
    assert "Permission denied" in refused.stderr
    assert content_of(saves) == before
    assert machine.run(v2).returncode == 0


def test_a_folder_with_other_files_keeps_its_place(machine, saves):
    (saves / "w" / "engine.bin").write_bytes(b"the game's own")
    before = content_of(saves)
    machine.settings(["w", ".sav"])
    refused = machine.run(machine.version(2, {"saves/a.sav": b"one", "saves/w": b"a file"}))
    assert "PathInTheWay: saves/w: a folder with other files ('w/engine.bin') has its place" in refused.stderr
    assert content_of(saves) == before


def test_a_link_out_of_the_root_is_not_written_through(machine, saves, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (saves / "new").symlink_to(outside)
    refused = machine.run(machine.version(2, {**V1, "saves/new/d.sav": b"four"}))
    assert "PathInTheWay: saves/new/d.sav: 'new' is a link" in refused.stderr
    assert not list(outside.iterdir())


@pytest.mark.parametrize(
    "path", ["saves/../x.sav", "saves//x.sav", "saves/.gameshelf-save/new/1.sav", "saves/C:/x.sav", "/etc/x.sav"]
)
def test_a_path_that_no_save_may_have_is_refused(machine, saves, path):
    before = content_of(machine.home / "disk")
    refused = machine.run(machine.version(2, {**V1, path: b"x"}))
    assert refused.returncode in (0, 1)
    assert content_of(machine.home / "disk") == before
    assert "PathRefused" in refused.stderr or path.startswith("/")


def test_a_name_that_is_too_long_for_the_disk_leaves_v1(machine, saves):
    before = content_of(saves)
    refused = machine.run(machine.version(2, {**V1, f"saves/{'я' * 200}.sav": b"x"}))
    assert "DiskFailed" in refused.stderr
    assert "яяя.sav" in refused.stderr
    assert content_of(saves) == before


def test_two_paths_that_are_one_file_here_leave_v1(machine, saves):
    before = content_of(saves)
    refused = machine.run(machine.version(2, {"saves/a%2541.sav": b"1", "saves/a%41.sav": b"2"}))
    assert "PathInTheWay: saves/a%41.sav: 'saves/a%2541.sav' would be the same file" in refused.stderr
    assert content_of(saves) == before


def test_a_path_of_three_hundred_characters_is_applied(machine, saves):
    path = "saves/" + "/".join(["folder" * 5] * 10) + "/deep.sav"
    assert len(path) > 300
    assert machine.run(machine.version(2, {**V1, path: b"deep"})).returncode == 0
    assert (machine.roots["saves"] / Path(path).relative_to("saves")).read_bytes() == b"deep"


def test_a_name_in_nfd_stays_as_the_disk_spells_it(machine, saves):
    nfd = normalize("NFD", "й.sav")
    (saves / nfd).write_bytes(b"old")
    assert machine.run(machine.version(2, {**V1, "saves/й.sav": b"new"})).returncode == 0
    assert {one.name for one in saves.glob("*.sav")} == {"a.sav", nfd}
    assert (saves / nfd).read_bytes() == b"new"


def test_a_new_spelling_of_a_path_moves_the_file(machine, saves):
    machine.run(machine.version(2, {**{k: v for k, v in V1.items() if k != "saves/a.sav"}, "saves/A.sav": b"one"}))
    assert (saves / "A.sav").read_bytes() == b"one"
    assert not (saves / "a.sav").exists()


def test_a_new_spelling_of_a_folder_moves_its_files(machine, saves):
    (saves / "w" / "engine.bin").write_bytes(b"the game's own")
    done = machine.run(machine.version(2, {"saves/a.sav": b"one", "saves/W/b.sav": b"two", "saves/W/c.sav": b"3"}))
    assert done.returncode == 0, done.stderr
    assert (saves / "W" / "b.sav").read_bytes() == b"two"
    assert (saves / "w" / "engine.bin").exists()


def test_folders_that_this_client_made_go_when_empty(machine, saves):
    assert (saves / "w").is_dir()
    (saves / "game").mkdir()
    machine.run(machine.version(2, {"saves/a.sav": b"one", "saves/game/x.sav": b"x"}))
    assert not (saves / "w").exists()
    machine.run(machine.version(3, {"saves/a.sav": b"one"}))
    assert (saves / "game").is_dir()


def test_a_content_that_is_broken_leaves_v1(machine, saves, v2):
    before = content_of(saves)
    for one in machine.contents.iterdir():
        one.write_bytes(one.read_bytes() + b"!")
    refused = machine.run(v2)
    assert "ContentBroken: saves/" in refused.stderr
    assert content_of(saves) == before
    assert not list(machine.state.glob("journal*"))


def test_a_full_disk_leaves_v1(machine, small_disk):
    machine.roots["saves"] = saves = small_disk / "saves"
    saves.mkdir()
    machine.settings([".sav"])
    (machine.state / "synced.json").unlink()
    assert machine.run(machine.version(2, V1)).returncode == 0
    before = content_of(saves)
    refused = machine.run(machine.version(3, {**V2, "saves/w/large.sav": b"x" * 2_000_000}))
    assert "DiskFailed: saves/w/large.sav: No space left on device" in refused.stderr
    assert content_of(saves) == before
    assert not list(machine.state.glob("journal*"))
    assert machine.run(machine.version(4, V2)).returncode == 0


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_a_file_that_is_read_only_is_replaced_and_stays_so(machine, saves, v2):
    """Some games protect their saves (ludusavi#404, restic#656)."""
    (saves / "a.sav").chmod(0o444)
    for one in [*machine.home.rglob("*"), machine.home]:
        os.chown(one, 65534, 65534)
    for one in machine.home.parents[:-2]:
        one.chmod(0o755)
    assert machine.run(v2, user=65534).returncode == 0
    assert (saves / "a.sav").read_bytes() == V2["saves/a.sav"]
    assert (saves / "a.sav").stat().st_mode & 0o777 == 0o444
