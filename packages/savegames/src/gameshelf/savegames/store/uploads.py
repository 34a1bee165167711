"""Reservations: what somebody may upload, and what came of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import TIME, user
from gameshelf.savegames.models import SavegameDevice, SavegameQuota, SavegameSlot, SavegameUpload
from gameshelf.savegames.store.parts import (
    HASH,
    IS_LIVE,
    IS_OPEN,
    NOW,
    PRODUCT,
    SLOT,
    UPLOAD,
    C,
    M,
    S,
    U,
    reserved_bytes,
    used_bytes,
)
from sqlalchemy import (
    BigInteger,
    Integer,
    String,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    delete,
    func,
    literal,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlmodel import col

_D, _Q = SavegameDevice, SavegameQuota
_NAME = bindparam("slot_name", type_=String)
_CONTENT_ID = bindparam("content_id", type_=Uuid)


@dataclass(frozen=True, slots=True)
class Ask:
    """What has to be known when somebody asks to upload."""

    slot_id: UUID | None
    """None where no save has that name."""
    head_version: int | None
    head_content: bytes | None
    device_version: int | None
    """What the device uploaded or downloaded last."""
    slot_count: int
    """How many saves of the product there are, not counting the trash."""
    content_id: UUID | None
    """The user's content of that hash, if it is there, and in the store as far as anybody knows."""
    content_size: int | None
    open_uploads: int
    used_bytes: int
    reserved_bytes: int
    limit_bytes: int | None
    """What support has set, None for the usual limit."""
    has_expired: bool
    """Whether open uploads are counted that can't be confirmed any more."""


_of_name = and_(
    col(S.user_id) == user(), col(S.product_id) == PRODUCT, col(S.slot_name) == _NAME, col(S.deleted_at).is_(None)
)
_one = select(literal(1)).subquery()
_slot = select(S).where(_of_name).subquery()
_live = (
    select(C)
    .where(col(C.user_id) == user(), col(C.file_hash_sha256) == HASH, IS_LIVE, col(C.missing_since).is_(None))
    .subquery()
)
_slot_count = (
    select(func.count())
    .select_from(S)
    .where(col(S.user_id) == user(), col(S.product_id) == PRODUCT, col(S.deleted_at).is_(None))
    .scalar_subquery()
)
_open_uploads = select(func.count()).select_from(U).where(col(U.user_id) == user(), IS_OPEN).scalar_subquery()
_has_expired = select(literal(1)).where(col(U.user_id) == user(), IS_OPEN, col(U.expires_at) <= NOW).exists()
_LIMIT_BYTES = select(col(_Q.limit_bytes)).where(col(_Q.user_id) == user()).scalar_subquery()
_ASK = Statement(
    select(
        _slot.c.id,
        _slot.c.head_version,
        col(M.file_hash_sha256),
        col(_D.version),
        _slot_count,
        _live.c.id,
        _live.c.file_size_bytes,
        _open_uploads,
        cast(used_bytes(), BigInteger),
        cast(reserved_bytes(), BigInteger),
        _LIMIT_BYTES,
        _has_expired,
    ).select_from(
        _one.outerjoin(_slot, true())
        .outerjoin(
            M,
            and_(col(M.user_id) == user(), col(M.slot_id) == _slot.c.id, col(M.version) == _slot.c.head_version),
        )
        .outerjoin(
            _D,
            and_(
                col(_D.user_id) == user(),
                col(_D.slot_id) == _slot.c.id,
                col(_D.device_id) == bindparam("device_id", type_=String),
            ),
        )
        .outerjoin(_live, true())
    )
)
# The slot of that name, made if there is none, and its next number.
_numbered = (
    insert(SavegameSlot)
    .values(user_id=user(), id=SLOT, product_id=PRODUCT, slot_name=_NAME, last_version=literal(1), created_at=NOW)
    .on_conflict_do_update(
        index_elements=["user_id", "product_id", "slot_name"],
        index_where=col(S.deleted_at).is_(None),
        set_={"last_version": col(S.last_version) + 1},
    )
    .returning(col(S.id), col(S.last_version))
    .cte("numbered")
)
_reserved = {
    "user_id": user(),
    "id": UPLOAD,
    "slot_id": _numbered.c.id,
    "version": _numbered.c.last_version,
    "base_version": bindparam("base_version", type_=BigInteger),
    "file_size_bytes": bindparam("size", type_=BigInteger),
    "file_hash_sha256": HASH,
    "content_id": _CONTENT_ID,
    "conflict_policy": bindparam("conflict_policy", type_=String),
    "created_at": NOW,
    "expires_at": bindparam("expires_at", type_=TIME),
    "client_modified_at": bindparam("client_modified_at", type_=TIME),
    "device_id": bindparam("device_id", type_=String),
    "comment": bindparam("comment", type_=String),
    "playtime_seconds": bindparam("playtime_seconds", type_=BigInteger),
    "content_encoding": bindparam("content_encoding", type_=String),
    "encryption": cast(bindparam("encryption", type_=Text), JSONB),
}
_RESERVE = Statement(
    insert(SavegameUpload)
    .from_select(list(_reserved), select(*_reserved.values()), include_defaults=False)
    .returning(col(U.slot_id), col(U.version))
)


@dataclass(frozen=True, slots=True)
class Upload:
    """A reservation with its slot. ``outcome`` is None while it is open."""

    id: UUID
    slot_id: UUID
    product_id: UUID
    slot_name: str
    version: int
    base_version: int
    size: int
    content: bytes
    """The SHA-256 that was announced."""
    content_id: UUID | None
    """The content that it joined: nothing is to be uploaded."""
    client_modified_at: datetime | None
    device_id: str | None
    comment: str | None
    playtime_seconds: int | None
    content_encoding: str | None
    encryption: str | None
    """As JSON."""
    conflict_policy: str
    expires_at: datetime
    outcome: str | None
    """As JSON."""


_COLUMNS = (
    col(U.id),
    col(U.slot_id),
    col(S.product_id),
    col(S.slot_name),
    col(U.version),
    col(U.base_version),
    col(U.file_size_bytes),
    col(U.file_hash_sha256),
    col(U.content_id),
    col(U.client_modified_at),
    col(U.device_id),
    col(U.comment),
    col(U.playtime_seconds),
    col(U.content_encoding),
    cast(col(U.encryption), Text),
    col(U.conflict_policy),
    col(U.expires_at),
    cast(col(U.outcome), Text),
)
_with_slot = and_(col(S.user_id) == col(U.user_id), col(S.id) == col(U.slot_id))
_FIND = Statement(select(*_COLUMNS).join(S, _with_slot).where(col(U.user_id) == user(), col(U.id) == UPLOAD))
_EXTEND = Statement(
    update(SavegameUpload)
    .where(col(U.user_id) == user(), col(U.id) == UPLOAD)
    .values(expires_at=func.greatest(col(U.expires_at), bindparam("new_expires_at", type_=TIME)))
)
_CLOSE = Statement(
    update(SavegameUpload)
    .where(col(U.user_id) == user(), col(U.id) == UPLOAD)
    .values(
        outcome=cast(bindparam("new_outcome", type_=Text), JSONB),
        content_id=None,
        expires_at=bindparam("new_expires_at", type_=TIME),
    )
)
_REMOVE = Statement(delete(SavegameUpload).where(col(U.user_id) == user(), col(U.id) == UPLOAD))
_gone = (
    delete(SavegameUpload)
    .where(col(U.user_id) == user(), col(U.expires_at) <= NOW)
    .returning(col(U.id), col(U.slot_id), col(U.content_id), col(U.outcome).is_(None).label("was_open"))
)
_EXPIRE = Statement(_gone)
_CANCEL = Statement(
    delete(SavegameUpload).where(col(U.user_id) == user(), col(U.slot_id) == SLOT, IS_OPEN).returning(col(U.content_id))
)
_UNJOIN = Statement(
    update(SavegameUpload)
    .where(col(U.user_id) == user(), col(U.content_id) == bindparam("old_content_id", type_=Uuid))
    .values(content_id=None)
)
# The oldest first, and only then whose they are: else every user's uploads would be walked through for the few.
_oldest = (
    select(col(U.user_id))
    .where(col(U.expires_at) <= NOW)
    .order_by(col(U.expires_at))
    .limit(bindparam("limit", type_=Integer))
    .subquery()
)
_WITH_EXPIRED = Statement(select(_oldest.c.user_id).distinct())


class UploadStore:
    """A user's reservations. Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def ask(
        self, user_id: UUID, product_id: UUID, slot_name: str, content: bytes, device_id: str | None, now: datetime
    ) -> Ask:
        """All that a decision about a new upload needs."""
        row = await _ASK.first(
            self._connection,
            user_id=user_id,
            product_id=product_id,
            slot_name=slot_name,
            content=content,
            device_id=device_id,
            now=now,
        )
        assert row is not None
        return Ask(*row.values())

    async def reserve(self, user_id: UUID, **values: Any) -> tuple[UUID, int]:
        """Keeps an upload with the slot of its name, made as ``slot_id`` if there is none, and with the slot's next
        version number: both.
        """
        row = await _RESERVE.first(self._connection, user_id=user_id, **values)
        assert row is not None
        return row["slot_id"], row["version"]

    async def find(self, user_id: UUID, upload_id: UUID) -> Upload | None:
        row = await _FIND.first(self._connection, user_id=user_id, upload_id=upload_id)
        return Upload(*row.values()) if row else None

    async def extend(self, user_id: UUID, upload_id: UUID, until: datetime) -> None:
        """Lets it be confirmed until then, if that is later."""
        await _EXTEND.run(self._connection, user_id=user_id, upload_id=upload_id, new_expires_at=until)

    async def close(self, user_id: UUID, upload_id: UUID, outcome: str, until: datetime) -> None:
        """Keeps what came of it until then."""
        await _CLOSE.run(
            self._connection, user_id=user_id, upload_id=upload_id, new_outcome=outcome, new_expires_at=until
        )

    async def remove(self, user_id: UUID, upload_id: UUID) -> None:
        await _REMOVE.run(self._connection, user_id=user_id, upload_id=upload_id)

    async def expire(self, user_id: UUID, now: datetime) -> list[Any]:
        """Removes those whose time is over; of each the slot, and the content that it had joined."""
        return await _EXPIRE.all(self._connection, user_id=user_id, now=now)

    async def cancel(self, user_id: UUID, slot_id: UUID) -> list[UUID]:
        """Removes the open ones of a slot; the contents that they had joined."""
        rows = await _CANCEL.all(self._connection, user_id=user_id, slot_id=slot_id)
        return [row["content_id"] for row in rows if row["content_id"]]

    async def unjoin(self, user_id: UUID, content_id: UUID) -> None:
        """Those that had joined a content have to bring the bytes themselves."""
        await _UNJOIN.run(self._connection, user_id=user_id, old_content_id=content_id)

    async def users_with_expired(self, now: datetime, limit: int) -> list[UUID]:
        """Users of the ``limit`` reservations whose time has been over for longest. Needs no lock."""
        rows = await _WITH_EXPIRED.all(self._connection, now=now, limit=limit)
        return [row["user_id"] for row in rows]
