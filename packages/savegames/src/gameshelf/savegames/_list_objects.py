"""The objects of lists: a version of a set lies in the bucket as a list beside its contents.

So a lost database can be rebuilt. A commit leaves the list in the database, and a job writes its object afterwards.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from gameshelf.kernel.database import Connection
from gameshelf.savegames._files import FileList, hash_of, identity_of
from gameshelf.savegames._lists import ListHeader, SetDetails, decode, to_object
from gameshelf.savegames._naming import object_metadata
from gameshelf.savegames._store.list_objects import ListObjectStore, StoredList

_FILES_IN_LOOP = 500
"""Lists of more files are packed in a thread."""


@dataclass(frozen=True, slots=True)
class ListToWrite:
    """The object of a list that has to be written."""

    key: str
    data: bytes
    metadata: Mapping[str, str]
    revision: int
    """Of the list, when it was read."""


class SavegameListObjects:
    """Makes the objects of lists. No method needs a lock; a repetition writes the same object."""

    def __init__(self, connection: Connection) -> None:
        self._store = ListObjectStore(connection)

    async def unwritten(self, limit: int) -> list[tuple[UUID, UUID]]:
        """Returns user and content of lists without an object, the oldest first."""
        return await self._store.unwritten(limit)

    async def oldest_unwritten(self) -> datetime | None:
        """Returns when the oldest list without an object was stored."""
        return await self._store.oldest_unwritten()

    async def make(self, user_id: UUID, content_id: UUID) -> ListToWrite | None:
        """Returns the object of a list that has none; None if it has one, or nothing needs it any more."""
        # The revision is read before the keys: a key that changes in between makes the object an outdated one.
        found = await self._store.find_list(user_id, content_id)
        if found is None:
            return None
        keys = await self._store.keys(user_id, found.manifest_id)
        if found.file_count <= _FILES_IN_LOOP:
            return _to_write(user_id, found, keys)
        return await asyncio.to_thread(_to_write, user_id, found, keys)

    async def mark_written(self, user_id: UUID, content_id: UUID, written: ListToWrite) -> bool:
        """Records that the object is in the store. False if it was recorded already, or nothing needs the list; also if
        the list has changed since ``make``, and then it is unwritten.
        """
        content = sha256(written.data).digest()
        about = (written.key, written.revision, len(written.data), content)
        return await self._store.mark_written(user_id, content_id, *about)


def list_metadata(header: ListHeader, files: FileList, data: bytes) -> dict[str, str]:
    """Returns the metadata of the object of a list. It is that of a single file's object with the canonical hash in
    place of the hash of the bytes, so a release that knows no sets refuses it.
    """
    identity = identity_of(files)
    about = (header.user_id, header.product_id, header.slot_name, header.version, header.parent_version)
    found = object_metadata(*about, hash_of(files), identity=identity) | {
        "identity": identity.hex(),
        "kind": "set",
        "file-count": str(len(files)),
        "list-sha256": sha256(data).hexdigest(),
    }
    return found if header.merged_version is None else found | {"merged-version": str(header.merged_version)}


def list_hash_of(metadata: Mapping[str, str]) -> bytes | None:
    """Returns the SHA-256 of the bytes of a list, by the metadata of its object; None if the object is no list."""
    if metadata.get("kind") != "set":
        return None
    try:
        return bytes.fromhex(metadata["list-sha256"])
    except (KeyError, ValueError):
        return b""  # no bytes have it


def _to_write(user_id: UUID, found: StoredList, keys: Mapping[bytes, str]) -> ListToWrite:
    details = SetDetails(
        client_modified_at=found.client_modified_at,
        device_id=found.device_id,
        comment=found.comment,
        playtime_seconds=found.playtime_seconds,
        game_version_id=found.game_version_id,
    )
    header = ListHeader(
        user_id=user_id,
        product_id=found.product_id,
        slot_name=found.slot_name,
        version=found.version,
        parent_version=found.parent_version,
        merged_version=found.merged_version,
        made=details,
    )
    files = decode(found.body)
    data = to_object(header, files, keys)
    return ListToWrite(found.key, data, list_metadata(header, files, data), found.revision)
