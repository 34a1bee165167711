"""The files of a set: their list, its canonical hashes, and what a delta makes of it (contract, section 3.6). Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.savegames._naming import MAX_IDENTITY
from gameshelf.savegames._paths import MAX_PROBLEMS, fold


@dataclass(frozen=True, slots=True)
class SaveFile:
    """A file of a set."""

    path: str
    """Its path, in NFC."""
    size: int
    sha256: bytes
    """The hash of its bytes as they are stored."""
    identity: bytes | None = None
    """The identity that lineage compares; None: it is ``sha256``."""
    raw_sha256: bytes | None = None
    """The hash of the unpacked bytes."""
    raw_size: int | None = None
    modified_at: datetime | None = None
    content_encoding: str | None = None
    encryption: str | None = None
    """JSON."""

    @property
    def same_as(self) -> bytes:
        """The identity of the content: files with the same one have the same content."""
        return self.sha256 if self.identity is None else self.identity


FileList = tuple[SaveFile, ...]
"""The files of a set, in the order of the UTF-8 bytes of their paths. No two paths have the same key."""


def ordered(files: Iterable[SaveFile]) -> FileList:
    """Returns the list of these files."""
    return tuple(sorted(files, key=_path))


def _path(file: SaveFile) -> str:
    return file.path  # strings are compared by code point, which is the order of their UTF-8 bytes


def canonical_hash(lines: Iterable[tuple[bytes, str]]) -> bytes:
    """Returns the SHA-256 of a line ``<hash in hex> <path>`` per file, in the order of the UTF-8 bytes of the paths."""
    digest = sha256()
    for content, path in sorted(lines, key=_second):
        digest.update(f"{content.hex()} {path}\n".encode())
    return digest.digest()


def _second(line: tuple[bytes, str]) -> str:
    return line[1]


def hash_of(files: Iterable[SaveFile]) -> bytes:
    """Returns the ``file_hash_sha256`` of a set."""
    return canonical_hash((file.sha256, file.path) for file in files)


def identity_of(files: Iterable[SaveFile]) -> bytes:
    """Returns the ``content_identity`` of a set, or of the files of a unit."""
    return canonical_hash((file.same_as, file.path) for file in files)


SET_PREFIX = b"s" * (MAX_IDENTITY + 1 - sha256().digest_size)
"""What the lineage key of a set begins with. It makes that key longer than the longest identity of a file."""


def lineage_key(identity: bytes, *, is_set: bool) -> bytes:
    """Returns what lineage compares. A set and a single file never have the same one."""
    return SET_PREFIX + identity if is_set else identity


def apply_delta(base: FileList, put: Sequence[SaveFile], remove: Sequence[str]) -> FileList:
    """Returns the base with the files of ``put``, and without those that ``remove`` names.

    Paths are compared by their keys. A file that is put replaces the one with its key, and its spelling counts. Raises
    InvalidInput for a path that is named twice, or is to be removed and not there.
    """
    files = {fold(file.path): file for file in base}
    named = set()
    found = []
    for index, path in enumerate(remove):
        key = fold(path)
        if key in named:
            found.append(Problem("said_twice", pointer=f"remove/{index}"))
        elif files.pop(key, None) is None:
            found.append(Problem("not_in_base", pointer=f"remove/{index}"))
        named.add(key)
    for index, file in enumerate(put):
        key = fold(file.path)
        if key in named:
            found.append(Problem("said_twice", pointer=f"put/{index}/path"))
        named.add(key)
        files[key] = file
    if found:
        raise InvalidInput(*found[:MAX_PROBLEMS])
    return ordered(files.values())
