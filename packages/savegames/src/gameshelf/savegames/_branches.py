"""Uploads that became branches: each opens a conflict for the user, or is resolved by its policy."""

from datetime import datetime
from uuid import UUID, uuid4

from gameshelf.kernel.clock import Clock
from gameshelf.kernel.events import RecordEvent
from gameshelf.savegames._errors import ConflictNotFound
from gameshelf.savegames._events import SavegameConflicted, SavegameConflictResolved
from gameshelf.savegames._files import lineage_key
from gameshelf.savegames._lineage import Side, resolved_by
from gameshelf.savegames._merging import SetMerges, SetSides
from gameshelf.savegames._models import ConflictPolicy, Resolution
from gameshelf.savegames._outcomes import UploadOutcome, UploadResult
from gameshelf.savegames._store import SavegameStore
from gameshelf.savegames._store.conflicts import Conflict, EqualBranches
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
        await self._prune_and_announce(user_id, slot, head_version, version, conflict_id)

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
        """Merges the branch if both sides are sets and that needs no choice; else the policy of the upload decides.

        Neither shrinks the head: then the user has to decide.
        """
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
        if resolution is Resolution.KEEP_LOCAL and await self._merges.shrinks(user_id, slot.id, head, branch):
            resolution = None
        if resolution is None or head.content_id is None:
            count = None if sides is None else await self._merges.count(sides)
            await self._prune_and_announce(user_id, slot, head_version, upload.version, conflict_id, count)
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

    async def _prune_and_announce(
        self,
        user_id: UUID,
        slot: Slot,
        head_version: int,
        branch_version: int,
        conflict_id: UUID,
        differences_count: int | None = None,
    ) -> None:
        """Records that a branch has an open conflict, and prunes history."""
        await self._timeline.prune(user_id, slot.id, head_version)
        self.announce(user_id, slot, Conflict(conflict_id, slot.id, branch_version, head_version), differences_count)

    def announce(self, user_id: UUID, slot: Slot, conflict: Conflict, differences_count: int | None = None) -> None:
        """Records that a conflict is open."""
        assert slot.head_version is not None
        self._record(
            SavegameConflicted(
                user_id=user_id,
                occurred_at=self._clock(),
                product_id=slot.product_id,
                slot_id=slot.id,
                slot_name=slot.name,
                conflict_id=conflict.id,
                head_version=slot.head_version,
                branch_version=conflict.branch_version,
                differences_count=differences_count,
            )
        )

    async def end_equal(self, user_id: UUID, slot: Slot, equal: EqualBranches, head_version: int) -> int | None:
        """Ends the conflicts of branches whose content becomes the head, as if the user had kept the head: nothing is
        left to decide. Returns the branch that the new head has as its second parent, if it has a lower number.
        """
        for conflict_id in equal.conflicts:
            await self._resolve(user_id, conflict_id, Resolution.KEEP_CLOUD)
            self._record_end(user_id, slot, conflict_id, Resolution.KEEP_CLOUD, head_version, None)
        if equal.branch_version is None or equal.branch_version > head_version:
            return None
        await self._store.versions.join_head(user_id, slot.id, equal.branch_version)
        return equal.branch_version

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
        key = lineage_key(merged.identity or merged.content, is_set=merged.file_count is not None)
        for equal_id in (await self._store.conflicts.equal_branches(user_id, slot.id, key)).conflicts:
            await self._resolve(user_id, equal_id, Resolution.KEEP_CLOUD)
            self._record_end(user_id, slot, equal_id, Resolution.KEEP_CLOUD, version, None)
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
