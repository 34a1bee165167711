"""Any version onto any folder, killed at any point: the folder is the version before or the new one.

The kills are exceptions that nothing handles, so many cases are tried; ``test_apply_killed.py`` kills processes.
"""

import errno
import shutil
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from unicodedata import normalize
from unittest.mock import patch

import pytest
from gameshelf.savesync import apply as applying
from gameshelf.savesync import apply_plan, journal
from gameshelf.savesync.apply import FolderApplier
from gameshelf.savesync.apply_errors import ApplyError, DiskFailed, FileChanged
from gameshelf.savesync.apply_plan import ApplyTarget
from gameshelf.savesync.conformance import content_of
from gameshelf.savesync.files import CloudFile, FetchedVersion, LocalFile, SyncedSlot
from gameshelf.savesync.paths import System, problems, to_cloud
from gameshelf.savesync.work_folder import WorkFolder
from hypothesis import assume, given, settings
from hypothesis import strategies as st

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""A disk on which fsync costs nothing: no power fails here, and renames are what they are elsewhere."""
NAMES = st.sampled_from(["a", "A", "b", "й", "мир", "a%41", "x:y"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda parts: "saves/" + "/".join(parts))
CONTENTS = st.sampled_from([b"one", b"two", b"three", b""])
OWN = st.sampled_from(["a/own", "own", "мир/own", "b/a/own"])


def version_paths(files):
    """As the cloud has them: escaped, without collisions."""
    escaped = {f"saves/{to_cloud(path.removeprefix('saves/'), System.LINUX)}": one for path, one in files.items()}
    return None if problems(list(escaped)) else escaped


VERSIONS = st.dictionaries(PATHS, CONTENTS, min_size=1, max_size=6).map(version_paths).filter(bool)


class Killed(BaseException):
    """Nothing handles it, as nothing handles a kill."""


class Points:
    """Counts the points that are passed, and kills at one of them."""

    def __init__(self, at=None):
        self.at, self.passed = at, 0

    def __call__(self, _name):
        self.passed += 1
        if self.passed == self.at:
            raise Killed


class Killing:
    """Kills at the point with a name."""

    def __init__(self, name):
        self.name = name

    def __call__(self, name):
        if name == self.name:
            raise Killed


class Folder:
    """A device with one root, without a process."""

    def __init__(self, home):
        self.root, self.state, self.contents = home / "root", home / "state", home / "contents"
        for folder in (self.root, self.state, self.contents):
            folder.mkdir(parents=True)
        self.synced = None

    def scan(self):
        found = {}
        for disk, content in content_of(self.root).items():
            if content is not None and not disk.endswith("own") and ".gameshelf-save" not in disk:
                digest = sha256(content[0]).hexdigest()
                size, at = len(content[0]), (self.root / disk).stat().st_mtime_ns
                found[f"saves/{to_cloud(disk, System.LINUX)}"] = LocalFile(size, at, digest, disk)
        return found

    def target(self, number, files):
        listed = {}
        for place, (path, content) in enumerate(files.items()):
            digest = sha256(content).hexdigest()
            (self.contents / digest).write_bytes(content)
            listed[path] = CloudFile(len(content), digest, mtime_ns=10**18 + number * 10**12 + place * 10**9)
        contents = {one.sha256: self.contents / one.sha256 for one in listed.values()}
        version = FetchedVersion("main", "id", number, f"identity {number}", listed, contents)
        made = FolderApplier(self.state).made_folders
        return ApplyTarget(version, {"saves": self.root}, self.scan(), self.synced, made_folders=made)

    def record(self, applied, points=lambda _name: None):
        self.synced = applied.slot
        points("recorded")
        FolderApplier(self.state).finish()

    def apply(self, number, files, points=None):
        points = points or Points()
        with patch.object(applying, "crash_point", points), patch.object(journal, "crash_point", points):
            self.record(FolderApplier(self.state).apply(self.target(number, files)), points)

    def recover(self):
        recovery = FolderApplier(self.state).recover([("saves", self.root)])
        if recovery and recovery.applied:
            self.record(recovery.applied)
        return recovery

    @property
    def bytes(self):
        return {disk: content and content[0] for disk, content in content_of(self.root).items()}

    def expected(self, files):
        """The bytes of a version by path, as the scan names them."""
        return {path: sha256(content).hexdigest() for path, content in files.items()}

    @property
    def hashes(self):
        return {path: file.sha256 for path, file in self.scan().items()}


@settings(max_examples=60, deadline=None)
@given(first=VERSIONS, second=VERSIONS, third=VERSIONS, own=st.sets(OWN, max_size=2))
def test_versions_follow_each_other(first, second, third, own):
    with TemporaryDirectory(dir=MEMORY) as home:
        folder = Folder(Path(home) / "device")
        folder.apply(1, first)
        put_own_files(folder, own)
        for number, files in enumerate((second, third), 2):
            before = content_of(folder.root)
            try:
                folder.apply(number, files)
            except ApplyError:  # a file of the game has the place of one
                assert own
                assert content_of(folder.root) == before
                return
            assert folder.hashes == folder.expected(files)
        assert all((folder.root / one).read_bytes() == b"of the game" for one in own)
        assert not (folder.root / ".gameshelf-save").exists()
        assert folder.synced.files == folder.scan()


def put_own_files(folder, own):
    """Files that the game has beside the save, where there is a place for them."""
    for one in sorted(own):
        file = folder.root / one
        assume(not any(parent.is_file() for parent in file.parents) and not file.is_dir())
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"of the game")


@settings(max_examples=60, deadline=None)
@given(first=VERSIONS, second=VERSIONS, kills=st.lists(st.integers(1, 40), min_size=1, max_size=3))
def test_kills_lead_to_the_version_before_or_the_new_one(first, second, kills):
    with TemporaryDirectory(dir=MEMORY) as home:
        folder = Folder(Path(home) / "device")
        folder.apply(1, first)
        before = content_of(folder.root)
        try:
            folder.apply(2, second, Points(kills[0]))
        except Killed:
            for kill in kills[1:]:
                points = Points(kill)
                with patch.object(applying, "crash_point", points), patch.object(journal, "crash_point", points):
                    try:
                        folder.recover()
                    except Killed:
                        continue
            folder.recover()
        assert not list(folder.state.glob("journal*"))
        assert not (folder.root / ".gameshelf-save").exists()
        if folder.synced.version == 1:
            assert content_of(folder.root) == before
            folder.apply(2, second)
        assert folder.hashes == folder.expected(second)
        assert folder.synced.files == folder.scan()


@settings(max_examples=60, deadline=None)
@given(first=VERSIONS, second=VERSIONS, kill=st.integers(4, 40), written=st.integers(0, 5))
def test_what_a_game_writes_after_a_kill_is_never_lost(first, second, kill, written):
    with TemporaryDirectory(dir=MEMORY) as home:
        folder = Folder(Path(home) / "device")
        folder.apply(1, first)
        try:
            folder.apply(2, second, Points(kill))
        except Killed:
            files = [path for path in sorted(folder.root.rglob("*")) if path.is_file()]
            files = [path for path in files if ".gameshelf-save" not in path.parts]
            if files:
                files[written % len(files)].write_bytes(b"played on a mixture")
            folder.recover()
            found = [path.read_bytes() for path in folder.root.rglob("*") if path.is_file()]
            assert not files or b"played on a mixture" in found


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / "device")


def disturbing(point, disturb):
    """Does something when a point is passed."""
    return lambda name: disturb() if name == point else None


@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_a_file_that_changes_during_the_apply_stops_it(folder, name):
    folder.apply(1, {"saves/a": b"1", "saves/b": b"2", "saves/c": b"3"})
    hook = disturbing("journal-applying", lambda: (folder.root / name).write_bytes(b"the game has written"))
    with pytest.raises(FileChanged, match=f"saves/{name}: it changed meanwhile"):
        folder.apply(2, {"saves/a": b"1+", "saves/b": b"2+"}, hook)
    assert folder.bytes == {"a": b"1", "b": b"2", "c": b"3"} | {name: b"the game has written"}
    assert not list(folder.state.glob("journal*"))


@pytest.mark.parametrize("point", ["journal-applying", "step-1-before"])
def test_a_file_that_appears_during_the_apply_stops_it(folder, point):
    folder.apply(1, {"saves/a": b"1"})
    hook = disturbing(point, lambda: (folder.root / "new").write_bytes(b"the game has written"))
    with pytest.raises(FileChanged, match="saves/new"):
        folder.apply(2, {"saves/a": b"1+", "saves/new": b"2"}, hook)
    assert folder.bytes == {"a": b"1", "new": b"the game has written"}


def test_a_file_that_vanishes_during_the_apply_stops_it(folder):
    folder.apply(1, {"saves/a": b"1", "saves/b": b"2"})
    hook = disturbing("journal-applying", (folder.root / "b").unlink)
    with pytest.raises(FileChanged, match="saves/b: it was deleted meanwhile"):
        folder.apply(2, {"saves/a": b"1+", "saves/b": b"2+"}, hook)
    assert folder.bytes == {"a": b"1"}


def test_old_files_of_a_lost_journal_are_not_mixed_in(folder):
    folder.apply(1, {"saves/a": b"1", "saves/b": b"2", "saves/c": b"3"})
    with pytest.raises(Killed):
        folder.apply(2, {"saves/a": b"1+", "saves/b": b"2+"}, Killing("step-1-after"))
    (folder.state / "journal.json").unlink()
    assert folder.bytes["a"] == b"1+"
    hook = disturbing("step-1-after", lambda: (folder.root / "b").chmod(0o600) or (folder.root / "z").write_bytes(b"z"))
    with pytest.raises(FileChanged):
        folder.apply(3, {"saves/a": b"1++", "saves/b": b"2++", "saves/z": b"z"}, hook)
    assert (folder.bytes["a"], folder.bytes["b"], folder.bytes["z"]) == (b"1+", b"2", b"z")
    kept = {path.read_bytes() for path in folder.root.rglob("*") if path.is_file() and "rescued" in path.parts}
    assert kept == {b"1", b"3"}


@pytest.mark.parametrize(("phase", "version"), [("staging", 1), ("applying", 1), ("applied", 2)])
def test_a_journal_that_cannot_be_written(folder, monkeypatch, phase, version):
    folder.apply(1, {"saves/a": b"1"})
    original = journal.JournalEntry.to_json

    def full(entry):
        if entry.phase == phase:
            raise OSError(errno.ENOSPC, "No space left on device")
        return original(entry)

    monkeypatch.setattr(journal.JournalEntry, "to_json", full)
    with pytest.raises(DiskFailed, match=r"journal\.json: No space left"):
        folder.apply(2, {"saves/a": b"2"})
    monkeypatch.undo()
    folder.recover()
    assert folder.bytes == {"a": b"%d" % version}
    assert folder.synced.version == version


@pytest.mark.parametrize(("point", "name"), [("step-0-after", "b"), ("step-1-between", "a")])
def test_the_way_back_keeps_what_a_game_wrote(folder, point, name):
    folder.apply(1, {"saves/a": b"1", "saves/b": b"2"})
    with pytest.raises(Killed):
        folder.apply(2, {"saves/a": b"1+", "saves/c": b"3"}, Killing(point))
    (folder.root / name).write_bytes(b"the game has written")
    shutil.rmtree(folder.root / ".gameshelf-save" / "new")
    [kept] = folder.recover().rescued
    assert kept.read_bytes() == b"the game has written"
    assert (folder.bytes["a"], folder.bytes["b"]) == (b"1", b"2")


def test_the_number_of_rescues_is_bounded(folder):
    work = WorkFolder("saves", folder.root)
    for number in range(25):
        file = folder.root / "a"
        file.write_text(str(number))
        work.rescue(file, "a")
    assert sorted(path.read_text() for path in work.rescued.rglob("a")) == [str(number) for number in range(15, 25)]


@pytest.fixture
def folding(monkeypatch):
    """A disk that does not distinguish case, as far as a plan can see. Renames happen for real."""

    def exists(file):
        return file.parent.is_dir() and file.name.casefold() in {one.name.casefold() for one in file.parent.iterdir()}

    monkeypatch.setattr(apply_plan, "_exists", exists)


@pytest.mark.parametrize("kill", [None, *range(1, 22)])
def test_a_folder_is_renamed_where_case_does_not_count(folder, folding, kill):
    folder.apply(1, {"saves/World/region/r.0": b"0", "saves/World/level": b"1"})
    (folder.root / "World" / "own").write_bytes(b"of the game")
    before = content_of(folder.root)
    files = {"saves/world/Region/r.0": b"0", "saves/world/level": b"2"}
    try:
        folder.apply(2, files, Points(kill))
    except Killed:
        folder.recover()
        if folder.synced.version == 1:
            assert content_of(folder.root) == before
            folder.apply(2, files)
    assert folder.bytes == {
        "world": None,
        "world/own": b"of the game",
        "world/Region": None,
        "world/Region/r.0": b"0",
        "world/level": b"2",
    }


def test_a_file_is_renamed_where_case_does_not_count(folder, folding):
    folder.apply(1, {"saves/SAVE.DAT": b"1"})
    folder.apply(2, {"saves/save.dat": b"1"})
    assert folder.bytes == {"save.dat": b"1"}


def test_two_spellings_of_one_name_on_the_disk(folder):
    nfd = normalize("NFD", "й")
    (folder.root / nfd).mkdir()
    folder.apply(1, {"saves/й/a": b"1"})
    assert folder.bytes == {nfd: None, f"{nfd}/a": b"1"}
    folder.apply(2, {"saves/й/a": b"2", "saves/й/b": b"3"})
    assert folder.bytes == {nfd: None, f"{nfd}/a": b"2", f"{nfd}/b": b"3"}


def test_a_root_that_was_made_goes_with_an_apply_that_failed(folder):
    shutil.rmtree(folder.root)
    target = folder.target(1, {"saves/a": b"1"})
    for content in folder.contents.iterdir():
        content.write_bytes(b"damaged")
    with pytest.raises(ApplyError):
        FolderApplier(folder.state).apply(target)
    assert not folder.root.exists()


def test_a_file_that_was_never_synchronised_is_not_deleted(folder):
    folder.apply(1, {"saves/a": b"1", "saves/b": b"2"})
    (folder.root / "b").write_bytes(b"changed here")
    with pytest.raises(ApplyError, match="never synchronised"):
        folder.apply(2, {"saves/a": b"1"})
    assert (folder.root / "b").read_bytes() == b"changed here"


def test_a_journal_is_read_as_it_was_written(folder):
    with pytest.raises(Killed):
        folder.apply(1, {"saves/a": b"1", "saves/мир/b": b"2"}, Points(4))
    entry = journal.ApplyJournal(folder.state).read()
    assert journal.JournalEntry.from_json(entry.to_json()) == entry
    assert isinstance(entry.slot, SyncedSlot)
