"""Slots, and what each device had of them last."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import TIME, user
from gameshelf.savegames.models import SavegameConflict, SavegameDevice, SavegameMetadata, SavegameSlot, SavegameUpload
from gameshelf.savegames.store.parts import NOW, PRODUCT, SLOT, VERSION, S, U
from sqlalchemy import Integer, String, and_, bindparam, delete, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

MAX_DEVICES = 64
"""Of how many devices a slot remembers what they had last."""

_D, _X = SavegameDevice, SavegameConflict
_NAME = bindparam("slot_name", type_=String)
_DEVICE = bindparam("device_id", type_=String)
_LIMIT = bindparam("limit", type_=Integer)
_OF_ID = (col(S.user_id) == user(), col(S.id) == SLOT)


@dataclass(frozen=True, slots=True)
class Slot:
    """A save as it stands. It is seen once it has a head."""

    id: UUID
    product_id: UUID
    name: str
    head_version: int | None
    last_version: int
    deleted_at: datetime | None


_COLUMNS = (
    col(S.id),
    col(S.product_id),
    col(S.slot_name),
    col(S.head_version),
    col(S.last_version),
    col(S.deleted_at),
)
_FIND = Statement(select(*_COLUMNS).where(*_OF_ID))
_NAMES = Statement(
    select(col(S.slot_name)).where(col(S.user_id) == user(), col(S.product_id) == PRODUCT, col(S.deleted_at).is_(None))
)
_MAKE = Statement(
    insert(SavegameSlot).values(
        user_id=user(),
        id=SLOT,
        product_id=PRODUCT,
        slot_name=_NAME,
        last_version=literal(1),
        created_at=NOW,
    )
)
_NUMBER = Statement(
    update(SavegameSlot).where(*_OF_ID).values(last_version=col(S.last_version) + 1).returning(col(S.last_version))
)
_HEAD = Statement(update(SavegameSlot).where(*_OF_ID).values(head_version=VERSION))
_PRUNE_AT = Statement(update(SavegameSlot).where(*_OF_ID).values(prune_at=bindparam("new_prune_at", type_=TIME)))
_TRASH = Statement(update(SavegameSlot).where(*_OF_ID).values(deleted_at=NOW))
_UNTRASH = Statement(update(SavegameSlot).where(*_OF_ID).values(deleted_at=None, slot_name=_NAME))
_REMOVE_PARTS = tuple(
    Statement(delete(table).where(col(table.user_id) == user(), col(table.slot_id) == SLOT))
    for table in (SavegameConflict, SavegameDevice, SavegameUpload, SavegameMetadata)
)
_LOCK = Statement(select(literal(1)).where(*_OF_ID).with_for_update())
_REMOVE = Statement(delete(SavegameSlot).where(*_OF_ID))
# What nobody ever saved anything to, once the last upload to it is over.
_REMOVE_EMPTY = Statement(
    delete(SavegameSlot).where(
        *_OF_ID,
        col(S.head_version).is_(None),
        ~select(literal(1)).where(col(U.user_id) == col(S.user_id), col(U.slot_id) == col(S.id)).exists(),
    )
)
# From the slot itself, held meanwhile: it may be removed at this very moment by who holds the user's lock.
_slot = select(user(), col(S.id), _DEVICE, VERSION, NOW).where(*_OF_ID).with_for_update(read=True, key_share=True)
_HAD = Statement(
    insert(SavegameDevice)
    .from_select(["user_id", "slot_id", "device_id", "version", "synced_at"], _slot, include_defaults=False)
    .on_conflict_do_update(
        index_elements=["user_id", "slot_id", "device_id"], set_={"version": VERSION, "synced_at": NOW}
    )
)
_of_device = and_(col(_D.user_id) == user(), col(_D.slot_id) == SLOT)
_oldest = (
    select(col(_D.device_id))
    .where(_of_device)
    .order_by(col(_D.synced_at).desc(), col(_D.device_id))
    .offset(MAX_DEVICES)
)
_FORGET_DEVICES = Statement(delete(SavegameDevice).where(_of_device, col(_D.device_id).in_(_oldest)))
_IN_TRASH = Statement(
    select(col(S.user_id), col(S.id))
    .where(col(S.deleted_at) <= bindparam("before", type_=TIME))
    .order_by(col(S.deleted_at))
    .limit(_LIMIT)
)
_DUE = Statement(
    select(col(S.user_id), col(S.id)).where(col(S.prune_at) <= NOW).order_by(col(S.prune_at)).limit(_LIMIT)
)


class SlotStore:
    """A user's slots."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find(self, user_id: UUID, slot_id: UUID) -> Slot | None:
        """The slot, in the trash or not, seen or not."""
        row = await _FIND.first(self._connection, user_id=user_id, slot_id=slot_id)
        return Slot(*row.values()) if row else None

    async def names(self, user_id: UUID, product_id: UUID) -> set[str]:
        """The names that are taken."""
        rows = await _NAMES.all(self._connection, user_id=user_id, product_id=product_id)
        return {row["slot_name"] for row in rows}

    async def make(self, user_id: UUID, slot_id: UUID, product_id: UUID, slot_name: str, now: datetime) -> None:
        """A slot whose number 1 is given."""
        await _MAKE.run(
            self._connection, user_id=user_id, slot_id=slot_id, product_id=product_id, slot_name=slot_name, now=now
        )

    async def number(self, user_id: UUID, slot_id: UUID) -> int:
        """The slot's next version number."""
        row = await _NUMBER.first(self._connection, user_id=user_id, slot_id=slot_id)
        assert row is not None
        number: int = row["last_version"]
        return number

    async def move_head(self, user_id: UUID, slot_id: UUID, version: int) -> None:
        await _HEAD.run(self._connection, user_id=user_id, slot_id=slot_id, version=version)

    async def prune_at(self, user_id: UUID, slot_id: UUID, at: datetime | None) -> None:
        """When time alone lets more of its history go."""
        await _PRUNE_AT.run(self._connection, user_id=user_id, slot_id=slot_id, new_prune_at=at)

    async def trash(self, user_id: UUID, slot_id: UUID, now: datetime) -> None:
        await _TRASH.run(self._connection, user_id=user_id, slot_id=slot_id, now=now)

    async def untrash(self, user_id: UUID, slot_id: UUID, slot_name: str) -> None:
        await _UNTRASH.run(self._connection, user_id=user_id, slot_id=slot_id, slot_name=slot_name)

    async def remove(self, user_id: UUID, slot_id: UUID) -> None:
        """Removes a slot with all that belongs to it, but for the contents."""
        await _LOCK.first(self._connection, user_id=user_id, slot_id=slot_id)  # what a device has is noted without any
        for statement in _REMOVE_PARTS:
            await statement.run(self._connection, user_id=user_id, slot_id=slot_id)
        await _REMOVE.run(self._connection, user_id=user_id, slot_id=slot_id)

    async def remove_empty(self, user_id: UUID, slot_id: UUID) -> None:
        """Removes a slot that holds nothing and to which nobody uploads."""
        await _REMOVE_EMPTY.run(self._connection, user_id=user_id, slot_id=slot_id)

    async def device_has(self, user_id: UUID, slot_id: UUID, device_id: str, version: int, now: datetime) -> None:
        """Remembers what a device had last, and forgets the device that was silent longest where there are too many.

        Needs no lock: of a slot that is gone nothing is remembered.
        """
        await _HAD.run(
            self._connection, user_id=user_id, slot_id=slot_id, device_id=device_id, version=version, now=now
        )
        await _FORGET_DEVICES.run(self._connection, user_id=user_id, slot_id=slot_id)

    async def long_in_trash(self, before: datetime, limit: int) -> list[tuple[UUID, UUID]]:
        """Slots of any users that were put into the trash before that: user and slot. Needs no lock."""
        rows = await _IN_TRASH.all(self._connection, before=before, limit=limit)
        return [(row["user_id"], row["id"]) for row in rows]

    async def to_prune(self, now: datetime, limit: int) -> list[tuple[UUID, UUID]]:
        """Slots of any users in which time has let history go: user and slot. Needs no lock."""
        rows = await _DUE.all(self._connection, now=now, limit=limit)
        return [(row["user_id"], row["id"]) for row in rows]
