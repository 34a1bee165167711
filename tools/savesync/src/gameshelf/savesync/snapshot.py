"""A copy of what is sent, so that a game that starts meanwhile cannot change it.

All copies are of one moment: the folders look the same after the last copy as before the first one. Large files stay
where they are unless the file system copies without reading; they are read again before the upload becomes a version.
"""

import errno
import os
import shutil
import sys
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from gameshelf.savesync.cache import Stamp
from gameshelf.savesync.errors import RootUnreadable, SaveChanged, StagingFailed
from gameshelf.savesync.scan import hash_file, reading_file

LARGE = 64 * 1024**2
_IS_FULL = (errno.ENOSPC, errno.EDQUOT)
_FICLONE = 0x40049409
"""The request of Linux that makes a copy which shares the blocks of the original."""


@dataclass(frozen=True, slots=True)
class SnapshotSource:
    """A file of a folder that is to be sent."""

    path: Path
    stamp: Stamp
    sha256: str


class Snapshot:
    """The contents of an upload by their hash, in a folder of their own until the upload is committed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._in_place: dict[str, SnapshotSource] = {}
        self._others: dict[str, SnapshotSource] = {}

    def take(self, sources: Collection[SnapshotSource], others: Collection[SnapshotSource] = ()) -> None:
        """Copies the files. Raises SaveChanged if one of them, or one of the others, is not as it was scanned.

        ``others`` are the files of the save that the cloud should have: with them the copies are what the folders held
        at one moment. If the cloud has lost one of them, it is read where it is.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        wanted = {source.sha256: source for source in sources}
        self._remove_others(wanted)
        for digest, source in wanted.items():
            target = self._folder / digest
            # Of a run that was interrupted. Its bytes were compared then; a power failure shows in the size.
            if target.exists() and target.stat().st_size == source.stamp.size:
                continue
            if not _copy(source, target):
                self._in_place[digest] = source
        self._others = {source.sha256: source for source in others}
        for source in (*sources, *others):
            _check(source.path, source.stamp)

    def path_of(self, digest: str) -> Path | None:
        """Where the content is to be read from, or None if it was not taken."""
        copied = self._folder / digest
        if copied.exists():
            return copied
        if digest not in self._in_place and digest in self._others:
            self._in_place[digest] = self._others[digest]
        source = self._in_place.get(digest)
        return source.path if source else None

    def verify(self) -> None:
        """Reads again what was not copied, before the upload becomes a version. Raises SaveChanged."""
        for digest, source in self._in_place.items():
            if hash_file(source.path, source.stamp) != digest:
                raise SaveChanged(source.path)

    def clear(self) -> None:
        """Deletes the copies."""
        self._in_place.clear()
        self._others.clear()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _remove_others(self, wanted: Mapping[str, SnapshotSource]) -> None:
        """Copies of an upload that is not made any more, and halves of copies."""
        for found in self._folder.iterdir():
            if found.name not in wanted:
                found.unlink(missing_ok=True)


def _copy(source: SnapshotSource, target: Path) -> bool:
    """Copies a file and checks its hash.

    Returns False for a large file that would have to be copied by reading it, and where the disk has no room for a
    copy: a save can be uploaded all the same.
    """
    draft = target.with_name(f"{target.name}.part")
    try:
        with reading_file(source.path) as original, draft.open("wb") as copy:
            if _shares_blocks(original.file.fileno(), copy.fileno()):
                digest = hash_file(draft)
            elif source.stamp.size > LARGE:
                return False
            else:
                running = sha256()
                for block in original.blocks():
                    running.update(block)
                    copy.write(block)
                digest = running.hexdigest()
        if digest != source.sha256:
            raise SaveChanged(source.path)
        draft.replace(target)
    except OSError as error:
        if error.errno in _IS_FULL:
            return False
        raise StagingFailed(draft, error) from error
    finally:
        draft.unlink(missing_ok=True)
    return True


def _shares_blocks(original: int, copy: int) -> bool:
    if sys.platform != "linux":
        return False
    import fcntl

    with suppress(OSError):
        fcntl.ioctl(copy, _FICLONE, original)
        return True
    return False


def _check(path: Path, stamp: Stamp) -> None:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        raise SaveChanged(path) from None
    except OSError as error:
        raise RootUnreadable(path, error.strerror or str(error)) from error
    if Stamp.of(found) != stamp:
        raise SaveChanged(path)
