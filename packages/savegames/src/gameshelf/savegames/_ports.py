"""The ports of the package, which the service implements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gameshelf.kernel.errors import DependencyUnavailable

MAX_PUT_BYTES = 16 * 1024**2
"""The largest object that ``ObjectStore.put`` writes."""


class StoreUnavailable(DependencyUnavailable):
    """The object store could not be reached, did not answer in time, or could not serve just now. Try again later."""

    dependency = "s3"


class ObjectTooLarge(Exception):
    """An object is larger than its reader allows; its bytes were not read."""


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


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part of a multipart upload that has arrived. ``complete_parts`` takes it as ``parts`` returned it."""

    number: int
    """From 1."""
    size: int
    etag: str
    checksum: str | None = None
    """The store's own record of the part's checksum; None where it keeps none."""


@dataclass(frozen=True, slots=True)
class OpenMultipart:
    """A multipart upload that was neither completed nor aborted."""

    key: str
    multipart_id: str
    started_at: datetime
    """Aware and in UTC."""


class ObjectSigner(Protocol):
    """Signs requests that clients send to the object store themselves. It needs no network."""

    async def sign_upload(self, key: str, size: int, seconds: int, sha256: bytes | None = None) -> SignedRequest:
        """Signs a PUT of exactly ``size`` bytes to exactly this key, valid for ``seconds``.

        With ``sha256`` a store that verifies signed hashes refuses other bytes, and the object stays as it was.
        """
        ...

    async def sign_part(
        self, key: str, multipart_id: str, number: int, size: int, seconds: int, sha256: bytes
    ) -> SignedRequest:
        """Signs a PUT of one part of a multipart upload: exactly ``size`` bytes, and with this SHA-256 as in
        ``sign_upload``.

        ``number`` is 1 to 10,000. Every part but the last one has 5 MiB at least.
        """
        ...

    async def sign_download(self, key: str, seconds: int, file_name: str) -> SignedRequest:
        """Signs a GET of this key, valid for ``seconds``. The response names ``file_name`` as the file to save."""
        ...


class ObjectStore(Protocol):
    """The store of the bytes. Every method may raise StoreUnavailable, within a time that its bytes allow for."""

    async def copy(self, source: str, target: str, metadata: Mapping[str, str], size: int = 0) -> bool:
        """Copies ``source`` to ``target``, with this metadata (ASCII). False when there is no source.

        ``target`` holds the bytes that the source had at one moment, or stays as it was. The time limit suffices for
        ``size`` bytes, and a source of more than a store copies at once is copied in parts if ``size`` is its size.
        """
        ...

    async def digest(self, key: str, size: int, packing: Packing | None = None) -> Digest | None:
        """Returns the object's size, and the SHA-256 of its bytes if it has the size ``size``; None when there is no
        object. With ``packing`` the unpacked bytes are hashed too.

        The object is read as a stream in bounded memory, whatever its size.
        """
        ...

    async def put(self, key: str, data: bytes, metadata: Mapping[str, str]) -> None:
        """Writes a small object, whole or not at all, with this metadata (ASCII).

        Raises ValueError for more than ``MAX_PUT_BYTES``.
        """
        ...

    async def read(self, key: str, max_bytes: int) -> bytes | None:
        """Returns the bytes of an object; None when there is no object. Raises ObjectTooLarge."""
        ...

    async def describe(self, key: str) -> Mapping[str, str] | None:
        """Returns the metadata that ``copy`` or ``put`` wrote, names in lower case; None when there is no object."""
        ...

    async def delete(self, keys: Sequence[str]) -> None:
        """Deletes up to 1,000 objects, with all versions that the store has of them. An absent object is no error."""
        ...

    async def list(self, prefix: str, after: str = "", limit: int = 1000) -> Sequence[StoredObject]:
        """Lists objects with keys that begin with ``prefix`` and come after ``after``, sorted by the bytes of keys."""
        ...

    async def begin_parts(self, key: str) -> str:
        """Begins a multipart upload of an object, and returns its id. No object exists until it is completed."""
        ...

    async def parts(self, key: str, multipart_id: str) -> Sequence[StoredPart] | None:
        """Returns the parts that have arrived, sorted by their numbers; None when the upload is not open."""
        ...

    async def complete_parts(self, key: str, multipart_id: str, parts: Sequence[StoredPart]) -> bool:
        """Makes the object of these parts (one at least), sorted by their numbers.

        If the upload is not open, or a part was replaced since it was listed, returns whether an object has this key:
        a repetition after a lost response is true.
        """
        ...

    async def abort_parts(self, key: str, multipart_id: str) -> None:
        """Ends a multipart upload and drops its parts. An upload that is not open is no error."""
        ...

    async def open_parts(self, prefix: str, after: str = "", limit: int = 1000) -> Sequence[OpenMultipart]:
        """Lists open multipart uploads of keys that begin with ``prefix`` and come after ``after``, sorted by keys."""
        ...
