"""Slots, and the last version of each device."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, rows, user
from gameshelf.savegames._limits import MAX_COMPARED
from gameshelf.savegames._models import (
    SavegameConflict,
    SavegameDevice,
    SavegameMetadata,
    SavegameNumber,
    SavegameSlot,
    SavegameUpload,
)
from gameshelf.savegames._naming import slot_key
from gameshelf.savegames._set_models import SavegameManifest, SavegameManifestContent, SavegameUploadFile
from gameshelf.savegames._store.devices import committed_by
from gameshelf.savegames._store.expressions import KEY, NAME, NOW, PRODUCT, SLOT, VERSION, S, U, one_version
from gameshelf.savegames._store.numbers import forgetting, highest_number, note_one, noting
from sqlalchemy import (
    Boolean,
    Integer,
    String,
    Uuid,
    and_,
    bindparam,
    delete,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

MAX_DEVICES = 64
"""The number of devices per slot whose last version is remembered."""

_D, _X = SavegameDevice, SavegameConflict
_DEVICE = bindparam("device_id", type_=String)
_LIMIT = bindparam("limit", type_=Integer)
_OF_ID = (col(S.user_id) == user(), col(S.id) == SLOT)


@dataclass(frozen=True, slots=True)
class Slot:
    """A save. It is visible once it has a head."""

    id: UUID
    product_id: UUID
    name: str
    head_version: int | None
    last_version: int
    deleted_at: datetime | None


SLOT_COLUMNS: tuple[Any, ...] = (
    col(S.id),
    col(S.product_id),
    col(S.slot_name).label("name"),
    col(S.head_version),
    col(S.last_version),
    col(S.deleted_at),
)
_FIND = Statement(select(*SLOT_COLUMNS).where(*_OF_ID))
_SLOT = RowReader(Slot, _FIND)
_NAMES = Statement(
    select(col(S.slot_name)).where(col(S.user_id) == user(), col(S.product_id) == PRODUCT, col(S.deleted_at).is_(None))
)
_MAKE = Statement(
    insert(SavegameSlot)
    .from_select(
        ["user_id", "id", "product_id", "slot_name", "slot_key", "last_version", "created_at"],
        select(user(), SLOT, PRODUCT, NAME, KEY, highest_number() + literal_column("1"), NOW),
        include_defaults=False,
    )
    .on_conflict_do_nothing()
    .returning(col(S.last_version))
)
_NUMBER = Statement(
    update(SavegameSlot).where(*_OF_ID).values(last_version=col(S.last_version) + 1).returning(col(S.last_version))
)
_HEAD = Statement(update(SavegameSlot).where(*_OF_ID).values(head_version=VERSION))
_PRUNE_AT = Statement(update(SavegameSlot).where(*_OF_ID).values(prune_at=bindparam("new_prune_at", type_=TIME)))
# In the trash several saves may have the same folded name, so each keeps its own.
_TRASH = Statement(
    update(SavegameSlot).where(*_OF_ID).values(deleted_at=NOW, slot_key=func.coalesce(col(S.slot_key), KEY))
)
_UNTRASH = Statement(
    update(SavegameSlot)
    .where(*_OF_ID)
    .values(
        deleted_at=None,
        slot_name=NAME,
        slot_key=KEY,
        # Under another name, the next number has to be above all numbers of that name too.
        last_version=func.greatest(col(S.last_version), highest_number()),
    )
)
_WITHOUT_KEY = Statement(
    select(col(S.id), col(S.slot_name), col(S.slot_key), col(S.deleted_at).is_not(None).label("is_trashed"))
    .where(
        col(S.user_id) == user(),
        col(S.product_id) == PRODUCT,
        or_(col(S.deleted_at).is_(None), col(S.slot_key).is_(None)),
    )
    .order_by(col(S.created_at), col(S.id))
)
_named = rows("named", id=("slot_ids", Uuid), slot_key=("slot_keys", String))
_SET_KEYS = Statement(
    update(SavegameSlot).where(col(S.user_id) == user(), col(S.id) == _named.c.id).values(slot_key=_named.c.slot_key)
)
_NOTE = Statement(note_one)
_MERGE_NUMBERS = Statement(forgetting)
_REMOVE_CONFLICTS = Statement(
    delete(SavegameConflict)
    .where(col(_X.user_id) == user(), col(_X.slot_id) == SLOT)
    .returning(col(_X.id), col(_X.resolved_at).is_(None).label("is_open"))
)
_F, _H, _L = SavegameUploadFile, SavegameManifestContent, SavegameManifest
# Every row by a statement of its own, since a cascade is not bounded.
_REMOVE_PARTS = (
    Statement(
        delete(SavegameUploadFile).where(
            col(_F.user_id) == user(),
            col(U.user_id) == user(),
            col(U.id) == col(_F.upload_id),
            col(U.slot_id) == SLOT,
        )
    ),
    Statement(
        delete(SavegameManifestContent).where(
            col(_H.user_id) == user(),
            col(_L.user_id) == user(),
            col(_L.id) == col(_H.manifest_id),
            col(_L.slot_id) == SLOT,
        )
    ),
    *(
        Statement(delete(table).where(col(table.user_id) == user(), col(table.slot_id) == SLOT))
        for table in (SavegameDevice, SavegameUpload, SavegameMetadata, SavegameManifest)
    ),
)
_LOCK = Statement(select(literal(1)).where(*_OF_ID).with_for_update())
_LEFT = (col(S.user_id), col(S.product_id), col(S.slot_key), col(S.slot_name), col(S.last_version))
_removed = delete(SavegameSlot).where(*_OF_ID).returning(*_LEFT).cte("removed")
_REMOVE = Statement(noting(_removed).returning(col(SavegameNumber.product_id)))
# A slot without any version, once its last upload has ended.
_emptied = (
    delete(SavegameSlot)
    .where(
        *_OF_ID,
        col(S.head_version).is_(None),
        ~select(literal(1)).where(col(U.user_id) == col(S.user_id), col(U.slot_id) == col(S.id)).exists(),
    )
    .returning(*_LEFT)
    .cte("emptied")
)
_REMOVE_EMPTY = Statement(noting(_emptied).returning(col(SavegameNumber.product_id)))
# Selected from the slot, which is locked: another transaction may be deleting the slot.
_held = select(user(), col(S.id), _DEVICE, VERSION, NOW).where(*_OF_ID).with_for_update(read=True, key_share=True)
_insert_device = insert(SavegameDevice).from_select(
    ["user_id", "slot_id", "device_id", "version", "synced_at"], _held, include_defaults=False
)
_HAD = Statement(
    _insert_device.on_conflict_do_update(
        index_elements=["user_id", "slot_id", "device_id"],
        set_={name: _insert_device.excluded[name] for name in ("version", "synced_at")},
    )
)
_of_device = and_(col(_D.user_id) == user(), col(_D.slot_id) == SLOT)
_oldest = (
    select(col(_D.device_id))
    .where(_of_device)
    .order_by(col(_D.synced_at).desc(), col(_D.device_id))
    .offset(MAX_DEVICES)
)
_DELETE_DEVICES = Statement(delete(SavegameDevice).where(_of_device, col(_D.device_id).in_(_oldest)))
_DELETE_DEVICES_AFTER_COMMIT = Statement(
    delete(SavegameDevice)
    .where(_of_device, col(_D.device_id).in_(_oldest))
    .add_cte(committed_by(_DEVICE).cte("committed"))
)
# The version of a device and its ancestors: back to the given version, or to the head's history, where a higher number
# is always the later version.
_first = one_version(SLOT, col(_D.version), "first")
_has = (
    select(_first.c.version, _first.c.parent_version, _first.c.in_head, literal_column("1").label("depth"))
    .select_from(_D)
    .join(_first, true())
    .where(col(_D.user_id) == user(), col(_D.slot_id) == SLOT, col(_D.device_id) == _DEVICE)
    .cte("has", recursive=True)
)
_older = one_version(SLOT, _has.c.parent_version, "older")
_grown = _has.union_all(
    select(_older.c.version, _older.c.parent_version, _older.c.in_head, _has.c.depth + literal_column("1"))
    .select_from(_has.join(_older, true()))
    .where(
        ~_has.c.in_head,
        _has.c.version > VERSION,
        _has.c.depth < literal_column(str(MAX_COMPARED)),
    )
)
_HAS_GROWN = Statement(
    select(literal(1))
    .where(
        or_(
            _grown.c.version == VERSION,
            and_(_grown.c.in_head, bindparam("is_in_head", type_=Boolean), _grown.c.version > VERSION),
        ),
        select(col(_D.version))
        .where(col(_D.user_id) == user(), col(_D.slot_id) == SLOT, col(_D.device_id) == _DEVICE)
        .scalar_subquery()
        > VERSION,
    )
    .limit(literal_column("1"))
)
_IN_TRASH = Statement(
    select(col(S.user_id), col(S.id))
    .where(col(S.deleted_at) <= bindparam("before", type_=TIME))
    .order_by(col(S.deleted_at))
    .limit(_LIMIT)
)
_DUE = Statement(
    select(col(S.user_id), col(S.id)).where(col(S.prune_at) <= NOW).order_by(col(S.prune_at)).limit(_LIMIT)
)


_ALL_WITHOUT_KEY = Statement(
    select(col(S.user_id), col(S.product_id), col(S.id))
    .where(
        tuple_(col(S.user_id), col(S.id))
        > tuple_(bindparam("after_user", type_=Uuid), bindparam("after_slot", type_=Uuid)),
        col(S.slot_key).is_(None),
    )
    .order_by(col(S.user_id), col(S.id))
    .limit(_LIMIT)
)


class SlotStore:
    """A user's slots."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find_slot(self, user_id: UUID, slot_id: UUID) -> Slot | None:
        """Returns the slot, also if it is in the trash or not visible yet."""
        row = await _FIND.first(self._connection, user_id=user_id, slot_id=slot_id)
        return _SLOT.read_optional(row)

    async def taken_names(self, user_id: UUID, product_id: UUID) -> set[str]:
        """Returns the names that are taken."""
        found = await _NAMES.all(self._connection, user_id=user_id, product_id=product_id)
        return {row["slot_name"] for row in found}

    async def create_slot(
        self, user_id: UUID, slot_id: UUID, product_id: UUID, slot_name: str, now: datetime
    ) -> int | None:
        """Creates a slot and returns its first number, which is above all numbers that were assigned under its name.
        None where a slot with that name exists.
        """
        row = await _MAKE.first(
            self._connection,
            user_id=user_id,
            slot_id=slot_id,
            product_id=product_id,
            slot_name=slot_name,
            slot_key=slot_key(slot_name),
            now=now,
        )
        return row["last_version"] if row else None

    async def fill_keys(self, user_id: UUID, product_id: UUID) -> bool:
        """Fills the missing folded names of a product's saves, and returns whether there were any. Of several saves
        with the same folded name, only the oldest gets it; in the trash all get theirs.
        """
        found = await _WITHOUT_KEY.all(self._connection, user_id=user_id, product_id=product_id)
        taken = {row["slot_key"] for row in found if row["slot_key"] is not None}
        keys: dict[UUID, str] = {}
        for row in found:
            key = slot_key(row["slot_name"])
            if row["slot_key"] is None and key and (row["is_trashed"] or key not in taken):
                keys[row["id"]] = key
                if not row["is_trashed"]:
                    taken.add(key)
        if keys:
            await _SET_KEYS.run(self._connection, user_id=user_id, slot_ids=list(keys), slot_keys=list(keys.values()))
        return bool(keys)

    async def next_number(self, user_id: UUID, slot_id: UUID) -> int:
        """Assigns and returns the slot's next version number."""
        row = await _NUMBER.first(self._connection, user_id=user_id, slot_id=slot_id)
        assert row is not None
        number: int = row["last_version"]
        return number

    async def move_head(self, user_id: UUID, slot_id: UUID, version: int) -> None:
        await _HEAD.run(self._connection, user_id=user_id, slot_id=slot_id, version=version)

    async def prune_at(self, user_id: UUID, slot_id: UUID, at: datetime | None) -> None:
        """Stores when more of the slot's history becomes prunable with time."""
        await _PRUNE_AT.run(self._connection, user_id=user_id, slot_id=slot_id, new_prune_at=at)

    async def trash_slot(self, user_id: UUID, slot: Slot, now: datetime) -> None:
        """Puts a slot into the trash."""
        await _TRASH.run(
            self._connection, user_id=user_id, slot_id=slot.id, slot_key=slot_key(slot.name) or None, now=now
        )

    async def untrash_slot(self, user_id: UUID, slot: Slot, slot_name: str) -> None:
        """Takes a slot out of the trash, perhaps under another name."""
        about = {"user_id": user_id, "product_id": slot.product_id}
        if slot_name != slot.name:
            await _NOTE.run(self._connection, slot_key=slot_key(slot.name), last_version=slot.last_version, **about)
            await _MERGE_NUMBERS.run(self._connection, **about)
        await _UNTRASH.run(
            self._connection, slot_id=slot.id, slot_name=slot_name, slot_key=slot_key(slot_name), **about
        )

    async def delete_slot(self, user_id: UUID, slot_id: UUID) -> list[UUID]:
        """Deletes a slot with all its rows except contents and its last number, and returns its open conflicts."""
        await _LOCK.first(
            self._connection, user_id=user_id, slot_id=slot_id
        )  # the release before stores versions of devices without the user's lock
        conflicts = await _REMOVE_CONFLICTS.all(self._connection, user_id=user_id, slot_id=slot_id)
        for statement in _REMOVE_PARTS:
            await statement.run(self._connection, user_id=user_id, slot_id=slot_id)
        await self._remove(_REMOVE, user_id, slot_id)
        return sorted(row["id"] for row in conflicts if row["is_open"])

    async def delete_empty_slot(self, user_id: UUID, slot_id: UUID) -> None:
        """Deletes a slot that has no version and no upload."""
        await self._remove(_REMOVE_EMPTY, user_id, slot_id)

    async def _remove(self, statement: Statement, user_id: UUID, slot_id: UUID) -> None:
        row = await statement.first(self._connection, user_id=user_id, slot_id=slot_id)
        if row:
            await _MERGE_NUMBERS.run(self._connection, user_id=user_id, product_id=row["product_id"])

    async def device_has(
        self,
        user_id: UUID,
        slot_id: UUID,
        device_id: str,
        version: int,
        now: datetime,
        *,
        committed_to: UUID | None = None,
    ) -> None:
        """Stores the version of a device, and deletes the devices that synced longest ago beyond ``MAX_DEVICES``.

        ``committed_to``: the product to which the device has just committed an upload, so that this save is not pending
        any more.
        """
        about = {"user_id": user_id, "slot_id": slot_id, "device_id": device_id, "now": now}
        await _HAD.run(self._connection, version=version, **about)
        if committed_to is None:
            await _DELETE_DEVICES.run(self._connection, user_id=user_id, slot_id=slot_id)
        else:
            await _DELETE_DEVICES_AFTER_COMMIT.run(self._connection, product_id=committed_to, **about)

    async def has_grown_from(
        self, user_id: UUID, slot_id: UUID, device_id: str, version: int, *, is_in_head: bool
    ) -> bool:
        """Whether the version of a device is a later one that grew from ``version``. ``is_in_head``: whether the head
        grew from ``version``. It follows a branch back at most ``MAX_COMPARED`` versions, and is False beyond.
        """
        row = await _HAS_GROWN.first(
            self._connection,
            user_id=user_id,
            slot_id=slot_id,
            device_id=device_id,
            version=version,
            is_in_head=is_in_head,
        )
        return row is not None

    async def long_in_trash(self, before: datetime, limit: int) -> list[tuple[UUID, UUID]]:
        """Returns user and slot of saves that were put into the trash before a time. Needs no lock."""
        found = await _IN_TRASH.all(self._connection, before=before, limit=limit)
        return [(row["user_id"], row["id"]) for row in found]

    async def to_prune(self, now: datetime, limit: int) -> list[tuple[UUID, UUID]]:
        """Returns user and slot of saves whose history has become prunable. Needs no lock."""
        found = await _DUE.all(self._connection, now=now, limit=limit)
        return [(row["user_id"], row["id"]) for row in found]

    async def without_keys(self, user_id: UUID, slot_id: UUID, limit: int) -> list[tuple[UUID, UUID, UUID]]:
        """Returns user, product and slot of saves after the given one that have no folded name. Needs no lock."""
        found = await _ALL_WITHOUT_KEY.all(self._connection, after_user=user_id, after_slot=slot_id, limit=limit)
        return [(row["user_id"], row["product_id"], row["id"]) for row in found]
