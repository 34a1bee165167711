"""Changes of existing saves: restore, pin, delete, undelete. Nothing here commits."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.kernel.events import RecordEvent
from gameshelf.kernel.serialise import Serialise, by_advisory_lock
from gameshelf.savegames import _outcomes
from gameshelf.savegames._branches import Branches
from gameshelf.savegames._commands import Synced, VersionChanges
from gameshelf.savegames._errors import SavegameSlotNotFound, SavegameVersionNotFound
from gameshelf.savegames._events import SavegameConflictDropped, SavegameDeleted, SavegameHeadMoved
from gameshelf.savegames._files import lineage_key
from gameshelf.savegames._limits import Limits
from gameshelf.savegames._merging import SetMerges
from gameshelf.savegames._naming import free_name
from gameshelf.savegames._outcomes import UploadOutcome, UploadResult
from gameshelf.savegames._retention import max_pinned
from gameshelf.savegames._store import ERASURE, SavegameStore
from gameshelf.savegames._store.scans import ScanStore
from gameshelf.savegames._store.slots import Slot
from gameshelf.savegames._store.versions import StoredVersion
from gameshelf.savegames._timeline import StoredContent, Timeline


class SavegameService:
    """A user's saves, over one connection inside a transaction.

    ``serialise`` admits one transaction at a time per user. By default it takes an advisory lock, which costs one round
    trip per call.
    """

    def __init__(
        self,
        connection: Connection,
        record: RecordEvent,
        clock: Clock = utc_now,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        serialise: Serialise | None = None,
    ) -> None:
        self._connection = connection
        self._serialise = serialise or by_advisory_lock(connection)
        self._store = SavegameStore(connection)
        self._scans = ScanStore(connection)
        self._record = record
        self._clock = clock
        self._limits = limits
        self._timeline = Timeline(self._store, limits, clock)
        self._merges = SetMerges(self._store, limits, clock)
        self._branches = Branches(self._store, self._timeline, self._merges, record, clock)

    async def restore(
        self,
        user_id: UUID,
        slot_id: UUID,
        version: int,
        *,
        device_id: str | None = None,
        units: Sequence[str] | None = None,
    ) -> None:
        """Makes a new head with the bytes of a version, or with some units of it and else what the head has. If the
        version is the head, nothing changes. ``device_id`` counts as the device of the new head. A conflict whose
        branch has the same bytes ends.

        Raises SavegameSlotNotFound; SavegameVersionNotFound, with the reason ``pruned`` if its bytes were deleted; for
        units InvalidInput, SavegameMergeSplitsUnit and SavegameFileTooLarge.
        """
        await self._serialise(user_id)
        slot = await self._seen(user_id, slot_id)
        stored = await self._store.versions.find_version(user_id, slot_id, version)
        if stored is None or slot.head_version is None:
            raise SavegameVersionNotFound
        if stored.content_id is None:
            raise SavegameVersionNotFound(version=version, reason="pruned")
        if version == slot.head_version:
            return
        if units is None:
            held = StoredContent.of_version(stored, stored.content_id)
        else:
            held = await self._with_units(user_id, slot, slot.head_version, stored, units)
        # No device has the new head of a set yet, unless one says so: its next upload would seem to have grown from it.
        if device_id or stored.is_set:
            held = replace(held, device_id=device_id)
        number = await self._store.slots.next_number(user_id, slot_id)
        key = lineage_key(held.identity or held.content, is_set=held.file_count is not None)
        equal = await self._store.conflicts.equal_branches(user_id, slot_id, key)
        merged = await self._branches.end_equal(user_id, slot, equal, number)
        await self._timeline.grow(user_id, slot, number, slot.head_version, held, merged=merged)
        self._moved(user_id, slot, slot.name, number)

    async def _with_units(
        self, user_id: UUID, slot: Slot, head_version: int, stored: StoredVersion, units: Sequence[str]
    ) -> StoredContent:
        head = await self._store.versions.find_version(user_id, slot.id, head_version)
        assert head is not None
        if not (head.is_set and stored.is_set):
            raise InvalidInput(Problem("not_a_set", pointer="units"))
        if head.content_id is None:
            raise SavegameVersionNotFound(version=head_version, reason="pruned")
        files = await self._merges.with_units(user_id, slot.id, head, stored, units)
        return await self._merges.add_list(user_id, slot.id, head, stored, files)

    async def synced(self, user_id: UUID, slot_id: UUID, synced: Synced) -> None:
        """Records that a device has the bytes of a version. It is the default base of the device's next upload.

        A report of a version that the device's version grew from is late, and changes nothing. Of two versions that the
        head grew from, the one with the higher number counts as the later. A user who continues from an older version
        on purpose restores it, or names it as the base.

        Raises SavegameSlotNotFound; SavegameVersionNotFound, also for a version whose bytes were deleted.
        """
        await self._serialise(user_id)
        await self._seen(user_id, slot_id)
        stored = await self._store.versions.find_version(user_id, slot_id, synced.version)
        if stored is None or stored.content_id is None:
            raise SavegameVersionNotFound(version=synced.version)
        about = (user_id, slot_id, synced.device_id, synced.version)
        if not await self._store.slots.has_grown_from(*about, is_in_head=stored.in_head):
            await self._store.slots.device_has(*about, self._clock())

    async def change_version(self, user_id: UUID, slot_id: UUID, version: int, changes: VersionChanges) -> None:
        """Pins or unpins a version, or changes its comment.

        Raises SavegameSlotNotFound; SavegameVersionNotFound, also when a version to pin has no bytes any more;
        InvalidInput when too many versions are pinned.
        """
        await self._serialise(user_id)
        slot = await self._seen(user_id, slot_id)
        stored = await self._store.versions.find_version(user_id, slot_id, version)
        if stored is None:
            raise SavegameVersionNotFound
        is_pinned = stored.is_pinned if changes.is_pinned is None else changes.is_pinned
        comment = changes.comment if "comment" in changes.model_fields_set else stored.comment
        if is_pinned and not stored.is_pinned:
            if stored.content_id is None:
                raise SavegameVersionNotFound(version=version, reason="pruned")
            await self._require_unpinned(user_id, slot_id)
        await self._store.versions.change_version(user_id, slot_id, version, is_pinned, comment)
        if stored.is_pinned and not is_pinned and slot.head_version:
            await self._timeline.prune(user_id, slot_id, slot.head_version)

    async def _require_unpinned(self, user_id: UUID, slot_id: UUID) -> None:
        most = max_pinned(self._limits.max_versions)
        kept = await self._store.versions.kept_versions(user_id, slot_id)
        if sum(one.is_pinned for one in kept) >= most:
            raise InvalidInput(Problem("too_many_pinned", pointer="is_pinned", params={"max": most}))

    async def delete(self, user_id: UUID, slot_id: UUID, *, permanent: bool = False) -> None:
        """Puts a save into the trash, or with ``permanent`` deletes it at once, also from the trash. Its uploads end.

        Raises SavegameSlotNotFound.
        """
        await self._serialise(user_id)
        slot = await self._store.slots.find_slot(user_id, slot_id)
        if slot is None or slot.head_version is None or (slot.deleted_at and not permanent):
            raise SavegameSlotNotFound
        if permanent:
            await self._remove(user_id, slot)
            if slot.deleted_at is None:
                self._deleted(user_id, slot, slot.head_version)
            return
        cancelled = UploadOutcome(UploadResult.CANCELLED, slot_id, slot.head_version)
        outcome = _outcomes.as_text(cancelled)
        joined, has_sets = await self._store.uploads.cancel_uploads(user_id, slot_id, outcome, self._clock())
        await self._store.slots.trash_slot(user_id, slot, self._clock())
        if has_sets:
            await self._timeline.release_lists(user_id, slot_id, joined)
        else:
            await self._timeline.drop(user_id, joined)
        self._deleted(user_id, slot, slot.head_version)

    async def undelete(self, user_id: UUID, slot_id: UUID) -> None:
        """Takes a save out of the trash, under another name if its own is taken. Its open conflicts are there again,
        each with an event. A save that is not in the trash stays as it is.

        Raises SavegameSlotNotFound.
        """
        await self._serialise(user_id)
        slot = await self._store.slots.find_slot(user_id, slot_id)
        if slot is None or slot.head_version is None:
            raise SavegameSlotNotFound
        if slot.deleted_at is None:
            return
        name = free_name(slot.name, await self._store.slots.taken_names(user_id, slot.product_id))
        await self._store.slots.untrash_slot(user_id, slot, name)
        self._moved(user_id, slot, name, slot.head_version)
        for conflict in await self._store.conflicts.open_conflicts(user_id, slot_id):
            self._branches.announce(user_id, replace(slot, name=name), conflict)

    async def purge(self, user_id: UUID, slot_id: UUID, before: datetime) -> None:
        """Deletes a save for good if it was put into the trash before the given time."""
        await self._serialise(user_id)
        slot = await self._store.slots.find_slot(user_id, slot_id)
        if slot and slot.deleted_at and slot.deleted_at <= before:
            await self._remove(user_id, slot)

    async def prune(self, user_id: UUID, slot_id: UUID) -> None:
        """Prunes the history that has become prunable with time."""
        await self._serialise(user_id)
        slot = await self._store.slots.find_slot(user_id, slot_id)
        if slot and slot.head_version:
            await self._store.slots.prune_at(user_id, slot_id, None)
            await self._timeline.prune(user_id, slot_id, slot.head_version)

    async def prune_lost(self, user_id: UUID, content_id: UUID) -> None:
        """Prunes the versions of a content that the store has lost for good; uploads that have joined it await it.

        A content whose object exists again, or was uploaded again, stays. The object of a list is written again.
        """
        await self._serialise(user_id)
        if not await self._scans.is_lost(user_id, content_id, self._clock() - self._limits.delete_grace):
            return
        if await self._scans.write_list_again(user_id, content_id):
            return
        held = await self._scans.holding_versions(user_id, content_id)
        await self._store.set_commits.remove_from_lists(user_id, content_id)
        for slot_id, version in held:
            await self._timeline.release(user_id, slot_id, [version])
        await self._store.uploads.detach_uploads(user_id, content_id)
        await self._timeline.drop(user_id, [content_id])

    async def fill_keys(self, user_id: UUID, product_id: UUID) -> None:
        """Fills the folded names of saves that the release before has created."""
        await self._serialise(user_id)
        await self._store.slots.fill_keys(user_id, product_id)

    async def set_quota(self, user_id: UUID, limit_bytes: int | None) -> None:
        """Sets the user's own quota; None restores the default one. Existing saves stay."""
        await self._serialise(user_id)
        if limit_bytes is None:
            await self._store.usage.reset_limit(user_id)
        else:
            await self._store.usage.set_limit(user_id, limit_bytes, self._clock())

    async def erase(self, user_id: UUID, limit: int = 1000) -> bool:
        """Deletes a bounded part of all rows of a user's saves; True while there may be more.

        The caller deletes the user's objects from the store first.
        """
        return await ERASURE.erase_some(self._connection, user_id, limit)

    async def _seen(self, user_id: UUID, slot_id: UUID) -> Slot:
        slot = await self._store.slots.find_slot(user_id, slot_id)
        if slot is None or slot.head_version is None or slot.deleted_at:
            raise SavegameSlotNotFound
        return slot

    async def _remove(self, user_id: UUID, slot: Slot) -> None:
        """Deletes a save for good. Its open conflicts end, each with an event."""
        held = await self._store.versions.held_contents(user_id, slot.id)
        joined = await self._store.uploads.joined_contents(user_id, slot.id)
        conflicts = await self._store.slots.delete_slot(user_id, slot.id)
        await self._timeline.drop(user_id, {*held, *joined})
        for conflict_id in conflicts:
            assert slot.head_version is not None  # a branch stands beside a head
            self._record(
                SavegameConflictDropped(
                    user_id=user_id,
                    occurred_at=self._clock(),
                    product_id=slot.product_id,
                    slot_id=slot.id,
                    slot_name=slot.name,
                    conflict_id=conflict_id,
                    head_version=slot.head_version,
                )
            )

    def _deleted(self, user_id: UUID, slot: Slot, version: int) -> None:
        self._record(
            SavegameDeleted(
                user_id=user_id,
                occurred_at=self._clock(),
                product_id=slot.product_id,
                slot_id=slot.id,
                slot_name=slot.name,
                version=version,
            )
        )

    def _moved(self, user_id: UUID, slot: Slot, name: str, version: int) -> None:
        self._record(
            SavegameHeadMoved(
                user_id=user_id,
                occurred_at=self._clock(),
                product_id=slot.product_id,
                slot_id=slot.id,
                slot_name=name,
                version=version,
            )
        )
