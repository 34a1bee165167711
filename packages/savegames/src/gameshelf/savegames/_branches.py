"""Uploads that became branches: each opens a conflict for the user, or is resolved by its policy."""

from datetime import datetime
from uuid import UUID, uuid4

from gameshelf.kernel.clock import Clock
from gameshelf.kernel.events import RecordEvent
from gameshelf.savegames._errors import ConflictNotFound
from gameshelf.savegames._events import SavegameConflicted, SavegameConflictResolved
from gameshelf.savegames._lineage import Side, resolved_by
from gameshelf.savegames._merging import SetMerges, SetSides
from gameshelf.savegames._models import ConflictPolicy, Resolution
from gameshelf.savegames._outcomes import UploadOutcome, UploadResult
from gameshelf.savegames._store import SavegameStore
from gameshelf.savegames._store.conflicts import Conflict
from gameshelf.savegames._store.slots import Slot
from gameshelf.savegames._store.uploads import Upload
from gameshelf.savegames._store.versions import StoredVersion
from gameshelf.savegames._timeline import StoredContent, Timeline


class Branches:
    """Opens, extends and ends conflicts of a user, inside the user's transaction."""

    def __init__(
        self, store: SavegameStore, timeline: Timeline, merges: SetMerges, record: RecordEvent, clock: Clock
    ) -> None:
        self._store = store
        self._timeline = timeline
        self._merges = merges
        self._record = record
        self._clock = clock

    async def add_upload(self, user_id: UUID, upload: Upload, slot: Slot, held: StoredContent) -> UploadOutcome:
        """Adds an upload as a branch.

        An upload that grew from a branch extends that branch and its conflict. An upload from the same device and the
        same base as a branch replaces that branch in its conflict.
        """
        assert slot.head_version is not None
        conflict_id = await self._stand(
            user_id, slot, slot.head_version, upload.version, upload.base_version, held, upload.id
        )
        return await self._by_policy(user_id, upload, slot, slot.head_version, conflict_id)

    async def add_adopted(
        self, user_id: UUID, slot: Slot, version: int, parent: int, held: StoredContent, version_id: UUID, at: datetime
    ) -> None:
        """Adds a version that was uploaded long ago as a branch, and opens its conflict."""
        assert slot.head_version is not None
        head_version = slot.head_version
        conflict_id = await self._stand(user_id, slot, head_version, version, parent, held, version_id, at)
        await self._announce(user_id, slot, head_version, version, conflict_id)

    async def _stand(
        self,
        user_id: UUID,
        slot: Slot,
        head_version: int,
        version: int,
        parent: int,
        held: StoredContent,
        version_id: UUID,
        at: datetime | None = None,
    ) -> UUID:
        """Adds a version beside the head, and returns its conflict. ``at`` is the time of an upload in the past, whose
        device is not known.
        """
        await self._timeline.branch_off(user_id, slot, version, parent, held, version_id, at)
        conflicts = self._store.conflicts
        conflict_id = await conflicts.extend_conflict(
            user_id, slot.id, parent, version, head_version, device=held.device_id, of_device=at is None
        )
        if conflict_id is None:
            conflict_id = uuid4()
            new = Conflict(conflict_id, slot.id, version, head_version)
            await conflicts.add_conflict(user_id, new, parent, self._clock())
        return conflict_id

    async def _by_policy(
        self, user_id: UUID, upload: Upload, slot: Slot, head_version: int, conflict_id: UUID
    ) -> UploadOutcome:
        """Merges the branch if both sides are sets and that needs no choice; else the policy of the upload decides."""
        head = await self._store.versions.find_version(user_id, slot.id, head_version)
        branch = await self._store.versions.find_version(user_id, slot.id, upload.version)
        assert head is not None
        assert branch is not None
        sides = await self._sides(user_id, slot, head, branch)
        if sides and head.content_id and (files := await self._merges.automatic(sides)):
            merged = await self._merges.add_list(user_id, slot.id, head, branch, files)
            version = await self.end_by_merge(user_id, slot, conflict_id, head, branch, Resolution.MERGE, merged)
            resolved = (version, head_version, upload.version, conflict_id, Resolution.MERGE.value)
            return UploadOutcome(UploadResult.RESOLVED, slot.id, *resolved)
        resolution = resolved_by(ConflictPolicy(upload.conflict_policy), _side(branch), _side(head))
        if resolution is None or head.content_id is None:
            count = None if sides is None else await self._merges.count(sides)
            await self._announce(user_id, slot, head_version, upload.version, conflict_id, count)
            return UploadOutcome(
                UploadResult.CONFLICT, slot.id, upload.version, head_version, upload.version, conflict_id
            )
        version = await self.end_by_merge(user_id, slot, conflict_id, head, branch, resolution)
        return UploadOutcome(
            UploadResult.RESOLVED, slot.id, version, head_version, upload.version, conflict_id, resolution.value
        )

    async def _sides(self, user_id: UUID, slot: Slot, head: StoredVersion, branch: StoredVersion) -> SetSides | None:
        """Returns the lists of both sides, if both are sets."""
        if not (head.is_set and branch.is_set):
            return None
        return await self._merges.read_sides(user_id, slot.id, head, branch)

    async def _announce(
        self,
        user_id: UUID,
        slot: Slot,
        head_version: int,
        branch_version: int,
        conflict_id: UUID,
        differences_count: int | None = None,
    ) -> None:
        """Records that a branch has an open conflict."""
        await self._timeline.prune(user_id, slot.id, head_version)
        self._record(
            SavegameConflicted(
                user_id=user_id,
                occurred_at=self._clock(),
                product_id=slot.product_id,
                slot_id=slot.id,
                slot_name=slot.name,
                conflict_id=conflict_id,
                head_version=head_version,
                branch_version=branch_version,
                differences_count=differences_count,
            )
        )

    async def end_by_merge(
        self,
        user_id: UUID,
        slot: Slot,
        conflict_id: UUID,
        head: StoredVersion,
        branch: StoredVersion,
        resolution: Resolution,
        merged: StoredContent | None = None,
    ) -> int:
        """Ends a conflict with a new head, which has both sides as parents. It has what was ``merged``, else the bytes
        of one side. Returns its number.
        """
        await self._resolve(user_id, conflict_id, resolution)
        if merged is None:
            winner = branch if resolution is Resolution.KEEP_LOCAL else head
            assert winner.content_id is not None  # the sides of an open conflict are never pruned
            merged = StoredContent.of_version(winner, winner.content_id)
        version = await self._timeline.merge(user_id, slot, head.version, branch.version, merged)
        self._record_end(user_id, slot, conflict_id, resolution, version, None)
        return version

    async def end_with_copy(
        self, user_id: UUID, slot: Slot, conflict_id: UUID, head_version: int, copy_id: UUID
    ) -> None:
        """Ends a conflict whose branch became a slot of its own. The head stays."""
        await self._resolve(user_id, conflict_id, Resolution.KEEP_BOTH)
        self._record_end(user_id, slot, conflict_id, Resolution.KEEP_BOTH, head_version, copy_id)

    async def _resolve(self, user_id: UUID, conflict_id: UUID, resolution: Resolution) -> None:
        if not await self._store.conflicts.resolve_conflict(user_id, conflict_id, resolution.value, self._clock()):
            raise ConflictNotFound  # the port did not serialise, and another transaction has ended it meanwhile

    def _record_end(
        self,
        user_id: UUID,
        slot: Slot,
        conflict_id: UUID,
        resolution: Resolution,
        head_version: int,
        copy_slot_id: UUID | None,
    ) -> None:
        self._record(
            SavegameConflictResolved(
                user_id=user_id,
                occurred_at=self._clock(),
                product_id=slot.product_id,
                slot_id=slot.id,
                slot_name=slot.name,
                conflict_id=conflict_id,
                resolution=resolution.value,
                copy_slot_id=copy_slot_id,
                head_version=head_version,
            )
        )


def _side(version: StoredVersion) -> Side:
    return Side.of(version.client_modified_at, version.server_uploaded_at, version.playtime_seconds)
