"""Taking back what the store has and the database has lost, as after a restore from a backup. Nothing here commits.

An object says whose it is and what it grew from. It becomes the version that it was, under its own number where that
is free, and moves the head only by ancestry: what did not surely grow from the head is a branch, and for the player to
decide. Room is not asked for: nothing is refused for a quota.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid4, uuid5

from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.kernel.events import Record
from gameshelf.kernel.serialise import Serialise, by_advisory_lock
from gameshelf.savegames.branches import Branches
from gameshelf.savegames.events import SavegameUploaded
from gameshelf.savegames.limits import ATTEMPT_FOR, Limits
from gameshelf.savegames.lineage import NOTHING, Relation
from gameshelf.savegames.models import LOCK_SPACE
from gameshelf.savegames.naming import ObjectMetadata
from gameshelf.savegames.store import SavegameStore
from gameshelf.savegames.store.adoptions import AdoptionStore, CandidateVersion
from gameshelf.savegames.store.contents import LiveContent
from gameshelf.savegames.store.scans import ScanStore
from gameshelf.savegames.store.slots import Slot
from gameshelf.savegames.timeline import StoredContent, Timeline

_SKEW = timedelta(minutes=15)
"""How far the clocks of the service and of the store may be apart: with more, the store refuses every request."""


class Adoption(StrEnum):
    """What became of an object."""

    HEAD = "head"
    """It is the head of its save."""
    HISTORY = "history"
    """The head grew from it."""
    BRANCH = "branch"
    """It stands beside the head, and the player is to say what becomes of it."""
    MENDED = "mended"
    """The store had been found without these bytes; there they are."""
    KNOWN = "known"
    """These bytes are there already: nothing was done."""
    PRUNED = "pruned"
    """The version is known, and its bytes were let go: nothing was done."""


@dataclass(frozen=True, slots=True)
class SavedObject:
    """An object of the store whose size and bytes are those that it tells of, as the caller has verified."""

    key: str
    size: int
    stored_at: datetime
    metadata: ObjectMetadata


@dataclass(frozen=True, slots=True)
class Adopted:
    """An object, what became of it, and which version it is now."""

    object: SavedObject
    outcome: Adoption
    slot_id: UUID
    version: int

    @property
    def is_new(self) -> bool:
        """Whether anything was changed for it."""
        return self.outcome not in (Adoption.KNOWN, Adoption.PRUNED)


class SavegameAdoption:
    """Takes objects back into one user's saves, over one connection inside a transaction.

    ``record`` takes the events, which name the ``bucket`` where the bytes are. ``serialise`` lets one transaction at a
    time change a user's saves: by default an advisory lock, one round trip per call.
    """

    def __init__(
        self,
        connection: Connection,
        record: Record,
        clock: Clock = utc_now,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        bucket: str = "",
        serialise: Serialise | None = None,
    ) -> None:
        self._serialise = serialise or by_advisory_lock(connection, LOCK_SPACE)
        self._bucket = bucket
        self._store = SavegameStore(connection)
        self._found = AdoptionStore(connection)
        self._scans = ScanStore(connection)
        self._record = record
        self._clock = clock
        self._timeline = Timeline(self._store, limits, clock)
        self._branches = Branches(self._store, self._timeline, record, clock)

    async def adopt(self, user_id: UUID, objects: Sequence[SavedObject], absent: Collection[str] = ()) -> list[Adopted]:
        """Takes objects of one save back, the lowest version first; made anew is a save that is not there.

        A save in the trash stays as it is: its name is free, and a new one takes the objects. Objects that the database
        knows, in use or about to go, are passed over, and not in the answer. Asked again, nothing changes. ``absent``
        are keys that the store has just been found without: what the database has under one of them is mended.
        """
        await self._serialise(user_id)
        known = await self._scans.known([one.key for one in objects])
        unknown = [one for one in objects if one.key not in known]
        if not unknown:
            return []
        about = unknown[0].metadata
        slot = await self._found.slot(user_id, about.product_id, about.slot_name)
        became: dict[int, int] = {}
        adopted = []
        for one in sorted(unknown, key=lambda one: (one.metadata.version, one.stored_at, one.key)):
            slot = slot or await self._make(user_id, about)
            slot, result = await self._take(user_id, slot, one, became, absent)
            adopted.append(result)
        assert slot is not None
        return [_in_the_end(one, slot) for one in adopted]

    async def head(self, user_id: UUID, product_id: UUID, slot_name: str) -> int | None:
        """The head of the save of that name; None where there is none."""
        slot = await self._found.slot(user_id, product_id, slot_name)
        return slot.head_version if slot else None

    async def _make(self, user_id: UUID, about: ObjectMetadata) -> Slot:
        slot_id, named = uuid4(), (about.product_id, about.slot_name)
        while (number := await self._store.slots.make(user_id, slot_id, *named, self._clock())) is None:
            # The port did not serialise: somebody else has made the slot meanwhile.
            if made := await self._found.slot(user_id, *named):
                return made
        return Slot(slot_id, *named, None, number, None)

    async def _take(
        self, user_id: UUID, slot: Slot, one: SavedObject, became: dict[int, int], absent: Collection[str]
    ) -> tuple[Slot, Adopted]:
        """Makes an object a version; the slot as it is then. ``became`` says what the objects before it became."""
        metadata, version_id = one.metadata, _version_id(slot.id, one.metadata)
        candidates = await self._found.candidates(
            user_id, slot.id, [metadata.version, metadata.base_version], version_id
        )
        by_number = {row.version: row for row in candidates}
        stored = await self._store.contents.live(user_id, metadata.content)
        is_mended = stored is not None and (stored.is_missing or stored.key in absent)
        if stored and is_mended:
            stored = await self._mend(user_id, one, stored)
        outcome = Adoption.MENDED if is_mended else Adoption.KNOWN
        if same := _same(candidates, version_id, metadata):
            became[metadata.version] = same.version
            return slot, Adopted(one, outcome if same.is_kept else Adoption.PRUNED, slot.id, same.version)
        parent = _parent(one, became, by_number)
        found = await self._timeline.relation(
            user_id, slot.id, slot.head_version, parent, metadata.identity or metadata.content
        )
        if found in (Relation.IDENTICAL, Relation.BEHIND):
            assert slot.head_version is not None
            # What grew from it grew from the head's very bytes, or else from what it grew from itself.
            became[metadata.version] = slot.head_version if found is Relation.IDENTICAL else parent
            return slot, Adopted(one, outcome, slot.id, slot.head_version)
        number = await self._number(user_id, slot, metadata.version, parent, is_taken=metadata.version in by_number)
        stored = stored or await self._keep(user_id, one)
        became[metadata.version] = number
        return await self._place(user_id, slot, one, (number, parent, version_id), stored, found)

    async def _number(self, user_id: UUID, slot: Slot, own: int, parent: int, *, is_taken: bool) -> int:
        """The version's own number, or where that is another's, or not above its parent's, the slot's next one."""
        if is_taken or own <= parent or await self._found.is_given(user_id, slot.id, own):
            return await self._store.slots.number(user_id, slot.id)
        # Those above it may have been given too, and devices remember them: as after any restore, none is given again.
        await self._found.give(user_id, slot.id, own, max(own, int(self._clock().timestamp())))
        return own

    async def _keep(self, user_id: UUID, one: SavedObject) -> LiveContent:
        content_id = uuid4()
        await self._found.keep(user_id, content_id, one.key, one.size, one.metadata.content, self._clock())
        return LiveContent(content_id, one.key, False)

    async def _mend(self, user_id: UUID, one: SavedObject, missing: LiveContent) -> LiveContent:
        """Gives a content whose object is missing this one; what stays of the other is its key, which is to go."""
        content_id, now = uuid4(), self._clock()
        contents = self._store.contents
        await contents.begin(
            user_id, content_id, one.key, one.size, one.metadata.content, now=now, delete_after=now + ATTEMPT_FOR
        )
        await contents.supersede(user_id, content_id, missing, now)
        await contents.mend(user_id, missing.id, one.key)
        return LiveContent(missing.id, one.key, False)

    async def _place(
        self,
        user_id: UUID,
        slot: Slot,
        one: SavedObject,
        version: tuple[int, int, UUID],
        stored: LiveContent,
        found: Relation,
    ) -> tuple[Slot, Adopted]:
        """Puts a version, by number, parent and id, on top of the head or beside it."""
        number, parent, version_id = version
        held = StoredContent.of_object(
            one.size, one.metadata.content, stored.id, one.metadata.marks, one.metadata.identity
        )
        is_branch = found is Relation.DIVERGED
        self._record(
            SavegameUploaded(
                user_id=user_id,
                occurred_at=self._clock(),
                product_id=slot.product_id,
                slot_id=slot.id,
                slot_name=slot.name,
                version=number,
                s3_path=f"s3://{self._bucket}/{stored.key}",
                file_size_bytes=one.size,
                client_modified_at=None,
                is_branch=is_branch,
                sent_bytes=0,
            )
        )
        if is_branch:
            await self._branches.find(user_id, slot, number, parent, held, version_id, one.stored_at)
            return slot, Adopted(one, Adoption.BRANCH, slot.id, number)
        await self._timeline.grow(user_id, slot.id, number, parent, held, version_id=version_id, at=one.stored_at)
        return replace(slot, head_version=number), Adopted(one, Adoption.HEAD, slot.id, number)


def _version_id(slot_id: UUID, metadata: ObjectMetadata) -> UUID:
    """The id of an adopted version: the same each time, so that it is known again under whatever number."""
    return uuid5(slot_id, f"{metadata.version}:{metadata.content.hex()}")


def _same(
    candidates: Sequence[CandidateVersion], version_id: UUID, metadata: ObjectMetadata
) -> CandidateVersion | None:
    """The version that an object was made for, if it is there: by its number and its bytes, or as it was adopted."""
    for row in candidates:
        if row.id == version_id or (row.version == metadata.version and row.content == metadata.content):
            return row
    return None


def _parent(one: SavedObject, became: Mapping[int, int], by_number: Mapping[int, CandidateVersion]) -> int:
    """The version that an object grew from as it is known now; nothing where it is not known any more.

    What was uploaded after the object is not what that grew from: the number was given a second time.
    """
    base = one.metadata.base_version
    if base in became:
        return became[base]
    row = by_number.get(base)
    return base if row and row.uploaded_at <= one.stored_at + _SKEW else NOTHING


def _in_the_end(one: Adopted, slot: Slot) -> Adopted:
    is_passed = one.outcome is Adoption.HEAD and one.version != slot.head_version
    return replace(one, outcome=Adoption.HISTORY) if is_passed else one
