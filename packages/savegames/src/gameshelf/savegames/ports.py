"""What this package needs answered by whoever composes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gameshelf.kernel.errors import DependencyUnavailable


class StoreUnavailable(DependencyUnavailable):
    """The object store could not be reached, did not answer in time, or could not serve just now. Try again later."""

    dependency = "s3"


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request that its holder may send to the object store until it runs out."""

    method: str
    url: str
    headers: Mapping[str, str]
    """What has to be sent with it, exactly."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What an object's bytes are."""

    size: int
    sha256: bytes | None
    """32 bytes; None when the object has another size than was asked for: then its bytes were not read."""
    raw_sha256: bytes | None = None
    """Of the bytes once unpacked; None where that was not asked for, or they can't be, or are too large."""
    raw_size: int | None = None


@dataclass(frozen=True, slots=True)
class Packing:
    """How an object is packed (``identity``, ``gzip``, ``zstd``), and how large it may be once it is not."""

    encoding: str
    max_bytes: int


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object that a listing found."""

    key: str
    size: int
    last_modified: datetime
    """Aware and in UTC."""


class ObjectSigner(Protocol):
    """Signs requests that clients send to the object store themselves. No network is needed for it."""

    async def sign_upload(self, key: str, size: int, seconds: int) -> SignedRequest:
        """A PUT of exactly ``size`` bytes to exactly this key, valid for ``seconds``."""
        ...

    async def sign_download(self, key: str, seconds: int, file_name: str) -> SignedRequest:
        """A GET of this key, valid for ``seconds``; the answer asks to be saved under ``file_name``."""
        ...


class ObjectStore(Protocol):
    """Where the bytes are. Every method raises StoreUnavailable, and none waits for longer than its bytes need."""

    async def copy(self, source: str, target: str, metadata: Mapping[str, str], size: int = 0) -> bool:
        """Makes ``target`` of the bytes of ``source``, with this metadata (ASCII); False when there is no source.

        Nothing but the source's bytes as they are at one moment ever stands under ``target``. It is given as much time
        as an object of ``size`` bytes needs.
        """
        ...

    async def digest(self, key: str, size: int, packing: Packing | None = None) -> Digest | None:
        """The object's size, and the SHA-256 of its bytes if that size is ``size``; None when there is no object. With
        ``packing`` also that of the bytes once unpacked.

        Read as a stream in bounded memory, whatever its size.
        """
        ...

    async def describe(self, key: str) -> Mapping[str, str] | None:
        """What ``copy`` wrote of the object, its names in lower case; None when there is no object. No byte is read."""
        ...

    async def delete(self, keys: Sequence[str]) -> None:
        """Removes up to 1,000 objects, with all versions that the store keeps of them; an absent one is no error."""
        ...

    async def list(self, prefix: str, after: str = "", limit: int = 1000) -> Sequence[StoredObject]:
        """Objects whose keys begin with ``prefix`` and come after ``after``, in the order of their keys as bytes."""
        ...
