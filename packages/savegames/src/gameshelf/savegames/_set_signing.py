"""Signs the requests by which a client sends the files of a set, and finds out what has arrived."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gameshelf.savegames._multipart_layout import part_sizes
from gameshelf.savegames._ports import ObjectSigner, ObjectStore, SignedRequest

MAX_URLS = 100
"""How many requests are signed at a time, parts counted (contract, section 3.6)."""
_LISTED_AT_ONCE = 8
_PAGE = 1000


class SigningStore(ObjectSigner, ObjectStore, Protocol):
    """A store that signs."""


@dataclass(frozen=True, slots=True)
class MissingFile:
    """A file of an upload whose bytes are not verified."""

    sha256: bytes
    size: int
    key: str
    part_sha256: Sequence[bytes] = ()
    """The hash of each part, in order; empty: the file is sent by one request."""
    multipart_id: str | None = None
    """The multipart upload that was begun last."""
    is_rejected: bool = False
    """Whether the bytes that were sent last are others than announced: they have to be sent again."""


@dataclass(frozen=True, slots=True)
class SignedPart:
    """A part that has not arrived, and the request that sends it."""

    number: int
    size: int
    request: SignedRequest


@dataclass(frozen=True, slots=True)
class SignedFile:
    """A file that has not arrived, and the requests that send it."""

    file: MissingFile
    request: SignedRequest | None
    """None: the file is sent in parts."""
    parts: tuple[SignedPart, ...] = ()
    """The first of the parts that have not arrived."""


@dataclass(frozen=True, slots=True)
class FileRequests:
    """The requests for the next files, and what of these files has arrived in parts."""

    files: Sequence[SignedFile]
    arrived: frozenset[bytes]
    """The hashes of files of which every part has arrived, or which were joined of their parts."""
    arrived_bytes: int
    """The bytes of the parts that have arrived of ``files``."""


KeepMultipart = Callable[[MissingFile, str], Awaitable[str | None]]
"""Stores the id of a new multipart upload of a file, unless another request has stored one since the file was read;
returns the id that is stored, or None if the file is not awaited any more.
"""


async def sign_missing_files(
    objects: SigningStore, files: Sequence[MissingFile], seconds: int, keep: KeepMultipart, limit: int = MAX_URLS
) -> FileRequests:
    """Signs requests for the first files, until there are ``limit``. Parts that have arrived need none, nor do files
    of which every part has.

    Raises StoreUnavailable.
    """
    signed: list[SignedFile] = []
    arrived: set[bytes] = set()
    arrived_bytes = 0
    for start in range(0, len(files) if limit else 0, _LISTED_AT_ONCE):
        some = files[start : start + _LISTED_AT_ONCE]
        waiting = await asyncio.gather(*(_parts_to_send(objects, file, keep) for file in some))
        for file, (multipart_id, numbers) in zip(some, waiting, strict=True):
            if limit == 0:
                return FileRequests(signed, frozenset(arrived), arrived_bytes)
            if not numbers:
                arrived.add(file.sha256)
            elif multipart_id is None:
                request = await objects.sign_upload(file.key, file.size, seconds, file.sha256)
                signed.append(SignedFile(file, request))
            else:
                sizes = part_sizes(file.size)
                arrived_bytes += file.size - sum(sizes[number - 1] for number in numbers)
                parts = [await _sign_part(objects, file, multipart_id, number, seconds) for number in numbers[:limit]]
                signed.append(SignedFile(file, None, tuple(parts)))
            limit -= min(limit, len(numbers))
    return FileRequests(signed, frozenset(arrived), arrived_bytes)


async def _parts_to_send(
    objects: SigningStore, file: MissingFile, keep: KeepMultipart
) -> tuple[str | None, Sequence[int]]:
    """Returns the multipart upload of a file, and the numbers of the parts that have not arrived.

    A file that is sent by one request has no multipart upload, and one part.
    """
    if not file.part_sha256:
        return None, [1]
    sizes = part_sizes(file.size)
    everything = range(1, len(sizes) + 1)
    if file.multipart_id is not None:
        arrived = await objects.parts(file.key, file.multipart_id)
        if arrived is not None:
            there = {(part.number, part.size) for part in arrived}
            return file.multipart_id, [number for number in everything if (number, sizes[number - 1]) not in there]
        # A confirmation has joined the parts, or the store has dropped them.
        if not file.is_rejected and await objects.describe(file.key) is not None:
            return None, []
    begun = await objects.begin_parts(file.key)
    kept = await keep(file, begun)
    if kept != begun:
        await objects.abort_parts(file.key, begun)
    return kept, everything if kept else []


async def _sign_part(
    objects: SigningStore, file: MissingFile, multipart_id: str, number: int, seconds: int
) -> SignedPart:
    size, sha256 = part_sizes(file.size)[number - 1], file.part_sha256[number - 1]
    request = await objects.sign_part(file.key, multipart_id, number, size, seconds, sha256)
    return SignedPart(number, size, request)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Which of some files have arrived, each by one request."""

    arrived: frozenset[bytes]
    """The hashes of the files."""
    through: bytes
    """Every file up to this hash has arrived; empty: not even the first one."""


async def find_arrived_files(
    objects: ObjectStore, prefix: str, files: Sequence[MissingFile], after: bytes = b""
) -> Arrival:
    """Looks which files have arrived under ``prefix``, whose keys end with the hash in hex, from the one above
    ``after`` on. ``files`` are sorted by their hashes.

    Reads one page of the listing per thousand objects. Raises StoreUnavailable.
    """
    sizes: dict[str, int] = {}
    start = f"{prefix}{after.hex()}" if after else ""
    while page := await objects.list(prefix, start, _PAGE):
        sizes |= {found.key: found.size for found in page}
        if len(page) < _PAGE:
            break
        start = page[-1].key
    arrived = {file.sha256 for file in files if not file.is_rejected and sizes.get(file.key) == file.size}
    through = after
    for file in files:
        if file.sha256 > after:
            if file.sha256 not in arrived:
                break
            through = file.sha256
    return Arrival(frozenset(arrived), through)
