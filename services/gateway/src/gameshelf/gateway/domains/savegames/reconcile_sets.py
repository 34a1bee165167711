"""Verifies the sets that S3 has and the database lacks: a list, and every content that it names.

A set may be larger than one call can read. So a call verifies a part of it, in the order of the hashes, and returns how
far it came; the next call continues there. A set that lacks contents is refused at once, since they are looked for
before any of them is read.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol, TypeVar

from gameshelf.gateway.domains.savegames.use_cases import Saves
from gameshelf.savegames import (
    MAX_LIST_OBJECT_BYTES,
    MAX_PUT_BYTES,
    Digest,
    HeldContent,
    ListObject,
    ObjectMetadata,
    ObjectTooLarge,
    SavedObject,
    SavedSet,
    SavegameSweeps,
    StoredObject,
    from_object,
    part_prefix,
    user_prefix,
)

_PAGE = 250
_LEAST_BYTES = 64 * 1024
"""Bytes that each content of a set counts for at least, so that a call sends a bounded number of requests."""
_NAMED = 3
"""How many paths the refusal of an incomplete set names."""
_REMEMBERED = 20_000
"""Of so many contents a process remembers that it verified them: the versions of a save share most of theirs."""

T = TypeVar("T")
R = TypeVar("R")


class Each(Protocol):
    """Does work for each of several, a few at a time, and returns the results in order."""

    async def __call__(self, of: Collection[T], work: Callable[[T], Awaitable[R]], /) -> list[R]: ...


@dataclass(slots=True)
class ReadBudget:
    """The bytes that a call may still read. The first content is always read."""

    left: int
    has_read: bool = False

    def take(self, size: int) -> bool:
        """Returns whether a content of this size may be read, and counts it."""
        size = max(size, _LEAST_BYTES)
        if self.has_read and size > self.left:
            return False
        self.left -= size
        self.has_read = True
        return True


@dataclass(frozen=True, slots=True)
class FoundList:
    """An object that is a list by its metadata, not read yet."""

    stored: StoredObject
    metadata: ObjectMetadata
    list_sha256: bytes


@dataclass(frozen=True, slots=True)
class IncompleteRead:
    """The set is being verified: its contents up to this hash are fine."""

    through: bytes


@dataclass(frozen=True, slots=True)
class SetRefusal:
    """Why a set is not adopted: ``metadata``, ``hash``, ``size`` or ``incomplete``."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class _Content:
    sha256: bytes
    size: int
    path: str


class SetReader:
    """Verifies sets for the comparison of S3 with the database."""

    def __init__(
        self,
        saves: Saves,
        sweeps: Callable[[], AbstractAsyncContextManager[SavegameSweeps]],
        each: Each,
        largest_bytes: int,
    ) -> None:
        self._saves = saves
        self._sweeps = sweeps
        self._each = each
        self._largest_bytes = largest_bytes
        self._verified: dict[tuple[str, bytes], None] = {}

    async def verify(
        self, found: FoundList, budget: ReadBudget, through: bytes
    ) -> SavedObject | SetRefusal | IncompleteRead | None:
        """Verifies a set from the content after ``through`` on; None if its list no longer exists.

        Raises StoreUnavailable.
        """
        listed = await self._read(found)
        if listed is None or isinstance(listed, SetRefusal):
            return listed
        contents = _contents(listed)
        if any(one.size > self._largest_bytes for one in contents):
            return SetRefusal("size")
        user_id = found.metadata.user_id
        async with self._sweeps() as sweeps:
            held = await sweeps.held_contents(user_id, [one.sha256 for one in contents])
        keys, absent = await self._locate(found, listed, contents, held)
        lacking = [one for one in contents if one.sha256 not in keys]
        if lacking:
            return _incomplete(lacking, contents)
        unknown = [
            one
            for one in contents
            if one.sha256 > through and not (one.sha256 in held and held[one.sha256].key == keys[one.sha256])
        ]
        batch = []
        for one in unknown:
            if (keys[one.sha256], one.sha256) not in self._verified and not budget.take(one.size):
                break
            batch.append(one)
        results = await self._each(batch, lambda one: self._is_verified(one, keys[one.sha256]))
        if wrong := [one for one, is_verified in zip(batch, results, strict=True) if not is_verified]:
            return _incomplete(wrong, contents)
        if len(batch) < len(unknown):
            return IncompleteRead(batch[-1].sha256 if batch else through)
        kept = SavedSet(listed, found.list_sha256, keys, frozenset(absent))
        return SavedObject(found.stored.key, found.stored.size, found.stored.last_modified, found.metadata, kept)

    async def _read(self, found: FoundList) -> ListObject | SetRefusal | None:
        """Returns the list, if it is what its metadata says."""
        try:
            data = await self._saves.objects.read(found.stored.key, MAX_PUT_BYTES)
        except ObjectTooLarge:
            return SetRefusal("size")
        if data is None:
            return None
        if sha256(data).digest() != found.list_sha256:
            return SetRefusal("hash")
        try:
            listed = await asyncio.to_thread(from_object, data, MAX_LIST_OBJECT_BYTES)
        except ValueError:
            return SetRefusal("hash")
        metadata, header = found.metadata, listed.header
        is_same = (
            (header.user_id, header.product_id, header.slot_name)
            == (metadata.user_id, metadata.product_id, metadata.slot_name)
            and (header.version, header.parent_version) == (metadata.version, metadata.base_version)
            and (listed.sha256, listed.identity) == (metadata.content, metadata.identity)
        )
        # A key outside of the user's prefix would be another user's object.
        is_own = all(key.startswith(user_prefix(metadata.user_id)) for key in listed.keys.values())
        return listed if is_same and is_own else SetRefusal("metadata")

    async def _locate(
        self,
        found: FoundList,
        listed: ListObject,
        contents: Collection[_Content],
        held: Mapping[bytes, HeldContent],
    ) -> tuple[dict[bytes, str], set[str]]:
        """Returns the key of each content that has an object of its size, that of the database first, and the keys of
        the database without an object.
        """
        metadata = found.metadata
        folder = part_prefix(metadata.user_id, metadata.product_id, metadata.slot_name)
        named = {listed.keys[one.sha256] for one in contents} | {one.key for one in held.values()}
        elsewhere = sorted(key for key in named if not key.startswith(folder))
        digests = await self._each(elsewhere, self._size)
        sizes = {key: size for key, size in zip(elsewhere, digests, strict=True) if size is not None}
        # The folder may have the contents of a long history: only those of this set are kept.
        if len(elsewhere) < len(named):
            sizes |= {one.key: one.size async for one in self._objects(folder) if one.key in named}
        keys: dict[bytes, str] = {}
        absent: set[str] = set()
        for one in contents:
            if one.sha256 in held:
                if sizes.get(held[one.sha256].key) == one.size:
                    keys[one.sha256] = held[one.sha256].key
                    continue
                absent.add(held[one.sha256].key)
            if sizes.get(listed.keys[one.sha256]) == one.size:
                keys[one.sha256] = listed.keys[one.sha256]
        return keys, absent

    async def _objects(self, prefix: str) -> AsyncIterator[StoredObject]:
        after = ""
        while page := await self._saves.objects.list(prefix, after, _PAGE):
            for one in page:
                yield one
            after = page[-1].key

    async def _size(self, key: str) -> int | None:
        found: Digest | None = await self._saves.objects.digest(key, -1)
        return found.size if found else None

    async def _is_verified(self, one: _Content, key: str) -> bool:
        if (key, one.sha256) in self._verified:
            return True
        digest = await self._saves.objects.digest(key, one.size)
        if digest is None or digest.sha256 != one.sha256:
            return False
        if len(self._verified) >= _REMEMBERED:
            del self._verified[next(iter(self._verified))]
        self._verified[key, one.sha256] = None
        return True


def _contents(listed: ListObject) -> list[_Content]:
    """Returns the different contents of a list, in the order of their hashes, each with one of its paths."""
    found = {file.sha256: _Content(file.sha256, file.size, file.path) for file in reversed(listed.files)}
    return [found[content] for content in sorted(found)]


def _incomplete(lacking: Collection[_Content], contents: Collection[_Content]) -> SetRefusal:
    paths = sorted(one.path for one in lacking)
    named = ", ".join(paths[:_NAMED]) + (", …" if len(paths) > _NAMED else "")
    return SetRefusal("incomplete", f"{len(lacking)} of {len(contents)} contents: {named}")
