"""The journal of an apply: what is to be done with the folders, and how far it has come.

It is written before the first file of a folder is touched, and removed when nothing is left to do. A process that finds
one recovers: the folders become exactly the version before, or exactly the new one.

==========  =============================================================  ==================
phase       what is true                                                   recovery leads to
==========  =============================================================  ==================
staging     new files are being copied, no file of a folder was touched    the version before
applying    every new file is complete; any number of steps is done        the new version
undoing     a step failed; any number of steps is undone                   the version before
applied     every step is done, the version may not be recorded yet        the new version
undone      every step is undone                                           the version before
==========  =============================================================  ==================
"""

import json
import os
import sys
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from gameshelf.savesync.apply_errors import DiskFailed, JournalBroken
from gameshelf.savesync.crash import crash_point
from gameshelf.savesync.files import CloudFile, LocalFile, RootFolders, SyncedSlot

FORMAT = 1


class ApplyPhase(StrEnum):
    """How far an apply has come."""

    STAGING = "staging"
    APPLYING = "applying"
    UNDOING = "undoing"
    APPLIED = "applied"
    UNDONE = "undone"


class StepOperation(StrEnum):
    """What a step does with a folder. Each can be repeated and undone."""

    DELETE = "delete"
    REMOVE_FOLDER = "remove_folder"
    RENAME_FOLDER = "rename_folder"
    MAKE_FOLDER = "make_folder"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class FileMark:
    """By what a file is recognised without reading it."""

    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class ApplyStep:
    """One change of a folder. The staged file and the file that it replaces are named after the number of the step."""

    operation: StepOperation
    root: str
    disk: str
    """Below the folder of the root, with ``/``."""
    path: str
    """The path in the save, for messages."""
    target: str = ""
    """The new spelling, of ``RENAME_FOLDER``."""
    before: FileMark | None = None
    """The file that is deleted or replaced. None: there is none."""
    size: int = 0
    sha256: str = ""
    mtime_ns: int | None = None
    """The content that is written, and its time. None: the time of the copy."""
    is_needed: bool = True
    """Of ``REMOVE_FOLDER``: False leaves a folder that is not empty."""

    @property
    def after(self) -> FileMark:
        """The file that a ``WRITE`` leaves."""
        return FileMark(self.size, self.mtime_ns or 0)


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """An apply that is not finished."""

    id: str
    phase: ApplyPhase
    slot: SyncedSlot
    """What the device has when the apply is finished."""
    roots: RootFolders
    steps: tuple[ApplyStep, ...]
    made_roots: tuple[str, ...] = ()
    """Roots whose folders did not exist before."""

    def to_json(self) -> str:
        """The text of the journal's file. Files and steps are lists, since there may be ten thousand."""
        slot = self.slot
        values = {
            "format": FORMAT,
            "id": self.id,
            "phase": self.phase,
            "slot": [slot.slot_name, slot.savegame_id, slot.version, slot.content_identity],
            "files": {
                path: [file.size, file.mtime_ns, file.sha256, file.disk_name] for path, file in slot.files.items()
            },
            "elsewhere": {path: asdict(file) for path, file in slot.elsewhere.items()},
            "roots": {name: str(folder) for name, folder in self.roots.items()},
            "made_roots": self.made_roots,
            "steps": [_values_of(step) for step in self.steps],
        }
        return json.dumps(values, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "JournalEntry":
        """Raises ``ValueError``, ``KeyError`` or ``TypeError`` for anything that ``to_json`` did not write."""
        values: dict[str, Any] = json.loads(text)
        if values["format"] != FORMAT:
            raise ValueError(f"format {values['format']} is not known; a newer version of this program wrote it")
        files = {path: LocalFile(*file) for path, file in values["files"].items()}
        elsewhere = {path: CloudFile(**file) for path, file in values["elsewhere"].items()}
        slot_name, savegame_id, version, identity = values["slot"]
        return cls(
            id=values["id"],
            phase=ApplyPhase(values["phase"]),
            slot=SyncedSlot(slot_name, savegame_id, version, identity, files, elsewhere),
            roots={name: Path(folder) for name, folder in values["roots"].items()},
            steps=tuple(_step_of(*one) for one in values["steps"]),
            made_roots=tuple(values["made_roots"]),
        )


def _values_of(step: ApplyStep) -> list[Any]:
    before = step.before and [step.before.size, step.before.mtime_ns]
    described = [step.operation, step.root, step.disk, step.path, step.target, before]
    return [*described, step.size, step.sha256, step.mtime_ns, step.is_needed]


def _step_of(operation: str, root: str, disk: str, path: str, target: str, before: Any, *content: Any) -> ApplyStep:
    mark = FileMark(*before) if before else None
    return ApplyStep(StepOperation(operation), root, disk, path, target, mark, *content)


class ApplyJournal:
    """The file of the journal, in the state folder of a product."""

    def __init__(self, state_folder: Path) -> None:
        self.file = state_folder / "journal.json"
        self._new = state_folder / "journal.json.new"

    @property
    def is_there(self) -> bool:
        """Whether an apply is unfinished."""
        return self.file.exists()

    def read(self) -> JournalEntry | None:
        """None: nothing is unfinished. Raises ``JournalBroken``."""
        try:
            return JournalEntry.from_json(self.file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise JournalBroken(f"the journal cannot be read: {error}", str(self.file)) from error

    def write(self, entry: JournalEntry) -> None:
        """Replaces the journal at one moment: a reader finds the whole of the old one or of the new one.

        Raises ``DiskFailed``; the old one is there then.
        """
        try:
            with self._new.open("w", encoding="utf-8") as file:
                file.write(entry.to_json())
                file.flush()
                os.fsync(file.fileno())
            self._new.replace(self.file)
            sync_folder(self.file.parent)
        except OSError as error:
            raise DiskFailed(error.strerror or str(error), str(self.file)) from error
        crash_point(f"journal-{entry.phase}")

    def remove(self) -> None:
        """Nothing is left to do."""
        self._new.unlink(missing_ok=True)
        self.file.unlink(missing_ok=True)
        sync_folder(self.file.parent)


def sync_folder(folder: Path) -> None:
    """Makes renames within the folder durable. Windows has no such call, and needs none."""
    if sys.platform == "win32":
        return
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
