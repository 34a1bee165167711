"""The folder ``.gameshelf-save`` in the folder of a root: new files before they are in use, old ones until they go.

It lies on the volume of the root, so every step of an apply is a rename. No scan looks into it.
"""

import json
import os
import shutil
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from gameshelf.savesync.apply_errors import RootBusy, RootMissing
from gameshelf.savesync.files import mtime_of
from gameshelf.savesync.journal import FileMark, sync_folder
from gameshelf.savesync.scan import WORK_FOLDER

MAX_RESCUED = 10
"""How many times a folder keeps what a game wrote during an interrupted apply."""


class WorkFolder:
    """The work folder of one root."""

    def __init__(self, root: str, folder: Path) -> None:
        self.root, self.folder = root, folder
        self.path = folder / WORK_FOLDER
        self.new, self.old, self.rescued = self.path / "new", self.path / "old", self.path / "rescued"
        self._marker = self.path / "apply.json"

    def open(self, journal: Path, apply_id: str) -> None:
        """Makes the folder for an apply. Raises ``RootBusy`` where another client has unfinished work."""
        if (owner := self._owner()) and owner["journal"] != str(journal) and _has_apply(owner):
            raise RootBusy(f"another client has unfinished work here ({owner['journal']})", str(self.folder))
        self.clear_leftovers(journal)  # files of an earlier apply must not be taken for those of this one
        self.new.mkdir(parents=True, exist_ok=True)
        self.old.mkdir(exist_ok=True)
        with self._marker.open("w", encoding="utf-8") as file:
            json.dump({"id": apply_id, "journal": str(journal)}, file)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self.path)

    def require(self, apply_id: str) -> None:
        """Raises ``RootMissing`` unless this is the folder that the apply began in.

        An empty mount point looks like a folder without files: nothing may be concluded from it.
        """
        owner = self._owner()
        if owner is None or owner["id"] != apply_id:
            raise RootMissing("the folder is not there, or not the one that the apply began in", str(self.folder))

    def clear(self, apply_id: str, is_known: Callable[[str, FileMark], bool]) -> list[Path]:
        """Removes what an apply left. Old files that are not ``is_known`` are kept, and returned.

        The marker goes first: without it the rest is known to be of no use.
        """
        owner = self._owner()
        if owner is not None and owner["id"] != apply_id:
            return []
        kept = self._rescue_all(is_known) if owner is not None else []
        self._marker.unlink(missing_ok=True)
        self._remove_unused()
        return kept

    def clear_leftovers(self, journal: Path) -> list[Path]:
        """Cleans up where there is no journal. A marker means that the journal was lost: old files are kept then."""
        owner = self._owner()
        if owner is not None and owner["journal"] != str(journal) and _has_apply(owner):
            return []
        kept = self._rescue_all(lambda _name, _mark: False) if owner is not None else []
        self._marker.unlink(missing_ok=True)
        self._remove_unused()
        return kept

    def rescue(self, file: Path, name: str) -> Path:
        """Keeps a file that a game wrote, under a name of its own, so that nothing is lost."""
        folder = self.rescued / datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        target = folder / name.replace("/", "%2F")
        folder.mkdir(parents=True, exist_ok=True)
        file.rename(target)
        for outdated in sorted(self.rescued.iterdir())[:-MAX_RESCUED]:
            shutil.rmtree(outdated, onerror=_remove_read_only)
        return target

    def _rescue_all(self, is_known: Callable[[str, FileMark], bool]) -> list[Path]:
        if not self.old.is_dir():
            return []
        kept = []
        for file in sorted(self.old.iterdir()):
            mark = mark_of(file)
            if mark is not None and not is_known(file.name, mark):
                kept.append(self.rescue(file, file.name))
        return kept

    def _remove_unused(self) -> None:
        for folder in (self.new, self.old):
            if folder.is_dir():
                shutil.rmtree(folder, onerror=_remove_read_only)
        if self.path.is_dir() and not any(self.path.iterdir()):
            self.path.rmdir()

    def _owner(self) -> dict[str, str] | None:
        try:
            owner = json.loads(self._marker.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        is_ours = isinstance(owner, dict) and all(isinstance(owner.get(key), str) for key in ("id", "journal"))
        return owner if is_ours else None


def mark_of(file: Path) -> FileMark | None:
    """None: there is no such file. A link is no file of a save."""
    try:
        found = file.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return FileMark(found.st_size, mtime_of(found)) if stat.S_ISREG(found.st_mode) else None


def _has_apply(owner: dict[str, str]) -> bool:
    try:
        return str(json.loads(Path(owner["journal"]).read_text(encoding="utf-8"))["id"]) == owner["id"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _remove_read_only(remove: Callable[[str], None], path: str, _error: object) -> None:
    """Windows does not remove a file that is marked as read-only."""
    Path(path).chmod(stat.S_IWRITE)
    remove(path)
