"""Changes of a slot's versions: new heads, branches, and the pruning of history."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from gameshelf.kernel.clock import Clock
from gameshelf.savegames._limits import Limits
from gameshelf.savegames._lineage import NOTHING, Node, Relation, relation
from gameshelf.savegames._naming import Marks, object_key
from gameshelf.savegames._retention import prunable, prune_at
from gameshelf.savegames._store import SavegameStore
from gameshelf.savegames._store.conflicts import NO_BRANCHES, EqualBranches
from gameshelf.savegames._store.slots import Slot
from gameshelf.savegames._store.uploads import Upload
from gameshelf.savegames._store.versions import Compared, PrunedVersion, StoredVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredContent:
    """The content of a version, and the properties that its client gave."""

    content_id: UUID
    """Of a set: the new content that will hold the list of the version."""
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
    manifest_id: UUID | None = None
    """The list of a set."""
    file_count: int | None = None
    """The number of files of a set; None: a single file."""
    game_version_id: str | None = None
    list_key: str | None = None
    """The key of the object of the list, where it was chosen already."""

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
            manifest_id=upload.manifest_id,
            file_count=upload.file_count,
            game_version_id=upload.game_version_id,
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
        """The content of another version. ``content_id`` is its content; a set gets one of its own for its list. A
        client's time that lies after the upload of that version is replaced by the
        time of the upload: compared with the later time of a restored or merged version it would seem valid.
        """
        return cls(
            content_id=uuid4() if stored.is_set else content_id,
            size=stored.size,
            content=stored.content,
            client_modified_at=stored.client_modified_at and min(stored.client_modified_at, stored.server_uploaded_at),
            device_id=stored.device_id,
            comment=stored.comment,
            playtime_seconds=stored.playtime_seconds,
            content_encoding=stored.content_encoding,
            encryption=stored.encryption,
            identity=stored.kept_identity,
            manifest_id=stored.manifest_id,
            file_count=stored.file_count,
            game_version_id=stored.game_version_id,
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """How content stands to the head, and what else has the same content."""

    relation: Relation
    regresses_to: int | None = None
    """The newest earlier version of the history."""
    equal: EqualBranches = NO_BRANCHES
    """The branches of open conflicts."""


class Timeline:
    """Changes the versions of a user's slots, inside the user's transaction."""

    def __init__(self, store: SavegameStore, limits: Limits, clock: Clock) -> None:
        self._store = store
        self._limits = limits
        self._clock = clock

    async def relation(self, user_id: UUID, slot_id: UUID, head: int | None, base: int, identity: bytes) -> Relation:
        """Returns the relation of content to the head. One round trip."""
        return (await self.standing(user_id, slot_id, head, base, identity)).relation

    async def standing(self, user_id: UUID, slot_id: UUID, head: int | None, base: int, identity: bytes) -> "Standing":
        """Returns the relation to the head, and for a descendant what else has the same content."""
        if head is None:
            return Standing(relation(base, identity, NOTHING, {}))
        versions = self._store.versions
        if base != head:
            [history] = await versions.histories(user_id, [Compared(slot_id, base, head, identity)])
            return Standing(relation(base, identity, head, history))
        holds, regresses_to, equal = await versions.head_identity(user_id, slot_id, head, identity)
        found = relation(base, identity, head, {head: Node(NOTHING, None, holds)})
        return Standing(found, regresses_to, equal) if found is Relation.DESCENDANT else Standing(found)

    async def grow(
        self,
        user_id: UUID,
        slot: Slot,
        version: int,
        parent: int,
        held: StoredContent,
        *,
        merged: int | None = None,
        version_id: UUID | None = None,
        at: datetime | None = None,
    ) -> None:
        """Adds a version that becomes the head, and prunes history. ``at`` is the time of the upload; None: now."""
        await self._add(user_id, slot, version, parent, held, merged=merged, version_id=version_id, in_head=True, at=at)
        await self._store.slots.move_head(user_id, slot.id, version)
        await self.prune(user_id, slot.id, version)

    async def branch_off(
        self,
        user_id: UUID,
        slot: Slot,
        version: int,
        parent: int,
        held: StoredContent,
        version_id: UUID,
        at: datetime | None = None,
    ) -> None:
        """Adds a version as a branch."""
        await self._add(user_id, slot, version, parent, held, merged=None, version_id=version_id, in_head=False, at=at)

    async def merge(
        self, user_id: UUID, slot: Slot, head_version: int, branch_version: int, held: StoredContent
    ) -> int:
        """Adds a head with the head and a branch as parents, and returns its number. ``held`` is the content
        of one side, or what was merged of both.
        """
        await self._store.versions.join_head(user_id, slot.id, branch_version)
        version = await self._store.slots.next_number(user_id, slot.id)
        await self.grow(user_id, slot, version, head_version, held, merged=branch_version)
        return version

    async def prune(self, user_id: UUID, slot_id: UUID, head_version: int) -> None:
        """Prunes the history of a slot, and stores when more of it becomes prunable."""
        kept = await self._store.versions.kept_versions(user_id, slot_id)
        if len(kept) <= self._limits.max_versions:
            return
        now = self._clock()
        protected = {head_version, *(one.version for one in kept if one.is_side)}
        pruned = prunable(kept, protected, self._limits.max_versions, now)
        left = [one for one in kept if one.version not in pruned]
        at = prune_at(left, self._limits.max_versions, now)
        if not pruned:
            await self._store.slots.prune_at(user_id, slot_id, at)
            return
        held = await self._store.versions.prune_and_schedule(user_id, slot_id, pruned, now, at)
        await self._drop_pruned(user_id, slot_id, held)

    async def release(self, user_id: UUID, slot_id: UUID, versions: Collection[int]) -> None:
        """Releases the contents of these versions. The rows of the versions stay."""
        if versions:
            held = await self._store.versions.prune_versions(user_id, slot_id, versions, self._clock())
            await self._drop_pruned(user_id, slot_id, held)

    async def release_lists(self, user_id: UUID, slot_id: UUID, contents: Collection[UUID] = ()) -> None:
        """Releases the lists of a slot that neither a version with its bytes nor an open upload has, and drops what
        nothing holds any more, ``contents`` included.
        """
        held = await self._store.lists.release(user_id, slot_id)
        await self.drop(user_id, {*held, *contents})
        await self._store.lists.forget(user_id, slot_id)

    async def _drop_pruned(self, user_id: UUID, slot_id: UUID, pruned: Sequence[PrunedVersion]) -> None:
        contents = {one.content_id for one in pruned}
        if any(one.manifest_id for one in pruned):
            await self.release_lists(user_id, slot_id, contents)
        else:
            await self.drop(user_id, contents)

    async def drop(self, user_id: UUID, content_ids: Collection[UUID]) -> None:
        """Drops the contents that nothing holds any more. Their objects are deleted after the grace period."""
        await self._store.contents.drop_unheld(user_id, content_ids, self._clock() + self._limits.delete_grace)

    def new_version(
        self,
        user_id: UUID,
        slot: Slot,
        version: int,
        parent: int,
        held: StoredContent,
        *,
        merged: int | None = None,
        version_id: UUID | None = None,
        in_head: bool = True,
        at: datetime | None = None,
    ) -> dict[str, Any]:
        """Returns the values of a new version, and of the content that holds the list of a set."""
        now = self._clock()
        about = (user_id, slot.product_id, slot.name, version, held.content_id)
        return {
            "slot_id": slot.id,
            "version": version,
            "id": version_id or uuid4(),
            "parent_version": parent,
            "merged_version": merged,
            "in_head": in_head,
            "content_id": held.content_id,
            "size": held.size,
            "content": held.content,
            "client_modified_at": held.client_modified_at,
            "now": at or now,
            "device_id": held.device_id,
            "comment": held.comment,
            "playtime_seconds": held.playtime_seconds,
            "content_encoding": held.content_encoding,
            "encryption": held.encryption,
            "identity": held.identity,
            "manifest_id": held.manifest_id,
            "file_count": held.file_count,
            "game_version_id": held.game_version_id,
            "list_key": None if held.file_count is None else held.list_key or object_key(*about, now),
            "list_created_at": now,
        }

    async def _add(self, user_id: UUID, *about: Any, **values: Any) -> None:
        await self._store.versions.add_version(user_id, **self.new_version(user_id, *about, **values))
