"""How a slot grows: new heads, branches, and the history that goes for them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from gameshelf.kernel.clock import Clock
from gameshelf.savegames.limits import Limits
from gameshelf.savegames.lineage import NOTHING, Node, Relation, relation
from gameshelf.savegames.naming import Marks
from gameshelf.savegames.retention import prunable, prune_at
from gameshelf.savegames.store import SavegameStore
from gameshelf.savegames.store.slots import Slot
from gameshelf.savegames.store.uploads import Upload
from gameshelf.savegames.store.versions import Compared, StoredVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredContent:
    """What a version holds, and what its client said of it."""

    content_id: UUID
    size: int
    content: bytes
    client_modified_at: datetime | None
    device_id: str | None
    comment: str | None
    playtime_seconds: int | None
    content_encoding: str | None
    encryption: str | None
    """As JSON."""
    identity: bytes | None
    """What lineage compares; None: ``content``."""

    @classmethod
    def of_upload(cls, upload: Upload, content_id: UUID) -> "StoredContent":
        """What was uploaded."""
        return cls(
            content_id=content_id,
            size=upload.size,
            content=upload.content,
            client_modified_at=upload.client_modified_at,
            device_id=upload.device_id,
            comment=upload.comment,
            playtime_seconds=upload.playtime_seconds,
            content_encoding=upload.content_encoding,
            encryption=upload.encryption,
            identity=upload.kept_identity,
        )

    @classmethod
    def of_object(
        cls, size: int, content: bytes, content_id: UUID, marks: Marks, identity: bytes | None
    ) -> "StoredContent":
        """What an object holds of which nothing else is known but its marks and its identity."""
        return cls(
            content_id=content_id,
            size=size,
            content=content,
            client_modified_at=None,
            device_id=None,
            comment=None,
            playtime_seconds=None,
            content_encoding=marks.content_encoding,
            encryption=marks.encryption,
            identity=identity,
        )

    @classmethod
    def of_version(cls, stored: StoredVersion, content_id: UUID) -> "StoredContent":
        """What another version holds already. A client's time that was ahead of that version's upload is replaced by
        the time of the upload: beside the later time of a restored or merged version it would no longer look ahead.
        """
        return cls(
            content_id=content_id,
            size=stored.size,
            content=stored.content,
            client_modified_at=stored.client_modified_at and min(stored.client_modified_at, stored.server_uploaded_at),
            device_id=stored.device_id,
            comment=stored.comment,
            playtime_seconds=stored.playtime_seconds,
            content_encoding=stored.content_encoding,
            encryption=stored.encryption,
            identity=None if stored.identity == stored.content else stored.identity,
        )


class Timeline:
    """Changes of a user's slots, over a store inside the user's transaction."""

    def __init__(self, store: SavegameStore, limits: Limits, clock: Clock) -> None:
        self._store = store
        self._limits = limits
        self._clock = clock

    async def relation(self, user_id: UUID, slot_id: UUID, head: int | None, base: int, identity: bytes) -> Relation:
        """How content stands to the head. One round trip."""
        return (await self.standing(user_id, slot_id, head, base, identity))[0]

    async def standing(
        self, user_id: UUID, slot_id: UUID, head: int | None, base: int, identity: bytes
    ) -> tuple[Relation, int | None]:
        """The same, and of content that grew from the head the newest version before that which holds the same."""
        if head is None:
            return relation(base, identity, NOTHING, {}), None
        versions = self._store.versions
        if base != head:
            [history] = await versions.histories(user_id, [Compared(slot_id, base, head, identity)])
            return relation(base, identity, head, history), None
        holds, regresses_to = await versions.head(user_id, slot_id, head, identity)
        found = relation(base, identity, head, {head: Node(NOTHING, None, holds)})
        return found, regresses_to if found is Relation.DESCENDANT else None

    async def grow(
        self,
        user_id: UUID,
        slot_id: UUID,
        version: int,
        parent: int,
        held: StoredContent,
        *,
        merged: int | None = None,
        version_id: UUID | None = None,
        at: datetime | None = None,
    ) -> None:
        """Adds a version that becomes the head, and lets history go that is beyond what is kept; ``at`` is when it was
        uploaded, if not now.
        """
        await self._add(
            user_id, slot_id, version, parent, held, merged=merged, version_id=version_id, in_head=True, at=at
        )
        await self._store.slots.move_head(user_id, slot_id, version)
        await self.prune(user_id, slot_id, version)

    async def branch_off(
        self,
        user_id: UUID,
        slot_id: UUID,
        version: int,
        parent: int,
        held: StoredContent,
        version_id: UUID,
        at: datetime | None = None,
    ) -> None:
        """Adds a version beside the head."""
        await self._add(
            user_id, slot_id, version, parent, held, merged=None, version_id=version_id, in_head=False, at=at
        )

    async def merge(
        self, user_id: UUID, slot: Slot, head_version: int, branch_version: int, held: StoredContent
    ) -> int:
        """Makes a head that both the head and a branch are parents of; its number. It holds one of their bytes."""
        await self._store.versions.join_head(user_id, slot.id, branch_version)
        version = await self._store.slots.number(user_id, slot.id)
        await self.grow(user_id, slot.id, version, head_version, held, merged=branch_version)
        return version

    async def prune(self, user_id: UUID, slot_id: UUID, head_version: int) -> None:
        """Lets the history of a slot go that is beyond what is kept, and notes when more of it may."""
        kept = await self._store.versions.kept(user_id, slot_id)
        if len(kept) <= self._limits.max_versions:
            return
        now = self._clock()
        protected = {head_version, *await self._store.versions.conflicting(user_id, slot_id)}
        going = prunable(kept, protected, self._limits.max_versions, now)
        await self.release(user_id, slot_id, going)
        left = [one for one in kept if one.version not in going]
        await self._store.slots.prune_at(user_id, slot_id, prune_at(left, self._limits.max_versions, now))

    async def release(self, user_id: UUID, slot_id: UUID, versions: Collection[int]) -> None:
        """Takes the bytes of these versions; the rows stay."""
        if versions:
            held = await self._store.versions.prune(user_id, slot_id, versions, self._clock())
            await self.drop(user_id, held)

    async def drop(self, user_id: UUID, content_ids: Collection[UUID]) -> None:
        """Those of the contents that nothing holds any more go from the store, a grace later."""
        await self._store.contents.drop(user_id, content_ids, self._clock() + self._limits.delete_grace)

    async def _add(
        self,
        user_id: UUID,
        slot_id: UUID,
        version: int,
        parent: int,
        held: StoredContent,
        *,
        merged: int | None,
        version_id: UUID | None,
        in_head: bool,
        at: datetime | None,
    ) -> None:
        await self._store.versions.add(
            user_id,
            slot_id=slot_id,
            version=version,
            id=version_id or uuid4(),
            parent_version=parent,
            merged_version=merged,
            in_head=in_head,
            content_id=held.content_id,
            size=held.size,
            content=held.content,
            client_modified_at=held.client_modified_at,
            now=at or self._clock(),
            device_id=held.device_id,
            comment=held.comment,
            playtime_seconds=held.playtime_seconds,
            content_encoding=held.content_encoding,
            encryption=held.encryption,
            identity=held.identity,
        )
