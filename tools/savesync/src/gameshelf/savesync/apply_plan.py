"""Which steps lead from what the folders hold to a version of the cloud. Reads the folders, changes nothing."""

import os
import stat
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from gameshelf.savesync.apply_errors import DiskFailed, FileChanged, PathInTheWay, PathRefused, RootMissing
from gameshelf.savesync.files import (
    CloudFile,
    CloudFiles,
    FetchedVersion,
    LocalFile,
    LocalFiles,
    RootFolders,
    SyncedSlot,
)
from gameshelf.savesync.journal import ApplyStep, FileMark, StepOperation
from gameshelf.savesync.paths import System, fold, problems, to_cloud, to_disk, two_on_disk
from gameshelf.savesync.scan import WORK_FOLDER


@dataclass(frozen=True, slots=True)
class ApplyTarget:
    """What is to be applied, and onto what."""

    version: FetchedVersion
    roots: RootFolders
    local: LocalFiles
    """What the scan saw just before."""
    synced: SyncedSlot | None
    """What this device had last. Only these paths are deleted."""
    covers: Callable[[str], bool] = lambda _path: True
    """Whether the policy matches a path. Only these paths are written and deleted."""
    made_folders: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By root, the folders that this client made. Only these are removed when they become empty."""
    system: System = System.LINUX


@dataclass(frozen=True, slots=True)
class ApplyPlan:
    """The steps, and the files that stand in the folders already."""

    steps: tuple[ApplyStep, ...]
    sources: Mapping[int, Path]
    """The content of each ``WRITE``, by the number of the step."""
    kept: LocalFiles
    missing_roots: tuple[str, ...]
    """Roots whose folders do not exist yet, and have to be made."""
    elsewhere: CloudFiles
    """Files in roots that have no folder here."""
    uncovered: tuple[str, ...]
    """Paths of the version that the policy does not match. They are not written."""


def plan_apply(target: ApplyTarget) -> ApplyPlan:
    """Raises an ``ApplyError`` where the version cannot be applied."""
    try:
        return _Planner(target).plan()
    except OSError as error:
        raise DiskFailed(error.strerror or str(error), str(error.filename or "")) from error


class _Planner:
    def __init__(self, target: ApplyTarget) -> None:
        self.target = target
        self.deletes: list[ApplyStep] = []
        self.writes: list[tuple[ApplyStep, Path]] = []
        self.kept: dict[str, LocalFile] = {}
        self.local = {fold(path): (path, file) for path, file in target.local.items()}
        self.by_content = {file.sha256: (path, file) for path, file in target.local.items()}
        self.folders = {root: _Folder(root, path, target.system) for root, path in target.roots.items()}

    def plan(self) -> ApplyPlan:
        version = self.target.version
        _require_possible(version.files)
        missing = tuple(root for root in self.folders if not self.folders[root].path.is_dir())
        self._require_synced_roots(missing)
        covered = {path: file for path, file in version.files.items() if self.target.covers(path)}
        wanted = {fold(path): path for path in covered if _root_of(path) in self.folders}
        if twice := next(two_on_disk(wanted.values(), self.target.system), None):
            raise PathInTheWay(f"{twice.other!r} would be the same file on this system", twice.path)
        self._delete_what_is_gone(wanted)
        for path in wanted.values():
            self._write_what_differs(path, version.files[path])
        self._find_places()
        used = {step.root for step, _ in self.writes}
        steps, sources = self._ordered()
        return ApplyPlan(
            steps,
            sources,
            self.kept,
            missing_roots=tuple(root for root in missing if root in used),
            elsewhere={path: file for path, file in covered.items() if _root_of(path) not in self.folders},
            uncovered=tuple(path for path in version.files if path not in covered),
        )

    def _require_synced_roots(self, missing: tuple[str, ...]) -> None:
        synced = {_root_of(path) for path in (self.target.synced.files if self.target.synced else ())}
        for root in missing:
            if root in synced:
                folder = self.folders[root].path
                raise RootMissing("the folder is not there, and it held files of this save", str(folder))

    def _delete_what_is_gone(self, wanted: Mapping[str, str]) -> None:
        for path, synced in (self.target.synced.files if self.target.synced else {}).items():
            key = fold(path)
            if key in wanted or key not in self.local or not self.target.covers(path):
                continue
            spelled, file = self.local[key]
            if file.sha256 != synced.sha256:
                raise FileChanged("it would be deleted, and its content was never synchronised", spelled)
            if _root_of(spelled) in self.folders:
                self._delete(spelled, file)

    def _delete(self, path: str, file: LocalFile) -> None:
        step = ApplyStep(
            StepOperation.DELETE, _root_of(path), file.disk_name, path, before=FileMark(file.size, file.mtime_ns)
        )
        self.deletes.append(step)
        self.folders[step.root].gone.add(file.disk_name)

    def _write_what_differs(self, path: str, file: CloudFile) -> None:
        spelled, local = self.local.get(fold(path), (None, None))
        if local is not None and local.sha256 == file.disk_sha256 and spelled == path:
            self.kept[path] = local
            self.folders[_root_of(path)].used.add(local.disk_name)
            return
        if local is not None and spelled != path:
            self._delete(str(spelled), local)
        folder = self.folders[_root_of(path)]
        disk = local.disk_name if local is not None and spelled == path else ""
        before = FileMark(local.size, local.mtime_ns) if local is not None and spelled == path else None
        source = self._source(file)
        step = ApplyStep(
            StepOperation.WRITE,
            folder.root,
            disk,
            path,
            before=before,
            size=file.size,
            sha256=file.disk_sha256,
            mtime_ns=file.mtime_ns,
        )
        self.writes.append((step, source))

    def _source(self, file: CloudFile) -> Path:
        if (fetched := self.target.version.contents.get(file.disk_sha256)) is not None:
            return fetched
        path, local = self.by_content.get(file.disk_sha256, ("", None))
        if local is None or _root_of(path) not in self.folders:
            raise FileChanged("its content was here, and is not any more", next(iter(self.target.version.files)))
        return self.folders[_root_of(path)].path / local.disk_name

    def _find_places(self) -> None:
        """Finds the place of each new file, when all deletions are known."""
        for number, (step, source) in enumerate(self.writes):
            if not step.disk:
                disk = self.folders[step.root].place(step.path)
                step = replace(step, disk=disk)
                self.writes[number] = (step, source)
            self.folders[step.root].used.add(step.disk)

    def _ordered(self) -> tuple[tuple[ApplyStep, ...], Mapping[int, Path]]:
        steps: list[ApplyStep] = [*self.deletes]
        for folder in self.folders.values():
            made = self.target.made_folders.get(folder.root, frozenset())
            steps += folder.removals(made)
        for folder in self.folders.values():
            steps += folder.renames
            steps += [ApplyStep(StepOperation.MAKE_FOLDER, folder.root, disk, disk) for disk in folder.new_folders]
        first = len(steps)
        steps += [step for step, _ in self.writes]
        sources = {first + number: source for number, (_, source) in enumerate(self.writes)}
        return tuple(steps), sources


class _Folder:
    """The folder of a root: how the disk spells it now, and what becomes of it."""

    def __init__(self, root: str, path: Path, system: System) -> None:
        self.root, self.path, self.system = root, path, system
        self.gone: set[str] = set()
        """Disk names of files that are deleted."""
        self.used: set[str] = set()
        """Disk names of files that stay or are written, after renames."""
        self.renames: list[ApplyStep] = []
        self.new_folders: dict[str, None] = {}
        self._needed: dict[str, str] = {}
        """Folders that have to go because a file takes their place, with its path."""
        self._before: dict[str, str] = {}
        """The present name of folders, by their name afterwards."""
        self._listed: dict[str, dict[str, list[str]]] = {}

    def place(self, path: str) -> str:
        """The disk name of a new file, with the folders spelled as they are there. Notes the folders to be made."""
        *folders, name = path.split("/")[1:]
        disk = ""
        for part in folders:
            disk = self._place_folder(disk, part, path)
        return self._place_file(disk, name, path)

    def _place_folder(self, inside: str, part: str, path: str) -> str:
        wanted = to_disk(part, self.system)
        if (made := _joined(inside, wanted)) in self.new_folders or made in self._before:
            return made
        now = self._now(inside)
        if inside in self.new_folders or now is None:
            self.new_folders[made] = None
            return made
        spelled = self._spelled(now, part, wanted)
        if spelled is None:
            self.new_folders[made] = None
            return made
        before = _joined(now, spelled)
        kind = self._kind(before)
        if kind == "file" and before in self.gone:
            self.new_folders[made] = None
            return made
        if kind != "folder":
            raise PathInTheWay(f"{before!r} is a {kind}, and a folder is needed there", path)
        if spelled != wanted and self._is_case_of(spelled, part):
            self.renames.append(
                ApplyStep(StepOperation.RENAME_FOLDER, self.root, _joined(inside, spelled), path, target=made)
            )
            self._before[made] = before
            return made
        after = _joined(inside, spelled)
        self._before[after] = before
        return after

    def _place_file(self, inside: str, part: str, path: str) -> str:
        wanted = to_disk(part, self.system)
        made, now = _joined(inside, wanted), self._now(inside)
        if inside in self.new_folders or now is None or (spelled := self._spelled(now, part, wanted)) is None:
            return made
        before = _joined(now, spelled)
        kind = self._kind(before)
        if before in self.gone or kind == "nothing":
            return made
        if kind == "folder":
            self._require_empty(before, path)
            self._needed[before] = path
            return made
        if kind == "file":
            raise FileChanged("a file that the scan did not see has its place", path)
        raise PathInTheWay(f"{before!r} is a {kind}", path)

    def _require_empty(self, folder: str, path: str) -> None:
        """A folder may only make room for a file if nothing is left in it."""
        for inside, _, names in _walk(self.path / folder):
            for name in names:
                found = (inside / name).relative_to(self.path).as_posix()
                if found not in self.gone:
                    raise PathInTheWay(f"a folder with other files ({found!r}) has its place", path)

    def removals(self, made: frozenset[str]) -> list[ApplyStep]:
        """The folders that are removed, the innermost first."""
        for needed in list(self._needed):
            for folder, _, _ in _walk(self.path / needed):
                self._needed.setdefault(folder.relative_to(self.path).as_posix(), self._needed[needed])
        used = {parent for disk in self.used for parent in _parents(disk)}
        used |= {self._before.get(name, name) for name in used}
        empty = {parent for disk in self.gone for parent in _parents(disk) if parent in made} - used
        names = sorted(self._needed.keys() | empty, key=lambda name: (-name.count("/"), name))
        return [
            ApplyStep(
                StepOperation.REMOVE_FOLDER,
                self.root,
                name,
                self._needed.get(name, name),
                is_needed=name in self._needed,
            )
            for name in names
        ]

    def _now(self, after: str) -> str | None:
        """The present name of a folder. None: it does not exist."""
        if not after:
            return "" if self.path.is_dir() else None
        return self._before.get(after)

    def _spelled(self, folder: str, part: str, wanted: str) -> str | None:
        """How the disk spells a part of a path; None: it has no such entry."""
        listed = self._entries(folder)
        alike = listed.get(fold(part), [])
        same = [name for name in alike if to_cloud(name, self.system) == part]
        if wanted in same or same:
            return wanted if wanted in same else same[0]
        if alike and _exists(self.path / folder / wanted):  # the disk does not distinguish these spellings
            return alike[0]
        return wanted if _exists(self.path / folder / wanted) else None

    def _entries(self, folder: str) -> dict[str, list[str]]:
        if folder not in self._listed:
            entries: dict[str, list[str]] = {}
            for one in sorted((self.path / folder).iterdir()):
                entries.setdefault(fold(to_cloud(one.name, self.system)), []).append(one.name)
            self._listed[folder] = entries
        return self._listed[folder]

    def _is_case_of(self, spelled: str, part: str) -> bool:
        return to_cloud(spelled, self.system) != part

    def _kind(self, disk: str) -> str:
        try:
            mode = (self.path / disk).lstat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return "nothing"
        if stat.S_ISDIR(mode):
            return "folder"
        if stat.S_ISREG(mode):
            return "file"
        return "link" if stat.S_ISLNK(mode) else "special file"


def _require_possible(paths: Collection[str]) -> None:
    """The service checks its paths; this client does not rely on that."""
    for problem in problems([*paths]):
        other = f", {problem.other!r}" if problem.other else ""
        raise PathRefused(f"no save may have this path ({problem.rule}{other})", problem.path)
    for path in paths:
        if any(fold(part) == WORK_FOLDER for part in path.split("/")):
            raise PathRefused("the name is reserved for this client", path)
        if "/" not in path:
            raise PathRefused("the path has no root", path)


def _exists(file: Path) -> bool:
    try:
        file.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _walk(folder: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Also what is no folder and no file, as a name; links are not followed."""
    for inside, folders, names in os.walk(folder):
        links = [name for name in folders if (Path(inside) / name).is_symlink()]
        yield Path(inside), folders, names + links


def _parents(disk: str) -> Iterator[str]:
    while "/" in disk:
        disk = disk.rpartition("/")[0]
        yield disk


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _root_of(path: str) -> str:
    return path.partition("/")[0]
