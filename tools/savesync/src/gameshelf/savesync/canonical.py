"""Hashes of a list of files, as the service computes them: equal lists have equal hashes on every machine."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Protocol


class HasIdentity(Protocol):
    """A file of a list: the hash of its bytes, and what lineage compares."""

    @property
    def sha256(self) -> str: ...

    @property
    def identity(self) -> str: ...


def canonical_hash(lines: Iterable[tuple[str, str]]) -> str:
    """The SHA-256 over a line ``<hash> <path>`` for each pair of both, sorted by the UTF-8 bytes of the paths."""
    ordered = sorted((path.encode(), value.encode()) for value, path in lines)
    return sha256(b"".join(b"%b %b\n" % (value, path) for path, value in ordered)).hexdigest()


def list_hash(files: Mapping[str, HasIdentity]) -> str:
    """``file_hash_sha256`` of a set: over the hashes of the bytes."""
    return canonical_hash((file.sha256, path) for path, file in files.items())


def content_identity(files: Mapping[str, HasIdentity]) -> str:
    """``content_identity`` of a set, and the hash of a unit's files: over what lineage compares."""
    return canonical_hash((file.identity, path) for path, file in files.items())
