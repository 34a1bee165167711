"""Resolution of conflicts by the user."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.kernel.events import RecordEvent
from gameshelf.kernel.serialise import Serialise, by_advisory_lock
from gameshelf.savegames._branches import Branches
from gameshelf.savegames._commands import Resolve
from gameshelf.savegames._differences import MergeSide
from gameshelf.savegames._errors import ConflictNotFound, SavegameMergeSplitsUnit, SavegameVersionNotFound
from gameshelf.savegames._events import SavegameHeadMoved
from gameshelf.savegames._limits import Limits
from gameshelf.savegames._merging import SetMerges
from gameshelf.savegames._models import Resolution
from gameshelf.savegames._naming import conflict_name, free_name
from gameshelf.savegames._store import SavegameStore
from gameshelf.savegames._store.slots import Slot
from gameshelf.savegames._store.versions import StoredVersion
from gameshelf.savegames._timeline import StoredContent, Timeline


@dataclass(frozen=True, slots=True)
class Resolved:
    """How a conflict ended."""

    slot_id: UUID
    resolution: Resolution
    copy_slot_id: UUID | None
    """The slot that the branch became with ``keep_both``."""


@dataclass(frozen=True, slots=True)
class OutdatedDecision:
    """A side has changed since the user decided, and the conflict stays open. The transaction has to be committed."""

    conflict_id: UUID


class SavegameConflicts:
    """A user's conflicts, over one connection inside a transaction.

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
        self._serialise = serialise or by_advisory_lock(connection)
        self._store = SavegameStore(connection)
        self._record = record
        self._clock = clock
        self._timeline = Timeline(self._store, limits, clock)
        self._merges = SetMerges(self._store, limits, clock)
        self._branches = Branches(self._store, self._timeline, self._merges, record, clock)

    async def resolve(self, user_id: UUID, conflict_id: UUID, choice: Resolve) -> Resolved | OutdatedDecision:
        """Ends a conflict. No bytes are lost: the other side stays in the history, or in a slot of its own.

        Raises ConflictNotFound; InvalidInput for a name that is taken, and for units that are not named or that there
        are not; SavegameMergeSplitsUnit where the sides cannot be merged; SavegameFileTooLarge for a merge that breaks
        a limit; SavegameVersionNotFound where the store has lost the bytes of the chosen side.
        """
        if choice.units is not None and choice.resolution is not Resolution.MERGE:
            raise InvalidInput(Problem("units_without_merge", pointer="units"))
        await self._serialise(user_id)
        conflict = await self._store.conflicts.find_conflict(user_id, conflict_id)
        slot = await self._store.slots.find_slot(user_id, conflict.slot_id) if conflict else None
        if conflict is None or slot is None or slot.deleted_at or slot.head_version is None:
            raise ConflictNotFound
        decided = (choice.head_version or conflict.head_version, choice.branch_version or conflict.branch_version)
        if decided != (slot.head_version, conflict.branch_version):
            await self._store.conflicts.set_described_head(user_id, conflict_id, slot.head_version)
            return OutdatedDecision(conflict_id)
        head = await self._side(user_id, slot, slot.head_version)
        branch = await self._side(user_id, slot, conflict.branch_version)
        if choice.resolution is Resolution.KEEP_BOTH:
            copy_id = await self._copy(user_id, slot, branch, choice.copy_slot_name)
            await self._branches.end_with_copy(user_id, slot, conflict_id, slot.head_version, copy_id)
            await self._timeline.prune(user_id, slot.id, slot.head_version)
            return Resolved(slot.id, choice.resolution, copy_id)
        if choice.resolution is Resolution.MERGE:
            merged = await self._merge(user_id, slot, head, branch, choice.units or {})
            await self._branches.end_by_merge(user_id, slot, conflict_id, head, branch, choice.resolution, merged)
            return Resolved(slot.id, choice.resolution, None)
        kept = branch if choice.resolution is Resolution.KEEP_LOCAL else head
        if kept.content_id is None:
            raise SavegameVersionNotFound(version=kept.version)
        await self._branches.end_by_merge(user_id, slot, conflict_id, head, branch, choice.resolution)
        return Resolved(slot.id, choice.resolution, None)

    async def _side(self, user_id: UUID, slot: Slot, version: int) -> StoredVersion:
        found = await self._store.versions.find_version(user_id, slot.id, version)
        assert found is not None  # rows of versions stay
        return found

    async def _merge(
        self,
        user_id: UUID,
        slot: Slot,
        head: StoredVersion,
        branch: StoredVersion,
        choices: Mapping[str, MergeSide],
    ) -> StoredContent:
        """Merges both sides by units."""
        if not (head.is_set and branch.is_set):
            raise SavegameMergeSplitsUnit(reason="single_file")
        for side in (head, branch):
            if side.content_id is None:
                raise SavegameVersionNotFound(version=side.version)
        sides = await self._merges.read_sides(user_id, slot.id, head, branch)
        if sides is None:
            raise SavegameVersionNotFound(version=branch.version)
        files = await self._merges.chosen(sides, choices)
        return await self._merges.add_list(user_id, slot.id, head, branch, files)

    async def _copy(self, user_id: UUID, slot: Slot, branch: StoredVersion, name: str | None) -> UUID:
        """Creates a slot from the branch, and returns its id."""
        if branch.content_id is None:
            raise SavegameVersionNotFound(version=branch.version)
        taken = await self._store.slots.taken_names(user_id, slot.product_id)
        if name is not None and free_name(name, taken) != name:
            raise InvalidInput(Problem("slot_name_taken", pointer="copy_slot_name"))
        name = name or free_name(conflict_name(slot.name, branch.version), taken)
        copy_id, now = uuid4(), self._clock()
        number = await self._store.slots.create_slot(user_id, copy_id, slot.product_id, name, now)
        if number is None:
            raise InvalidInput(Problem("slot_name_taken", pointer="copy_slot_name"))
        copy = Slot(copy_id, slot.product_id, name, None, number, None)
        held = StoredContent.of_version(branch, branch.content_id)
        if held.manifest_id:
            held = replace(held, manifest_id=await self._merges.copy_list(user_id, held.manifest_id, copy_id))
        await self._timeline.grow(user_id, copy, number, 0, held)
        self._record(
            SavegameHeadMoved(
                user_id=user_id,
                occurred_at=now,
                product_id=slot.product_id,
                slot_id=copy_id,
                slot_name=name,
                version=number,
            )
        )
        return copy_id
