"""Temporary folders with plain data of a backup: gone at the end, or at the next start after a kill."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gameshelf.libctl.errors import Refused

_PREFIX = "libctl-backup-"


@contextmanager
def workspace(parent: Path | None, say: Callable[[str], None]) -> Iterator[Path]:
    """A folder below ``parent`` (else ``TMPDIR``) that only its owner can read; removed when the block ends.

    It is locked meanwhile, and the kernel releases the lock however the process ends. So folders that killed runs have
    left are found, and removed first. Raises Refused.
    """
    root = Path(parent or tempfile.gettempdir())
    for old in _left_over(root):
        say(f"removing {old}, which a killed run left behind")
        shutil.rmtree(old, ignore_errors=True)
    try:
        folder, lock = _made(root)
    except OSError as error:
        raise Refused(f"{root} can't be written: {error.strerror}", "name another folder: --work DIR") from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _made(root: Path) -> tuple[Path, int]:
    """A new folder and its lock. Between both, another run may take it for a left-over and remove it."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=root))
        lock = _locked(folder)
        if lock is not None:
            return folder, lock


def _left_over(root: Path) -> Iterator[Path]:
    """Yields folders of this user that no process holds. They stay locked until the caller continues."""
    for folder in sorted(root.glob(f"{_PREFIX}*")):
        with suppress(OSError):
            if folder.is_symlink() or not folder.is_dir() or folder.stat().st_uid != os.geteuid():
                continue
            lock = _locked(folder)
            if lock is None:
                continue
            try:
                yield folder
            finally:
                os.close(lock)


def _locked(folder: Path) -> int | None:
    """The descriptor of a folder that this process holds now; None where another one does, or has removed it."""
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(folder.stat(), os.fstat(lock)):
            return lock
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(lock)
    return None
