"""The export of a user into one archive, by a folder that records the progress.

``FILE.partial/`` contains a file of JSON lines per table, the files of the saves, and ``state.json``: the cursor to
resume from, and the length of each file at that cursor. The next command cuts off whatever an interrupted command wrote
after it, so no row is exported twice.
"""

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from gameshelf.libctl.errors import Precondition, Refused, Usage

_FILES = "files"
_NAME = re.compile(r"[a-z0-9_-][a-z0-9_.-]{0,99}")
_BLOCK = 1024**2
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of everything in an archive, so that the same data is the same archive."""


class Partial:
    """A folder that becomes an archive."""

    def __init__(self, folder: Path, target: Path, state: dict[str, Any]) -> None:
        self._folder, self._target, self._state = folder, target, state

    @property
    def cursor(self) -> str:
        """The cursor to resume from."""
        cursor: str = self._state["cursor"]
        return cursor

    @property
    def is_whole(self) -> bool:
        """Whether all rows and files are there."""
        return bool(self._state["is_whole"])

    @property
    def begun(self) -> bool:
        """Whether an earlier command has exported a part."""
        return self.is_whole or bool(self.cursor)

    def file(self, name: str) -> Path:
        """Returns the path of a file. Raises Refused for a name outside of the folder."""
        if not _NAME.fullmatch(name):
            raise Refused("the service returned an invalid file name", "check LIBCTL_ENDPOINT")
        return self._folder / _FILES / name

    def take(self, rows: Iterable[tuple[str, Iterable[str]]], cursor: str, missing: Iterable[str] = ()) -> None:
        """Writes the rows of a part, each a line of JSON. The next part is at ``cursor``; an empty one is the end.

        ``missing`` names files that the object store lacks.
        """
        for table, lines in rows:
            if not _NAME.fullmatch(table):
                raise Refused("the service returned an invalid table name", "check LIBCTL_ENDPOINT")
            written = self._state["tables"].setdefault(table, {"rows": 0, "bytes": 0})
            with _write(self._path(table), os.O_APPEND) as file:
                for line in lines:
                    file.write(line.encode() + b"\n")
                    written["rows"] += 1
                file.flush()
                os.fsync(file.fileno())
                written["bytes"] = file.tell()
        missing_files = [*self._state["missing_files"], *missing]
        self._state |= {"cursor": cursor, "is_whole": not cursor, "missing_files": missing_files}
        self._keep()

    def pack(self) -> dict[str, Any]:
        """Makes the archive, and removes the folder; what there is in it. Raises Usage where the file is there."""
        made = self._folder / "archive.zip"
        kept = {name: self._state[name] for name in ("user_id", "begun_at", "missing_files")}
        manifest: dict[str, Any] = {**kept, "tables": {}, "files": {}}
        with _write(made, os.O_TRUNC) as file, ZipFile(file, "w", ZIP_DEFLATED) as archive:
            for table in sorted(self._state["tables"]):
                added = _add(archive, f"{table}.jsonl", self._path(table))
                manifest["tables"][table] = {"rows": self._state["tables"][table]["rows"], **added}
            for path in sorted((self._folder / _FILES).iterdir()):
                if path.suffix != ".part":
                    manifest["files"][path.name] = _add(archive, f"{_FILES}/{path.name}", path)
            archive.writestr(_entry("manifest.json"), json.dumps(manifest, indent=2) + "\n")
        digest = _digest(made)
        try:
            os.link(made, self._target)  # never over another file, not even one that came just now
        except FileExistsError:
            raise _taken(self._target) from None
        shutil.rmtree(self._folder)
        return {"file": str(self._target), "sha256": digest, **manifest}

    def _path(self, table: str) -> Path:
        return self._folder / f"{table}.jsonl"

    def _keep(self) -> None:
        temporary = self._folder / "state.json.new"
        with _write(temporary, os.O_TRUNC) as file:
            file.write(json.dumps(self._state).encode())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._folder / "state.json")

    def cut(self) -> None:
        """Removes what was written and not yet remembered. Raises Precondition where something remembered is gone."""
        tables = self._state["tables"]
        for path in self._folder.glob("*.jsonl"):
            if path.stem not in tables:
                path.unlink()
        for table, written in tables.items():
            path = self._path(table)
            if not path.exists() or path.stat().st_size < written["bytes"]:
                raise Precondition(f"{path} was changed", f"rm -r {self._folder} and start again")
            os.truncate(path, written["bytes"])


@contextmanager
def partial(target: Path, user: UUID) -> Iterator[Partial]:
    """The folder of an archive, a new one or one that was begun, which nobody else works on meanwhile.

    Raises Usage, Precondition.
    """
    if target.exists():
        raise _taken(target)
    folder = target.with_name(target.name + ".partial")
    try:
        for made in (folder, folder / _FILES):
            made.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Usage(f"{folder} can't be written: {error.strerror}", "choose another place with --to") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        found = Partial(folder, target, _state(folder, user))
        found.cut()
        yield found
    except BlockingIOError:
        raise Precondition(f"another process writes {folder}", "wait until it has finished") from None
    finally:
        os.close(lock)


def _state(folder: Path, user: UUID) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads((folder / "state.json").read_bytes())
    except FileNotFoundError:
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        return {
            "user_id": str(user),
            "begun_at": now,
            "cursor": "",
            "is_whole": False,
            "tables": {},
            "missing_files": [],
        }
    except ValueError:
        raise Precondition(f"{folder}/state.json can't be read", f"rm -r {folder} and start again") from None
    if state["user_id"] != str(user):
        raise Precondition(f"{folder} is of user {state['user_id']}", "choose another file with --to")
    return state


def _taken(target: Path) -> Usage:
    return Usage(f"{target} already exists", "choose another file with --to")


def _write(path: Path, flags: int) -> IO[bytes]:
    """A file to write into, for its owner alone."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | flags, 0o600), "ab" if flags == os.O_APPEND else "wb")


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name, _EPOCH)
    entry.compress_type = ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry


def _add(archive: ZipFile, name: str, path: Path) -> dict[str, Any]:
    """Puts a file into the archive, block by block; its size and hash."""
    hashed, size = sha256(), 0
    with path.open("rb") as source, archive.open(_entry(name), "w", force_zip64=True) as target:
        while block := source.read(_BLOCK):
            target.write(block)
            hashed.update(block)
            size += len(block)
    return {"bytes": size, "sha256": hashed.hexdigest()}


def _digest(path: Path) -> str:
    hashed = sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            hashed.update(block)
    return hashed.hexdigest()
