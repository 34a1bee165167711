"""The manifest of a backup: its description and its files."""

import asyncio
import hashlib
import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Literal

from gameshelf.libctl.backup.contents import Contents, Difference, Frozen
from gameshelf.libctl.errors import NothingFound, Refused
from pydantic import ValidationError

NAME = "manifest.json"
DUMP = "dump"
_CHUNK = 4 << 20


class Locale(Frozen):
    """Collation and encoding of the database, which a copy needs too. ``provider`` is c, i or b, as in pg_database."""

    encoding: str
    collate: str
    ctype: str
    provider: str
    locale: str | None


class ServerVersion(Frozen):
    version: str
    number: int
    """``server_version_num``, such as 180006."""

    @property
    def major(self) -> int:
        return self.number // 10_000


class Package(Frozen):
    name: str
    table_schema: str
    revision: str


class File(Frozen):
    path: str
    bytes: int
    sha256: str


class Manifest(Frozen):
    """``restored_point``: everything that was committed before it is in the backup."""

    format: Literal[1] = 1
    libctl: str
    created_at: datetime
    restored_point: datetime
    database: str
    server: ServerVersion
    locale: Locale
    pg_dump: int
    packages: tuple[Package, ...]
    contents: Contents
    files: tuple[File, ...]

    @property
    def schemas(self) -> list[str]:
        return [package.table_schema for package in self.packages]

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.contents.tables)

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)

    @property
    def digest(self) -> str:
        """A SHA-256 of all of it; the file carries it along."""
        document = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(document.encode()).hexdigest()

    def write(self, folder: Path) -> None:
        """Into a folder, on the disk when this returns."""
        content = {"digest": self.digest, **self.model_dump(mode="json")}
        with (folder / NAME).open("x") as file:
            json.dump(content, file, indent=1)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Raises NothingFound where there is no backup, and Refused for one that is damaged or of a later version."""
        try:
            content = json.loads((folder / NAME).read_text())
            digest = content.pop("digest")
            version = content.get("format")
        except FileNotFoundError:
            hint = "a folder that `libctl backup create` made"
            if folder.name.endswith(".partial"):
                hint = "this one was never finished; " + hint
            raise NothingFound(f"{folder} holds no backup: there is no {NAME}", hint) from None
        except OSError as error:
            raise Refused(f"{folder / NAME} can't be read: {error.strerror}", "check its permissions") from None
        except (ValueError, KeyError, AttributeError, TypeError):
            raise _damaged(folder) from None
        if version != 1:
            raise Refused(f"{folder} has format {version}, this libctl supports 1", "use the libctl that created it")
        try:
            manifest = cls.model_validate(content)
        except ValidationError:
            raise _damaged(folder) from None
        if manifest.digest != digest:
            raise _damaged(folder)
        return manifest

    async def differences(self, folder: Path, on_file: Callable[[], None]) -> list[Difference]:
        """Returns the files that have changed."""
        found: list[Difference] = []
        expected = {file.path: file for file in self.files}
        for path in sorted(_files(folder)):
            name = path.relative_to(folder).as_posix()
            file = expected.pop(name, None)
            if file is None:
                found.append(Difference(where=name, what="unexpected", expected="no file", found="a file"))
                continue
            there = await hashed(folder, path)
            if there != file:
                found.append(Difference(where=name, what="file", expected=file.sha256[:16], found=there.sha256[:16]))
            on_file()
        found += [Difference(where=name, what="missing", expected="a file", found="none") for name in expected]
        return found


async def files(folder: Path, on_file: Callable[[], None]) -> tuple[File, ...]:
    """The files of a new dump with their hashes, each on the disk when this returns."""
    made = []
    for path in sorted(_files(folder)):
        made.append(await hashed(folder, path, sync=True))
        on_file()
    for directory in {path.parent for path in _files(folder)} | {folder}:
        sync_folder(directory)
    return tuple(made)


async def hashed(folder: Path, path: Path, *, sync: bool = False) -> File:
    """Reads a file; it can be interrupted between any two chunks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            await asyncio.sleep(0)
        if sync:
            os.fsync(file.fileno())
        length = file.tell()
    return File(path=path.relative_to(folder).as_posix(), bytes=length, sha256=digest.hexdigest())


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder outlive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def count_files(folder: Path) -> int:
    return len(_files(folder))


def _files(folder: Path) -> list[Path]:
    return [path for path in (folder / DUMP).rglob("*") if path.is_file()]


def _damaged(folder: Path) -> Refused:
    return Refused(f"{folder / NAME} is damaged", "another backup; this one can't be trusted", code="BACKUP_DAMAGED")
