"""Changes of a slot's versions: new heads, branches, and the pruning of history."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from gameshelf.kernel.clock import Clock
from gameshelf.savegames._limits import Limits
from gameshelf.savegames._lineage import NOTHING, Node, Relation, relation
from gameshelf.savegames._naming import Marks
from gameshelf.savegames._retention import prunable, prune_at
from gameshelf.savegames._store import SavegameStore
from gameshelf.savegames._store.slots import Slot
from gameshelf.savegames._store.uploads import Upload
from gameshelf.savegames._store.versions import Compared, StoredVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredContent:
    """The content of a version, and the properties that its client gave."""

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
    """The identity that lineage compares; None: it is ``content``."""

    @classmethod
    def of_upload(cls, upload: Upload, content_id: UUID) -> "StoredContent":
        """The content of an upload."""
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
        """The content of an object of which only the marks and the identity are known."""
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
        """The content of another version. A client's time that lies after the upload of that version is replaced by the
        time of the upload: compared with the later time of a restored or merged version it would seem valid.
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
    """Changes the versions of a user's slots, inside the user's transaction."""

    def __init__(self, store: SavegameStore, limits: Limits, clock: Clock) -> None:
        self._store = store
        self._limits = limits
        self._clock = clock

    async def relation(self, user_id: UUID, slot_id: UUID, head: int | None, base: int, identity: bytes) -> Relation:
        """Returns the relation of content to the head. One round trip."""
        return (await self.standing(user_id, slot_id, head, base, identity))[0]

    async def standing(
        self, user_id: UUID, slot_id: UUID, head: int | None, base: int, identity: bytes
    ) -> tuple[Relation, int | None]:
        """Returns the relation to the head, and for a descendant the newest earlier version with the same content."""
        if head is None:
            return relation(base, identity, NOTHING, {}), None
        versions = self._store.versions
        if base != head:
            [history] = await versions.histories(user_id, [Compared(slot_id, base, head, identity)])
            return relation(base, identity, head, history), None
        holds, regresses_to = await versions.head_identity(user_id, slot_id, head, identity)
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
        """Adds a version that becomes the head, and prunes history. ``at`` is the time of the upload; None: now."""
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
        """Adds a version as a branch."""
        await self._add(
            user_id, slot_id, version, parent, held, merged=None, version_id=version_id, in_head=False, at=at
        )

    async def merge(
        self, user_id: UUID, slot: Slot, head_version: int, branch_version: int, held: StoredContent
    ) -> int:
        """Adds a head with the head and a branch as parents, and returns its number. ``held`` is one side's content."""
        await self._store.versions.join_head(user_id, slot.id, branch_version)
        version = await self._store.slots.next_number(user_id, slot.id)
        await self.grow(user_id, slot.id, version, head_version, held, merged=branch_version)
        return version

    async def prune(self, user_id: UUID, slot_id: UUID, head_version: int) -> None:
        """Prunes the history of a slot, and stores when more of it becomes prunable."""
        kept = await self._store.versions.kept_versions(user_id, slot_id)
        if len(kept) <= self._limits.max_versions:
            return
        now = self._clock()
        protected = {head_version, *await self._store.versions.branch_tips(user_id, slot_id)}
        pruned = prunable(kept, protected, self._limits.max_versions, now)
        await self.release(user_id, slot_id, pruned)
        left = [one for one in kept if one.version not in pruned]
        await self._store.slots.prune_at(user_id, slot_id, prune_at(left, self._limits.max_versions, now))

    async def release(self, user_id: UUID, slot_id: UUID, versions: Collection[int]) -> None:
        """Releases the contents of these versions. The rows of the versions stay."""
        if versions:
            held = await self._store.versions.prune_versions(user_id, slot_id, versions, self._clock())
            await self.drop(user_id, held)

    async def drop(self, user_id: UUID, content_ids: Collection[UUID]) -> None:
        """Drops the contents that nothing holds any more. Their objects are deleted after the grace period."""
        await self._store.contents.drop_unheld(user_id, content_ids, self._clock() + self._limits.delete_grace)

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
        await self._store.versions.add_version(
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
