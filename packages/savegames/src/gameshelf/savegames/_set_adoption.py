"""The contents and the list of a set that is adopted, as rows of the database. It never commits."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from gameshelf.kernel.clock import Clock
from gameshelf.savegames._limits import ATTEMPT_FOR
from gameshelf.savegames._lists import ListObject
from gameshelf.savegames._store import SavegameStore
from gameshelf.savegames._store.adoptions import AdoptedContent, AdoptionStore
from gameshelf.savegames._store.contents import LiveContent
from gameshelf.savegames._store.scans import ScanStore
from gameshelf.savegames._timeline import StoredContent


@dataclass(frozen=True, slots=True)
class SavedSet:
    """A set in the store. The caller has verified every content of its list."""

    list: ListObject
    list_sha256: bytes
    """The hash of the bytes of the list."""
    keys: Mapping[bytes, str]
    """The key of the object of each content, by the hash of its bytes."""
    absent: frozenset[str]
    """Keys of the database whose objects the caller found missing in the store."""


class SetAdoption:
    """Stores the contents and the list of a set, inside the user's transaction."""

    def __init__(self, store: SavegameStore, adoptions: AdoptionStore, scans: ScanStore, clock: Clock) -> None:
        self._store = store
        self._adoptions = adoptions
        self._scans = scans
        self._clock = clock

    async def mend(self, user_id: UUID, found: SavedSet, absent: Collection[str]) -> bool:
        """Gives the contents whose objects are missing those that were found. Returns whether there was one."""
        held = await self._scans.held_contents(user_id, found.keys)
        missing = [one for one in held if (one.is_missing or one.key in absent) and one.key != found.keys[one.sha256]]
        sizes = {file.sha256: file.size for file in found.list.files}
        for one in missing:
            about = (found.keys[one.sha256], sizes[one.sha256], one.sha256)
            await mend_content(self._store, user_id, LiveContent(one.content_id, one.key, True), *about, self._clock())
        return bool(missing)

    async def hold(
        self, user_id: UUID, slot_id: UUID, found: SavedSet, list_key: str | None
    ) -> tuple[StoredContent, int]:
        """Adds the contents that the user lacks, and the list. ``list_key`` is the key of its object, None if another
        one has to be written. Returns what a version holds, and the bytes of the contents that were added.
        """
        now, files = self._clock(), found.list.files
        held = {one.sha256 for one in await self._scans.held_contents(user_id, found.keys)}
        new = {
            file.sha256: AdoptedContent(uuid4(), found.keys[file.sha256], file.size, file.sha256)
            for file in files
            if file.sha256 not in held
        }
        await self._adoptions.add_contents(user_id, list(new.values()), now)
        manifest_id = uuid4()
        await self._store.lists.add_list(user_id, slot_id, manifest_id, files, now)
        await self._adoptions.hold_contents(user_id, manifest_id, found.keys)
        details = found.list.header.made
        stored = StoredContent(
            content_id=uuid4(),
            size=sum(file.size for file in files),
            content=found.list.sha256,
            client_modified_at=details.client_modified_at,
            device_id=details.device_id,
            comment=details.comment,
            playtime_seconds=details.playtime_seconds,
            content_encoding=None,
            encryption=None,
            identity=found.list.identity,
            manifest_id=manifest_id,
            file_count=len(files),
            game_version_id=details.game_version_id,
            list_key=list_key,
        )
        return stored, sum(one.size for one in new.values())

    async def keep_object(self, user_id: UUID, content_id: UUID, size: int, found: SavedSet) -> None:
        """Records that the list has its object already."""
        await self._adoptions.set_written(user_id, content_id, size, found.list_sha256)


async def mend_content(
    store: SavegameStore, user_id: UUID, missing: LiveContent, key: str, size: int, content: bytes, now: datetime
) -> None:
    """Gives a content another object in place of its missing one, whose key is marked for deletion."""
    content_id = uuid4()
    await store.contents.add_pending(user_id, content_id, key, size, content, now=now, delete_after=now + ATTEMPT_FOR)
    await store.contents.supersede(user_id, content_id, missing, now)
    await store.contents.set_key(user_id, missing.id, key)
