"""The ports of the package, which the service implements."""

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
    """A request that its holder may send to the object store until it expires."""

    method: str
    url: str
    headers: Mapping[str, str]
    """The headers that have to be sent with it, exactly as they are."""


@dataclass(frozen=True, slots=True)
class Digest:
    """The size and the hashes of an object."""

    size: int
    sha256: bytes | None
    """32 bytes; None when the object does not have the expected size, since its bytes were not read then."""
    raw_sha256: bytes | None = None
    """The SHA-256 of the unpacked bytes; None where it was not requested, or they are invalid or too large."""
    raw_size: int | None = None


@dataclass(frozen=True, slots=True)
class Packing:
    """The encoding of an object (``identity``, ``gzip``, ``zstd``) and the largest size of the unpacked bytes."""

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
    """Signs requests that clients send to the object store themselves. It needs no network."""

    async def sign_upload(self, key: str, size: int, seconds: int) -> SignedRequest:
        """Signs a PUT of exactly ``size`` bytes to exactly this key, valid for ``seconds``."""
        ...

    async def sign_download(self, key: str, seconds: int, file_name: str) -> SignedRequest:
        """Signs a GET of this key, valid for ``seconds``. The response names ``file_name`` as the file to save."""
        ...


class ObjectStore(Protocol):
    """The store of the bytes. Every method may raise StoreUnavailable, within a time that its bytes allow for."""

    async def copy(self, source: str, target: str, metadata: Mapping[str, str], size: int = 0) -> bool:
        """Copies ``source`` to ``target``, with this metadata (ASCII). False when there is no source.

        ``target`` holds the bytes that the source had at one moment. The time limit suffices for ``size`` bytes.
        """
        ...

    async def digest(self, key: str, size: int, packing: Packing | None = None) -> Digest | None:
        """Returns the object's size, and the SHA-256 of its bytes if it has the size ``size``; None when there is no
        object. With ``packing`` the unpacked bytes are hashed too.

        The object is read as a stream in bounded memory, whatever its size.
        """
        ...

    async def describe(self, key: str) -> Mapping[str, str] | None:
        """Returns the metadata that ``copy`` wrote, with names in lower case; None when there is no object."""
        ...

    async def delete(self, keys: Sequence[str]) -> None:
        """Deletes up to 1,000 objects, with all versions that the store has of them. An absent object is no error."""
        ...

    async def list(self, prefix: str, after: str = "", limit: int = 1000) -> Sequence[StoredObject]:
        """Lists objects with keys that begin with ``prefix`` and come after ``after``, sorted by the bytes of keys."""
        ...
