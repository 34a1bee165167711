"""Bytes of saves: their hashes and parts, and reading them piece by piece."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from gameshelf.client.errors import ContentChanged

if TYPE_CHECKING:
    from gameshelf.client.schemas import FileEntry

SaveBytes = bytes | Path | Callable[[], BinaryIO]
"""Bytes, a file that has them, or a function that opens one at its beginning. A file is never in memory as a whole."""
PART_BYTES = 8 * 1024**2
"""Larger contents go in parts, which are resumed one by one."""
MAX_PARTS = 1_000
_BLOCK = 1 << 20
_BLOCK_TO_SEND = 1 << 18
"""A block has to be sent within the time limit of the connection, however slow that is."""


def part_size_of(size: int) -> int:
    """How large the parts of a content are, as the service computes it; the last one is shorter."""
    return max(PART_BYTES, math.ceil(size / MAX_PARTS))


class PartHashes:
    """The hashes of a content's parts, from its blocks."""

    def __init__(self, part_size: int) -> None:
        self._part_size, self._parts = part_size, [sha256()]
        self.size = 0
        """Bytes of all blocks."""

    def update(self, block: bytes) -> None:
        """The next block, of any length."""
        rest = memoryview(block)
        while rest:
            if self.size and self.size % self._part_size == 0:
                self._parts.append(sha256())
            of_part = rest[: self._part_size - self.size % self._part_size]
            self._parts[-1].update(of_part)
            self.size += len(of_part)
            rest = rest[len(of_part) :]

    @property
    def hashes(self) -> list[str]:
        """In hex; none for a content that goes in one piece."""
        return [one.hexdigest() for one in self._parts] if len(self._parts) > 1 else []


def entry_of(path: str | None, content: SaveBytes) -> "FileEntry":
    """A file as the list of a set has it: read once, for its own hash and those of its parts."""
    part_size = part_size_of(size_of(content))
    whole, parts = sha256(), PartHashes(part_size)
    with opened(content) as file:
        while block := file.read(_BLOCK):
            whole.update(block)
            parts.update(block)
    if part_size_of(parts.size) != part_size:
        raise ContentChanged(name_of(content))
    entry: FileEntry = {"path": path, "size_bytes": parts.size, "sha256": whole.hexdigest()}
    if parts.hashes:
        entry["part_sha256"] = parts.hashes
    return entry


def size_of(content: SaveBytes) -> int:
    """The size of a content."""
    if isinstance(content, bytes):
        return len(content)
    with opened(content) as file:
        return file.seek(0, 2)


def name_of(content: SaveBytes) -> str:
    """What a content is called in an error."""
    return str(content) if isinstance(content, Path) else "a content"


@contextmanager
def opened(content: SaveBytes) -> Iterator[BinaryIO]:
    """Opens a content. Raises ContentChanged for a file that is gone, and OSError."""
    try:
        if isinstance(content, bytes):
            file: BinaryIO = BytesIO(content)
        else:
            file = content.open("rb") if isinstance(content, Path) else content()
    except FileNotFoundError:
        raise ContentChanged(name_of(content)) from None
    with file:
        yield file


async def blocks_of(content: SaveBytes, offset: int, size: int, sent: Callable[[int], None]) -> AsyncIterator[bytes]:
    """The bytes of a part, each block counted when it has been sent. Raises ContentChanged for less than ``size``."""
    with opened(content) as file:
        file.seek(offset)
        left = size
        while left:
            block = await asyncio.to_thread(file.read, min(_BLOCK_TO_SEND, left))
            if not block:
                raise ContentChanged(name_of(content))
            left -= len(block)
            yield block
            sent(len(block))


def hash_of_file(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
