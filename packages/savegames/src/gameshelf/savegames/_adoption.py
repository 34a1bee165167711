"""Adoption of objects that the store has and the database lacks, as after a restore from a backup. It never commits.

The metadata of an object names its user, its save and the version that it grew from. The object becomes that version
again, under its own number if that is free. It becomes the head only where it certainly grew from the head; otherwise
it becomes a branch, and the user decides. Quotas are not checked, so that no object is refused.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid4, uuid5

from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.kernel.events import RecordEvent
from gameshelf.kernel.serialise import Serialise, by_advisory_lock
from gameshelf.savegames._branches import Branches
from gameshelf.savegames._events import SavegameUploaded
from gameshelf.savegames._files import lineage_key
from gameshelf.savegames._limits import Limits
from gameshelf.savegames._lineage import NOTHING, Relation
from gameshelf.savegames._merging import SetMerges
from gameshelf.savegames._naming import ObjectMetadata
from gameshelf.savegames._set_adoption import SavedSet, SetAdoption, mend_content
from gameshelf.savegames._store import SavegameStore
from gameshelf.savegames._store.adoptions import AdoptionStore, CandidateVersion
from gameshelf.savegames._store.contents import LiveContent
from gameshelf.savegames._store.scans import ScanStore
from gameshelf.savegames._store.slots import Slot
from gameshelf.savegames._timeline import StoredContent, Timeline

_SKEW = timedelta(minutes=15)
"""The largest difference between the clocks of service and store; beyond it the store refuses every request."""


class Adoption(StrEnum):
    """The result of the adoption of an object."""

    HEAD = "head"
    """The object is the head of its save."""
    HISTORY = "history"
    """The head grew from the object."""
    BRANCH = "branch"
    """The object is a branch, and its conflict is open."""
    MENDED = "mended"
    """The bytes were missing in the store, and the object replaces the one that was lost."""
    KNOWN = "known"
    """The bytes are stored already, and nothing was changed."""
    PRUNED = "pruned"
    """The version is known, and its bytes were pruned. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class SavedObject:
    """An object of the store. The caller has verified that its size and its bytes match its metadata."""

    key: str
    size: int
    stored_at: datetime
    metadata: ObjectMetadata
    set: SavedSet | None = None
    """The set, if the object is a list; None: it is a single file."""

    @property
    def identity(self) -> bytes:
        """What lineage compares."""
        return lineage_key(self.metadata.identity or self.metadata.content, is_set=self.set is not None)


@dataclass(frozen=True, slots=True)
class Adopted:
    """An object with the result of its adoption and the version that it is now."""

    object: SavedObject
    outcome: Adoption
    slot_id: UUID
    version: int

    @property
    def is_new(self) -> bool:
        """Whether the adoption changed anything."""
        return self.outcome not in (Adoption.KNOWN, Adoption.PRUNED)


class SavegameAdoption:
    """Adopts objects into one user's saves, over one connection inside a transaction.

    ``record`` receives the events, which name the ``bucket`` where the bytes are. ``serialise`` admits one
    transaction at a time per user. By default it takes an advisory lock, which costs one round trip per call.
    """

    def __init__(
        self,
        connection: Connection,
        record: RecordEvent,
        clock: Clock = utc_now,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        bucket: str = "",
        serialise: Serialise | None = None,
    ) -> None:
        self._serialise = serialise or by_advisory_lock(connection)
        self._bucket = bucket
        self._store = SavegameStore(connection)
        self._adoptions = AdoptionStore(connection)
        self._scans = ScanStore(connection)
        self._record = record
        self._clock = clock
        self._timeline = Timeline(self._store, limits, clock)
        self._sets = SetAdoption(self._store, self._adoptions, self._scans, clock)
        self._branches = Branches(self._store, self._timeline, SetMerges(self._store, limits, clock), record, clock)

    async def adopt(self, user_id: UUID, objects: Sequence[SavedObject], absent: Collection[str] = ()) -> list[Adopted]:
        """Adopts objects of one save, the lowest version first. A save that does not exist is created.

        A save in the trash stays as it is: its name is free, and a new save adopts the objects. Objects that the
        database knows, live or dropped, are skipped and are not in the result. Repeating the call changes nothing.
        ``absent`` are keys whose objects the caller found missing in the store; contents under these keys are mended.
        """
        await self._serialise(user_id)
        known = await self._scans.known_keys([one.key for one in objects])
        unknown = [one for one in objects if one.key not in known]
        if not unknown:
            return []
        about = unknown[0].metadata
        slot = await self._adoptions.slot(user_id, about.product_id, about.slot_name)
        became: dict[int, int] = {}
        adopted = []
        for one in sorted(unknown, key=lambda one: (one.metadata.version, one.stored_at, one.key)):
            slot = slot or await self._make(user_id, about)
            slot, result = await self._adopt_object(user_id, slot, one, became, absent)
            adopted.append(result)
        assert slot is not None
        return [_in_the_end(one, slot) for one in adopted]

    async def head(self, user_id: UUID, product_id: UUID, slot_name: str) -> int | None:
        """Returns the head of the save with this name; None where there is no such save."""
        slot = await self._adoptions.slot(user_id, product_id, slot_name)
        return slot.head_version if slot else None

    async def _make(self, user_id: UUID, about: ObjectMetadata) -> Slot:
        slot_id, named = uuid4(), (about.product_id, about.slot_name)
        while (number := await self._store.slots.create_slot(user_id, slot_id, *named, self._clock())) is None:
            # The port did not serialise: another transaction has created the slot meanwhile.
            if made := await self._adoptions.slot(user_id, *named):
                return made
        return Slot(slot_id, *named, None, number, None)

    async def _adopt_object(
        self, user_id: UUID, slot: Slot, one: SavedObject, became: dict[int, int], absent: Collection[str]
    ) -> tuple[Slot, Adopted]:
        """Makes an object a version, and returns the changed slot. ``became`` maps the numbers of earlier objects."""
        metadata, version_id = one.metadata, _version_id(slot.id, one.metadata)
        candidates = await self._adoptions.candidates(
            user_id, slot.id, [metadata.version, metadata.base_version], version_id
        )
        by_number = {row.version: row for row in candidates}
        stored, is_mended = await self._stored(user_id, one, absent)
        outcome = Adoption.MENDED if is_mended else Adoption.KNOWN
        if same := _same(candidates, version_id, metadata):
            became[metadata.version] = same.version
            return slot, Adopted(one, outcome if same.is_kept else Adoption.PRUNED, slot.id, same.version)
        parent = _parent(one, became, by_number)
        found = await self._timeline.relation(user_id, slot.id, slot.head_version, parent, one.identity)
        if found in (Relation.IDENTICAL, Relation.BEHIND):
            assert slot.head_version is not None
            # A later object that grew from this one grew from the same bytes as the head, or from this one's parent.
            became[metadata.version] = slot.head_version if found is Relation.IDENTICAL else parent
            return slot, Adopted(one, outcome, slot.id, slot.head_version)
        number = await self._number(user_id, slot, metadata.version, parent, is_taken=metadata.version in by_number)
        became[metadata.version] = number
        return await self._place(user_id, slot, one, (number, parent, version_id), stored, found)

    async def _number(self, user_id: UUID, slot: Slot, own: int, parent: int, *, is_taken: bool) -> int:
        """Returns the version's own number if it is free and above its parent's, else the next number of the slot."""
        if is_taken or own <= parent or await self._adoptions.is_assigned(user_id, slot.id, own):
            return await self._store.slots.next_number(user_id, slot.id)
        # Higher numbers may have been assigned too, and devices remember them: as after any restore, none is reused.
        await self._adoptions.assign_number(user_id, slot.id, own, max(own, int(self._clock().timestamp())))
        return own

    async def _stored(
        self, user_id: UUID, one: SavedObject, absent: Collection[str]
    ) -> tuple[LiveContent | None, bool]:
        """Returns the content of a single file, if the user has it, and whether missing objects have been replaced."""
        if one.set:
            return None, await self._sets.mend(user_id, one.set, absent)
        stored = await self._store.contents.find_live(user_id, one.metadata.content)
        if stored is None or not (stored.is_missing or stored.key in absent):
            return stored, False
        about = (one.key, one.size, one.metadata.content)
        await mend_content(self._store, user_id, stored, *about, self._clock())
        return LiveContent(stored.id, one.key, False), True

    async def _held(
        self, user_id: UUID, slot: Slot, one: SavedObject, number: int, parent: int, stored: LiveContent | None
    ) -> tuple[StoredContent, str, int | None]:
        """Returns the content of a new version, the key of its object, and of a set the bytes that the user lacked."""
        metadata = one.metadata
        if one.set:
            # A list names its version: of a version that got another number or parent it has to be written again.
            is_as_written = (number, parent) == (metadata.version, metadata.base_version)
            held, new_bytes = await self._sets.hold(user_id, slot.id, one.set, one.key if is_as_written else None)
            return held, one.key, new_bytes
        if stored is None:
            content_id = uuid4()
            await self._adoptions.add_content(user_id, content_id, one.key, one.size, metadata.content, self._clock())
            stored = LiveContent(content_id, one.key, False)
        held = StoredContent.of_object(one.size, metadata.content, stored.id, metadata.marks, metadata.identity)
        return held, stored.key, None

    async def _place(
        self,
        user_id: UUID,
        slot: Slot,
        one: SavedObject,
        version: tuple[int, int, UUID],
        stored: LiveContent | None,
        found: Relation,
    ) -> tuple[Slot, Adopted]:
        """Adds a version, given by number, parent and id, as the new head or as a branch."""
        number, parent, version_id = version
        held, key, new_bytes = await self._held(user_id, slot, one, number, parent, stored)
        is_branch = found is Relation.DIVERGED
        self._record(
            SavegameUploaded(
                user_id=user_id,
                occurred_at=self._clock(),
                product_id=slot.product_id,
                slot_id=slot.id,
                slot_name=slot.name,
                version=number,
                s3_path=f"s3://{self._bucket}/{key}",
                file_size_bytes=held.size,
                file_count=held.file_count,
                new_bytes=new_bytes,
                client_modified_at=None,
                is_branch=is_branch,
                sent_bytes=0,
            )
        )
        if is_branch:
            await self._branches.add_adopted(user_id, slot, number, parent, held, version_id, one.stored_at)
        else:
            await self._timeline.grow(user_id, slot, number, parent, held, version_id=version_id, at=one.stored_at)
        if one.set and held.list_key:
            await self._sets.keep_object(user_id, held.content_id, one.size, one.set)
        if is_branch:
            return slot, Adopted(one, Adoption.BRANCH, slot.id, number)
        return replace(slot, head_version=number), Adopted(one, Adoption.HEAD, slot.id, number)


def _version_id(slot_id: UUID, metadata: ObjectMetadata) -> UUID:
    """Returns the id of an adopted version. It is always the same, so a repeated adoption finds it under any number."""
    return uuid5(slot_id, f"{metadata.version}:{metadata.content.hex()}")


def _same(
    candidates: Sequence[CandidateVersion], version_id: UUID, metadata: ObjectMetadata
) -> CandidateVersion | None:
    """Finds the version that an object was created for, by number and bytes, or by the id of an earlier adoption."""
    for row in candidates:
        if row.id == version_id or (row.version == metadata.version and row.content == metadata.content):
            return row
    return None


def _parent(one: SavedObject, became: Mapping[int, int], by_number: Mapping[int, CandidateVersion]) -> int:
    """Returns the version that an object grew from; NOTHING where it is not known any more.

    A version that was uploaded after the object is not its parent: the number was assigned a second time.
    """
    base = one.metadata.base_version
    if base in became:
        return became[base]
    row = by_number.get(base)
    return base if row and row.uploaded_at <= one.stored_at + _SKEW else NOTHING


def _in_the_end(one: Adopted, slot: Slot) -> Adopted:
    is_passed = one.outcome is Adoption.HEAD and one.version != slot.head_version
    return replace(one, outcome=Adoption.HISTORY) if is_passed else one
