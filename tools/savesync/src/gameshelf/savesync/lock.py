"""One process at a time synchronises a product: a lock that ends with its process, however that ends."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gameshelf.savesync.errors import LockHeld

if sys.platform == "win32":
    import msvcrt

    def _take(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

    def _release(file: int) -> None:
        os.lseek(file, 0, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _take(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _release(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the lock. Raises LockHeld, which names the process that has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # The file stays when the lock ends: a lock on a file that somebody deletes would not exclude the next process.
    file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        try:
            _take(file)
        except OSError:
            raise LockHeld(path, _holder(path)) from None
        _note_holder(path)
        try:
            yield
        finally:
            with suppress(OSError):
                _release(file)
    finally:
        os.close(file)


def _holder(path: Path) -> str:
    with suppress(OSError, ValueError):
        return f"process {int(_note_of(path).read_text(encoding='ascii'))}"
    return ""


def _note_holder(path: Path) -> None:
    with suppress(OSError):  # it is only for the message
        _note_of(path).write_text(str(os.getpid()), encoding="ascii")


def _note_of(path: Path) -> Path:
    """Beside the lock: on Windows nobody else can read the locked file itself."""
    return path.with_name(f"{path.name}.holder")
