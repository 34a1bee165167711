"""What a player does with saves that are there: restore, pin, delete, bring back. Nothing here commits."""

from datetime import datetime
from uuid import UUID

from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.kernel.events import Record
from gameshelf.kernel.serialise import Serialise, by_advisory_lock
from gameshelf.savegames import outcomes
from gameshelf.savegames.commands import Synced, VersionChanges
from gameshelf.savegames.errors import SavegameSlotNotFound, SavegameVersionNotFound
from gameshelf.savegames.events import SavegameConflictDropped, SavegameDeleted, SavegameHeadMoved
from gameshelf.savegames.limits import Limits
from gameshelf.savegames.models import LOCK_SPACE
from gameshelf.savegames.naming import free_name
from gameshelf.savegames.outcomes import Outcome, Result
from gameshelf.savegames.retention import max_pinned
from gameshelf.savegames.store import ERASURE, SavegameStore
from gameshelf.savegames.store.scans import ScanStore
from gameshelf.savegames.store.slots import Slot
from gameshelf.savegames.timeline import StoredContent, Timeline


class SavegameService:
    """A user's saves, over one connection inside a transaction.

    ``serialise`` lets one transaction at a time change a user's saves: by default an advisory lock, one round trip per
    call.
    """

    def __init__(
        self,
        connection: Connection,
        record: Record,
        clock: Clock = utc_now,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        serialise: Serialise | None = None,
    ) -> None:
        self._connection = connection
        self._serialise = serialise or by_advisory_lock(connection, LOCK_SPACE)
        self._store = SavegameStore(connection)
        self._scans = ScanStore(connection)
        self._record = record
        self._clock = clock
        self._limits = limits
        self._timeline = Timeline(self._store, limits, clock)

    async def restore(self, user_id: UUID, slot_id: UUID, version: int) -> None:
        """Makes the bytes of a version those of a new head. The head's own ones need no new head.

        Raises SavegameSlotNotFound; SavegameVersionNotFound also for one whose bytes are gone, and says so.
        """
        await self._serialise(user_id)
        slot = await self._seen(user_id, slot_id)
        stored = await self._store.versions.find(user_id, slot_id, version)
        if stored is None or slot.head_version is None:
            raise SavegameVersionNotFound
        if stored.content_id is None:
            raise SavegameVersionNotFound(version=version, reason="pruned")
        if version == slot.head_version:
            return
        number = await self._store.slots.number(user_id, slot_id)
        held = StoredContent.of_version(stored, stored.content_id)
        await self._timeline.grow(user_id, slot_id, number, slot.head_version, held)
        self._moved(user_id, slot, slot.name, number)

    async def synced(self, user_id: UUID, slot_id: UUID, synced: Synced) -> None:
        """A device has the bytes of a version now: its next upload grows from that, if it does not say.

        A report of what the device's version grew from changes nothing: it arrived late. Of two versions that the head
        grew from the one with the higher number counts as the later. Whoever goes on from an older version on purpose
        restores it, or names it as the base.

        Raises SavegameSlotNotFound; SavegameVersionNotFound also for one whose bytes are gone.
        """
        await self._serialise(user_id)
        await self._seen(user_id, slot_id)
        stored = await self._store.versions.find(user_id, slot_id, synced.version)
        if stored is None or stored.content_id is None:
            raise SavegameVersionNotFound(version=synced.version)
        about = (user_id, slot_id, synced.device_id, synced.version)
        if not await self._store.slots.has_grown_from(*about, is_in_head=stored.in_head):
            await self._store.slots.device_has(*about, self._clock())

    async def change_version(self, user_id: UUID, slot_id: UUID, version: int, changes: VersionChanges) -> None:
        """Pins a version, or changes what is said of it.

        Raises SavegameSlotNotFound; SavegameVersionNotFound, also when bytes are to be pinned that are gone;
        InvalidInput when too many are.
        """
        await self._serialise(user_id)
        slot = await self._seen(user_id, slot_id)
        stored = await self._store.versions.find(user_id, slot_id, version)
        if stored is None:
            raise SavegameVersionNotFound
        is_pinned = stored.is_pinned if changes.is_pinned is None else changes.is_pinned
        comment = changes.comment if "comment" in changes.model_fields_set else stored.comment
        if is_pinned and not stored.is_pinned:
            if stored.content_id is None:
                raise SavegameVersionNotFound(version=version, reason="pruned")
            await self._require_unpinned(user_id, slot_id)
        await self._store.versions.change(user_id, slot_id, version, is_pinned, comment)
        if stored.is_pinned and not is_pinned and slot.head_version:
            await self._timeline.prune(user_id, slot_id, slot.head_version)

    async def _require_unpinned(self, user_id: UUID, slot_id: UUID) -> None:
        most = max_pinned(self._limits.max_versions)
        kept = await self._store.versions.kept(user_id, slot_id)
        if sum(one.is_pinned for one in kept) >= most:
            raise InvalidInput(Problem("too_many_pinned", pointer="is_pinned", params={"max": most}))

    async def delete(self, user_id: UUID, slot_id: UUID, *, permanent: bool = False) -> None:
        """Puts a save into the trash, or removes it at once, from the trash too. Uploads to it are over.

        Raises SavegameSlotNotFound.
        """
        await self._serialise(user_id)
        slot = await self._store.slots.find(user_id, slot_id)
        if slot is None or slot.head_version is None or (slot.deleted_at and not permanent):
            raise SavegameSlotNotFound
        if permanent:
            await self._remove(user_id, slot)
            if slot.deleted_at is None:
                self._deleted(user_id, slot, slot.head_version)
            return
        cancelled = Outcome(Result.CANCELLED, slot_id, slot.head_version)
        joined = await self._store.uploads.cancel(user_id, slot_id, outcomes.as_text(cancelled))
        await self._store.slots.trash(user_id, slot, self._clock())
        await self._timeline.drop(user_id, joined)
        self._deleted(user_id, slot, slot.head_version)

    async def undelete(self, user_id: UUID, slot_id: UUID) -> None:
        """Takes a save out of the trash, under another name where its own is taken. One that is not there stays as it
        is.

        Raises SavegameSlotNotFound.
        """
        await self._serialise(user_id)
        slot = await self._store.slots.find(user_id, slot_id)
        if slot is None or slot.head_version is None:
            raise SavegameSlotNotFound
        if slot.deleted_at is None:
            return
        name = free_name(slot.name, await self._store.slots.names(user_id, slot.product_id))
        await self._store.slots.untrash(user_id, slot, name)
        self._moved(user_id, slot, name, slot.head_version)

    async def purge(self, user_id: UUID, slot_id: UUID, before: datetime) -> None:
        """Removes a save that was put into the trash before that."""
        await self._serialise(user_id)
        slot = await self._store.slots.find(user_id, slot_id)
        if slot and slot.deleted_at and slot.deleted_at <= before:
            await self._remove(user_id, slot)

    async def prune(self, user_id: UUID, slot_id: UUID) -> None:
        """Lets history go that time has let go."""
        await self._serialise(user_id)
        slot = await self._store.slots.find(user_id, slot_id)
        if slot and slot.head_version:
            await self._store.slots.prune_at(user_id, slot_id, None)
            await self._timeline.prune(user_id, slot_id, slot.head_version)

    async def lose(self, user_id: UUID, content_id: UUID) -> None:
        """The store has lost a content for good: the versions that held it are pruned, and say so.

        Not one that has come back meanwhile, or was sent again.
        """
        await self._serialise(user_id)
        if not await self._scans.is_lost(user_id, content_id, self._clock() - self._limits.delete_grace):
            return
        for slot_id, version in await self._scans.holders(user_id, content_id):
            await self._timeline.release(user_id, slot_id, [version])
        await self._store.uploads.unjoin(user_id, content_id)
        await self._timeline.drop(user_id, [content_id])

    async def fill_keys(self, user_id: UUID, product_id: UUID) -> None:
        """Gives saves that the release before has made their folded names."""
        await self._serialise(user_id)
        await self._store.slots.fill_keys(user_id, product_id)

    async def set_quota(self, user_id: UUID, limit_bytes: int | None) -> None:
        """Gives the user a quota of their own, or with None the usual one again; what they keep stays."""
        await self._serialise(user_id)
        if limit_bytes is None:
            await self._store.usage.reset_limit(user_id)
        else:
            await self._store.usage.set_limit(user_id, limit_bytes, self._clock())

    async def erase(self, user_id: UUID, limit: int = 1000) -> bool:
        """Deletes a bounded part of all that is known of a user's saves; True while there may be more.

        The objects in the store are whoever's composes the service, and go before this.
        """
        return await ERASURE.erase_some(self._connection, user_id, limit)

    async def _seen(self, user_id: UUID, slot_id: UUID) -> Slot:
        slot = await self._store.slots.find(user_id, slot_id)
        if slot is None or slot.head_version is None or slot.deleted_at:
            raise SavegameSlotNotFound
        return slot

    async def _remove(self, user_id: UUID, slot: Slot) -> None:
        """Removes a save for good. Its open conflicts end, and devices that show them hear so."""
        held = await self._store.versions.contents(user_id, slot.id)
        joined = await self._store.uploads.joined(user_id, slot.id)
        conflicts = await self._store.slots.remove(user_id, slot.id)
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
