"""Puts a version of the cloud into the folders, so that a kill at any moment leaves the version before or the new one.

::

    applied = FolderApplier(state_folder).apply(target)     # the folders hold the new version
    ...                                               # record applied.slot, report it to the service
    FolderApplier(state_folder).finish()                    # the journal and the old files go

``recover`` stands before everything else that a client does with the folders.
"""

import errno
import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from gameshelf.savesync.apply_errors import ApplyError, ContentBroken, DiskFailed, FileChanged, PathInTheWay
from gameshelf.savesync.apply_plan import ApplyPlan, ApplyTarget, plan_apply
from gameshelf.savesync.crash import crash_point
from gameshelf.savesync.files import LocalFile, RootFolders, SyncedSlot
from gameshelf.savesync.journal import (
    ApplyJournal,
    ApplyPhase,
    ApplyStep,
    FileMark,
    JournalEntry,
    StepOperation,
    sync_folder,
)
from gameshelf.savesync.work_folder import WorkFolder, mark_of

_BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Applied:
    """The folders hold a version; the journal remains until ``finish``."""

    slot: SyncedSlot
    roots: RootFolders
    """The folders of the roots that the apply has changed."""
    uncovered: tuple[str, ...] = ()
    """Paths of the version that the policy does not match. They were not written."""


@dataclass(frozen=True, slots=True)
class ApplyRecovery:
    """What an interrupted apply led to."""

    applied: Applied | None
    """The new version, to be recorded and reported. None: the version before, nothing is to be done."""
    rescued: tuple[Path, ...] = ()
    """Files that a game wrote meanwhile, kept beside the version."""


class FolderApplier:
    """Applies versions to the folders of one product."""

    def __init__(self, state_folder: Path, on_step: Callable[[int, int], None] = lambda _done, _total: None) -> None:
        self.journal = ApplyJournal(state_folder)
        self._made_file = state_folder / "made_folders.json"
        self._on_step = on_step

    @property
    def made_folders(self) -> Mapping[str, frozenset[str]]:
        """By root, the folders that applies have made. ``ApplyTarget`` takes them."""
        try:
            noted = json.loads(self._made_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return {root: frozenset(names) for root, names in noted.items()}

    def apply(self, target: ApplyTarget) -> Applied:
        """Raises an ``ApplyError`` after which the folders hold what they held before.

        ``recover`` must have run, and the caller must hold the lock of the product.
        """
        plan = plan_apply(target)
        target = replace(target, roots={name: folder.resolve() for name, folder in target.roots.items()})
        entry = self._begin(target, plan)
        try:
            staged = self._stage(entry, plan)
            self.journal.write(staged)
        except ApplyError:
            self._clear(entry)
            raise
        entry = staged
        try:
            self._run(entry, is_strict=True)
        except ApplyError:
            self._undo(entry)
            raise
        self._note_folders(entry)
        self.journal.write(replace(entry, phase=ApplyPhase.APPLIED))
        return Applied(entry.slot, entry.roots, plan.uncovered)

    def recover(self, roots: Iterable[tuple[str, Path]]) -> ApplyRecovery | None:
        """Finishes or undoes an interrupted apply. None: there was none.

        Raises an ``ApplyError`` and leaves everything as it is where that is not possible now, because the disk of a
        root is not there for example.
        """
        entry = self.journal.read()
        if entry is None:
            kept = [file for root, folder in roots for file in self._clear_leftovers(root, folder)]
            return ApplyRecovery(None, tuple(kept)) if kept else None
        if entry.phase in (ApplyPhase.STAGING, ApplyPhase.UNDONE):
            return ApplyRecovery(None, self._clear(entry))
        if entry.phase is ApplyPhase.APPLIED:
            return ApplyRecovery(Applied(entry.slot, entry.roots))
        _require_roots(entry)
        runners = (_StepRunner(entry, number, is_strict=False) for number in range(len(entry.steps)))
        if entry.phase is ApplyPhase.APPLYING and all(one.is_possible for one in runners):
            try:
                rescued = self._run(entry, is_strict=False)
            except ApplyError:  # the folders changed so that the new version has no place any more
                return ApplyRecovery(None, self._undo(entry))
            self._note_folders(entry)
            self.journal.write(replace(entry, phase=ApplyPhase.APPLIED))
            return ApplyRecovery(Applied(entry.slot, entry.roots), rescued)
        return ApplyRecovery(None, self._undo(entry))

    def finish(self) -> tuple[Path, ...]:
        """Removes the old files and the journal, when the version is recorded and reported. Returns what was kept."""
        entry = self.journal.read()
        if entry is None or entry.phase is not ApplyPhase.APPLIED:
            return ()
        return self._clear(entry)

    def _begin(self, target: ApplyTarget, plan: ApplyPlan) -> JournalEntry:
        used = {step.root for step in plan.steps}
        version = target.version
        entry = JournalEntry(
            id=str(uuid4()),
            phase=ApplyPhase.STAGING,
            slot=SyncedSlot(
                version.slot_name,
                version.savegame_id,
                version.version,
                version.content_identity,
                files=plan.kept,
                elsewhere=plan.elsewhere,
            ),
            roots={root: folder for root, folder in target.roots.items() if root in used},
            steps=plan.steps,
            made_roots=plan.missing_roots,
        )
        self.journal.write(entry)
        return entry

    def _stage(self, entry: JournalEntry, plan: ApplyPlan) -> JournalEntry:
        """Copies every new file onto the volume of its root, complete and durable."""
        works = {}
        for root, folder in entry.roots.items():
            with _failing_at(str(folder)):
                folder.mkdir(parents=True, exist_ok=True)
                works[root] = WorkFolder(root, folder)
                works[root].open(self.journal.file, entry.id)
        steps, files = list(entry.steps), dict(entry.slot.files)
        for done, (number, source) in enumerate(plan.sources.items()):
            step = steps[number]
            with _failing_at(step.path):
                mark = _stage_file(step, source, works[step.root].new / str(number), entry.roots[step.root] / step.disk)
            steps[number] = step = replace(step, size=mark.size, mtime_ns=mark.mtime_ns)
            files[step.path] = LocalFile(mark.size, mark.mtime_ns, step.sha256, step.disk)
            if done == 0:
                crash_point("staged-partly")
        for work in works.values():
            with _failing_at(str(work.folder)):
                sync_folder(work.new)
        crash_point("staged")
        return replace(entry, phase=ApplyPhase.APPLYING, steps=tuple(steps), slot=replace(entry.slot, files=files))

    def _run(self, entry: JournalEntry, *, is_strict: bool) -> tuple[Path, ...]:
        """Does the steps that are left. Not strict: what a game changed meanwhile is kept beside the version."""
        rescued: list[Path] = []
        for number, step in enumerate(entry.steps):
            crash_point(f"step-{number}-before")
            with _failing_at(step.path):
                rescued += _StepRunner(entry, number, is_strict=is_strict).do()
            crash_point(f"step-{number}-after")
            self._on_step(number + 1, len(entry.steps))
        self._sync_folders(entry)
        return tuple(rescued)

    def _undo(self, entry: JournalEntry) -> tuple[Path, ...]:
        entry = replace(entry, phase=ApplyPhase.UNDOING)
        self.journal.write(entry)
        rescued: list[Path] = []
        for number in reversed(range(len(entry.steps))):
            crash_point(f"undo-{number}-before")
            with _failing_at(entry.steps[number].path):
                rescued += _StepRunner(entry, number, is_strict=False).undo()
        self._sync_folders(entry)
        self.journal.write(replace(entry, phase=ApplyPhase.UNDONE))
        return (*rescued, *self._clear(replace(entry, phase=ApplyPhase.UNDONE)))

    def _sync_folders(self, entry: JournalEntry) -> None:
        for folder in {(entry.roots[step.root] / step.disk).parent for step in entry.steps}:
            if folder.is_dir():
                with _failing_at(str(folder)):
                    sync_folder(folder)

    def _clear(self, entry: JournalEntry) -> tuple[Path, ...]:
        def is_known(name: str, mark: FileMark) -> bool:
            return name.isdecimal() and entry.steps[int(name)].before == mark

        kept: list[Path] = []
        for root, folder in entry.roots.items():
            with _failing_at(str(folder)):
                kept += WorkFolder(root, folder).clear(entry.id, is_known)
                if root in entry.made_roots and entry.phase is not ApplyPhase.APPLIED and folder.is_dir():
                    _remove_if_empty(folder)
            crash_point(f"cleared-{root}")
        self.journal.remove()
        crash_point("cleared")
        return tuple(kept)

    def _clear_leftovers(self, root: str, folder: Path) -> list[Path]:
        with _failing_at(str(folder)):
            return WorkFolder(root, folder).clear_leftovers(self.journal.file)

    def _note_folders(self, entry: JournalEntry) -> None:
        """Remembers which folders this client made, so that it removes these only. Gone ones are forgotten."""
        noted = {root: set(names) for root, names in self.made_folders.items()}
        for step in entry.steps:
            if step.operation is StepOperation.MAKE_FOLDER:
                noted.setdefault(step.root, set()).add(step.disk)
        kept = {
            root: sorted(name for name in names if root not in entry.roots or (entry.roots[root] / name).is_dir())
            for root, names in noted.items()
        }
        new = self._made_file.with_suffix(".new")
        with _failing_at(str(new)):
            new.write_text(json.dumps({root: names for root, names in kept.items() if names}), encoding="utf-8")
            new.replace(self._made_file)


class _StepRunner:
    """One step of an apply: ``do`` and ``undo`` may be repeated, whatever part of them is done already."""

    def __init__(self, entry: JournalEntry, number: int, *, is_strict: bool) -> None:
        self.step, self.number, self.is_strict = entry.steps[number], number, is_strict
        self.work = WorkFolder(self.step.root, entry.roots[self.step.root])
        self.place = self.work.folder / self.step.disk
        self.new, self.old = self.work.new / str(number), self.work.old / str(number)

    @property
    def is_written(self) -> bool:
        """Whether the new file of a ``WRITE`` was put into its place. A game may have changed it since."""
        return not self.new.exists() and (self.step.before is None or self.old.exists())

    @property
    def is_possible(self) -> bool:
        """Whether the step is done or can be done."""
        if self.step.operation is not StepOperation.WRITE:
            return True
        if self.is_written:
            return mark_of(self.place) is not None
        staged = mark_of(self.new)
        return staged is not None and staged.size == self.step.size

    def do(self) -> list[Path]:
        match self.step.operation:
            case StepOperation.DELETE:
                # Once it is done, another step may have put something in the place: a folder, or another spelling.
                return [] if self.old.exists() else self._take()
            case StepOperation.WRITE:
                return self._write()
            case StepOperation.MAKE_FOLDER:
                self.place.mkdir(exist_ok=True)
            case StepOperation.REMOVE_FOLDER:
                self._remove_folder()
            case StepOperation.RENAME_FOLDER:
                self._move(self.place, self.work.folder / self.step.target)
        return []

    def undo(self) -> list[Path]:
        match self.step.operation:
            case StepOperation.DELETE:
                return self._give_back()
            case StepOperation.WRITE:
                return self._unwrite()
            case StepOperation.MAKE_FOLDER:
                if self.place.is_dir():
                    _remove_if_empty(self.place)
            case StepOperation.REMOVE_FOLDER:
                self.place.mkdir(exist_ok=True)
            case StepOperation.RENAME_FOLDER:
                self._move(self.work.folder / self.step.target, self.place)
        return []

    def _write(self) -> list[Path]:
        if not self.new.exists():
            return []
        rescued = self._take()
        crash_point(f"step-{self.number}-between")
        self.new.rename(self.place)
        return rescued

    def _take(self) -> list[Path]:
        """Moves the old file away. What is there instead of it is refused, or kept."""
        found = mark_of(self.place)
        if found is None:
            if not self.old.exists() and self.step.before is not None and self.is_strict:
                raise FileChanged("it was deleted meanwhile", self.step.path)
            if os.path.lexists(self.place):
                raise PathInTheWay("a folder or a link has its place", self.step.path)
            return []
        if found != self.step.before and self.is_strict:
            raise FileChanged("it changed meanwhile", self.step.path)
        if self.old.exists():  # a game wrote the file again after its old content was moved away
            return [self.work.rescue(self.place, self.step.disk)]
        self.place.rename(self.old)
        return []

    def _unwrite(self) -> list[Path]:
        rescued = []
        if self.is_written and (found := mark_of(self.place)) is not None:
            if found == self.step.after:
                self.place.unlink()
            else:
                rescued.append(self.work.rescue(self.place, self.step.disk))
        return [*rescued, *self._give_back()]

    def _give_back(self) -> list[Path]:
        if not self.old.exists():
            return []
        rescued = [self.work.rescue(self.place, self.step.disk)] if os.path.lexists(self.place) else []
        self.old.rename(self.place)
        return rescued

    def _remove_folder(self) -> None:
        try:
            self.place.rmdir()
        except (FileNotFoundError, NotADirectoryError):  # done; a file may have its place already
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or (self.step.is_needed and self.is_strict):
                raise

    def _move(self, source: Path, target: Path) -> None:
        """A folder gets another spelling by way of the work folder: where case does not count, both are one name."""
        if not self.old.exists():
            if target.name in os.listdir(target.parent):  # noqa: PTH208 - the spelling of the disk
                return
            source.rename(self.old)
            crash_point(f"step-{self.number}-between")
        self.old.rename(target)


def _stage_file(step: ApplyStep, source: Path, staged: Path, place: Path) -> FileMark:
    digest = hashlib.sha256()
    try:
        opened = source.open("rb")
    except FileNotFoundError:
        raise ContentBroken("its content is not there", step.path) from None
    with opened as content, staged.open("wb") as file:
        while block := content.read(_BLOCK):
            digest.update(block)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    if digest.hexdigest() != step.sha256:
        raise ContentBroken("its content has another hash than the version says", step.path)
    if step.before is not None and (found := _mode_of(place)) is not None:
        staged.chmod(found)
    if step.mtime_ns is not None:
        _set_time(staged, step.mtime_ns)
    mark = mark_of(staged)
    if mark is None:
        raise ContentBroken("the copy is not there", step.path)
    return mark


def _set_time(file: Path, mtime_ns: int) -> None:
    """A volume that cannot hold the time must not keep the save from being applied."""
    try:
        os.utime(file, ns=(mtime_ns, mtime_ns))
    except (OSError, OverflowError):
        return


def _mode_of(file: Path) -> int | None:
    try:
        return stat.S_IMODE(file.lstat().st_mode)
    except OSError:
        return None


def _require_roots(entry: JournalEntry) -> None:
    for root, folder in entry.roots.items():
        WorkFolder(root, folder).require(entry.id)


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise


@contextmanager
def _failing_at(path: str) -> Iterator[None]:
    """Names the path of a save in the errors of the disk."""
    try:
        yield
    except OSError as error:
        raise DiskFailed(error.strerror or str(error), path) from error
