"""The files of the example of cloud saves: a crash leaves the old one or the new one, never a half."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A new file that replaces another one completely or not at all, also when the power fails."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write(file: IO[bytes], content: bytes) -> None:
    """Writes, and waits until the disk has it."""
    file.write(content)
    file.flush()
    os.fsync(file.fileno())


def read(path: Path) -> bytes | None:
    """A file's content; None if it does not exist."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def digest(content: bytes) -> str:
    """The SHA-256, as the cloud writes it."""
    return sha256(content).hexdigest()
