"""Uploads: reservations, and the outcome of each."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, user
from gameshelf.savegames._limits import ATTEMPT_FOR
from gameshelf.savegames._models import (
    ContentState,
    SavegameContent,
    SavegameSlot,
    SavegameUpload,
)
from gameshelf.savegames._set_models import SavegameUploadFile
from gameshelf.savegames._store.allowances import SIGNED, TODAY_COUNTED
from gameshelf.savegames._store.expressions import (
    HASH,
    IS_OPEN,
    KEY,
    NAME,
    NOW,
    PRODUCT,
    SLOT,
    UPLOAD,
    UPLOAD_OF_FILE,
    VERSION,
    C,
    F,
    S,
    U,
    identity_of,
)
from gameshelf.savegames._store.numbers import highest_number
from sqlalchemy import (
    BigInteger,
    Integer,
    LargeBinary,
    String,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    delete,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import aliased
from sqlmodel import col

_CONTENT_ID = bindparam("content_id", type_=Uuid)
_OF_PRODUCT = bindparam("of_product", type_=Uuid)

# The slot with that name, which is created if there is none, and its next number.
NUMBERED = (
    insert(SavegameSlot)
    .from_select(
        ["user_id", "id", "product_id", "slot_name", "slot_key", "last_version", "created_at"],
        select(user(), SLOT, PRODUCT, NAME, KEY, highest_number() + literal_column("1"), NOW),
        include_defaults=False,
    )
    .on_conflict_do_update(
        index_elements=["user_id", "product_id", "slot_name"],
        index_where=col(S.deleted_at).is_(None),
        set_={"last_version": col(S.last_version) + literal_column("1")},
    )
    .returning(col(S.id), col(S.last_version))
    .cte("numbered")
)
_properties = {
    "client_modified_at": bindparam("client_modified_at", type_=TIME),
    "comment": bindparam("comment", type_=String),
    "playtime_seconds": bindparam("playtime_seconds", type_=BigInteger),
    "content_encoding": bindparam("content_encoding", type_=String),
    "encryption": cast(bindparam("encryption", type_=Text), JSONB),
    "content_identity": bindparam("identity", type_=LargeBinary),
    "raw_sha256": bindparam("raw_sha256", type_=LargeBinary),
    "raw_size_bytes": bindparam("raw_size_bytes", type_=BigInteger),
    "conflict_policy": bindparam("conflict_policy", type_=String),
}
_reserved = {
    "user_id": user(),
    "id": UPLOAD,
    "slot_id": NUMBERED.c.id,
    "version": NUMBERED.c.last_version,
    "base_version": bindparam("base_version", type_=BigInteger),
    "file_size_bytes": bindparam("size", type_=BigInteger),
    "file_hash_sha256": HASH,
    "content_id": _CONTENT_ID,
    "created_at": NOW,
    "expires_at": bindparam("expires_at", type_=TIME),
    "device_id": bindparam("device_id", type_=String),
    **_properties,
}
_RESERVE = Statement(
    insert(SavegameUpload)
    .from_select(list(_reserved), select(*_reserved.values()), include_defaults=False)
    .add_cte(SIGNED)
)
_ADD_ENDED = Statement(
    insert(SavegameUpload).values(
        user_id=user(),
        id=UPLOAD,
        slot_id=SLOT,
        version=VERSION,
        base_version=literal(0),
        file_size_bytes=bindparam("size", type_=BigInteger),
        file_hash_sha256=HASH,
        file_count=bindparam("file_count", type_=Integer),
        conflict_policy=bindparam("conflict_policy", type_=String),
        device_id=bindparam("device_id", type_=String),
        created_at=NOW,
        expires_at=bindparam("expires_at", type_=TIME),
        outcome=cast(bindparam("new_outcome", type_=Text), JSONB),
    )
)
# One row for each content of a save in the trash, however often and by whichever device it is uploaded.
_EXTEND_ENDED = Statement(
    update(SavegameUpload)
    .where(
        col(U.user_id) == user(),
        col(U.file_hash_sha256) == HASH,
        col(U.slot_id) == SLOT,
        col(U.file_count).is_not_distinct_from(bindparam("file_count", type_=Integer)),
        col(U.outcome)["ended_as"].astext == bindparam("ended_as", type_=String),
    )
    .values(
        expires_at=func.greatest(col(U.expires_at), bindparam("new_expires_at", type_=TIME)),
        outcome=cast(bindparam("new_outcome", type_=Text), JSONB),
    )
    .returning(col(U.id))
)
_COUNT_SIGNED = Statement(TODAY_COUNTED)
_RENEW = Statement(
    update(SavegameUpload)
    .where(col(U.user_id) == user(), col(U.id) == UPLOAD)
    .values(
        expires_at=func.greatest(col(U.expires_at), bindparam("new_expires_at", type_=TIME)),
        content_id=func.coalesce(col(U.content_id), _CONTENT_ID),
        **_properties,
    )
)


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload with its slot. ``outcome`` is None while it is open."""

    id: UUID
    slot_id: UUID
    product_id: UUID
    slot_name: str
    version: int
    base_version: int
    size: int
    content: bytes
    """The announced SHA-256."""
    content_id: UUID | None
    """The content that the upload joined, so that it needs no bytes."""
    client_modified_at: datetime | None
    device_id: str | None
    comment: str | None
    playtime_seconds: int | None
    content_encoding: str | None
    encryption: str | None
    """As JSON."""
    identity: bytes
    """The identity that lineage compares; of a set it is not the one that clients see."""
    kept_identity: bytes | None
    """The stored identity; None where it is the hash."""
    raw_sha256: bytes | None
    raw_size: int | None
    conflict_policy: str
    created_at: datetime
    expires_at: datetime
    outcome: str | None
    """As JSON."""
    head_version: int | None
    """The head of the slot."""
    manifest_id: UUID | None
    """The list of a set; None once the upload has ended."""
    file_count: int | None
    """None: a single file."""
    game_version_id: str | None
    device_name: str | None
    arrived_through: bytes | None
    """Every file up to this hash has arrived; None: nothing is known."""
    lacks_files: bool
    """Whether a set awaits contents, as far as is known without looking for those that came by other uploads."""

    @property
    def is_set(self) -> bool:
        return self.file_count is not None


_of_upload = (col(F.user_id) == user(), col(F.upload_id) == col(U.id))
# Not EXISTS: the planner may answer that from a hash of all users' files.
_awaited: Any = (
    select(literal_column("true")).where(*_of_upload, col(F.content_id).is_(None)).limit(literal_column("1"))
)
_lacks_files = func.coalesce(_awaited.correlate(U).scalar_subquery(), literal_column("false"))
UPLOAD_COLUMNS: tuple[Any, ...] = (
    col(U.id),
    col(U.slot_id),
    col(S.product_id),
    col(S.slot_name),
    col(U.version),
    col(U.base_version),
    col(U.file_size_bytes).label("size"),
    col(U.file_hash_sha256).label("content"),
    col(U.content_id),
    col(U.client_modified_at),
    col(U.device_id),
    col(U.comment),
    col(U.playtime_seconds),
    col(U.content_encoding),
    cast(col(U.encryption), Text).label("encryption"),
    identity_of(U).label("identity"),
    col(U.content_identity).label("kept_identity"),
    col(U.raw_sha256),
    col(U.raw_size_bytes).label("raw_size"),
    col(U.conflict_policy),
    col(U.created_at),
    col(U.expires_at),
    cast(col(U.outcome), Text).label("outcome"),
    col(S.head_version),
    col(U.manifest_id),
    col(U.file_count),
    col(U.game_version_id),
    col(U.device_name),
    col(U.arrived_through),
    _lacks_files.label("lacks_files"),
)
_with_slot = and_(col(S.user_id) == col(U.user_id), col(S.id) == col(U.slot_id))
_FIND = Statement(select(*UPLOAD_COLUMNS).join(S, _with_slot).where(col(U.user_id) == user(), col(U.id) == UPLOAD))
_open = (
    select(*UPLOAD_COLUMNS)
    .join(S, _with_slot)
    .where(
        col(U.user_id) == user(),
        IS_OPEN,
        col(U.expires_at) > NOW,
        or_(cast(_OF_PRODUCT, Uuid).is_(None), col(S.product_id) == _OF_PRODUCT),
    )
)
_LIST = Statement(_open.order_by(col(U.created_at), col(U.id)))
_UPLOAD = RowReader(Upload, _FIND, _LIST)
_PENDING: Any = literal_column(f"'{ContentState.PENDING.value}'")
_IS_PENDING = col(C.state) == _PENDING
# What was verified of a set is kept as long as its upload. It never waits for a commit, which waits for the upload.
_P = aliased(C)
_verified = (
    select(col(_P.id))
    .where(col(_P.user_id) == user(), col(_P.id) == col(F.content_id), col(_P.state) == _PENDING)
    .with_for_update(skip_locked=True)
    .limit(literal_column("1"))
    .correlate(F)
    .lateral("verified")
)
_held = (
    select(_verified.c.id)
    .select_from(F)
    .join(_verified, true())
    .where(col(F.user_id) == user(), col(F.upload_id) == UPLOAD, col(F.content_id).is_not(None))
    .cte("held")
)
_kept = (
    update(SavegameContent)
    .where(col(C.user_id) == user(), col(C.id).in_(select(_held.c.id)), _IS_PENDING)
    .values(delete_after=func.greatest(col(C.delete_after), bindparam("new_delete_after", type_=TIME)))
    .cte("kept")
)
_EXTEND = Statement(
    update(SavegameUpload)
    .where(col(U.user_id) == user(), col(U.id) == UPLOAD)
    .values(expires_at=func.greatest(col(U.expires_at), bindparam("new_expires_at", type_=TIME)))
    .add_cte(_kept)
)
_CLOSE = Statement(
    update(SavegameUpload)
    .where(col(U.user_id) == user(), col(U.id) == UPLOAD)
    .values(
        outcome=cast(bindparam("new_outcome", type_=Text), JSONB),
        content_id=None,
        manifest_id=None,
        expires_at=bindparam("new_expires_at", type_=TIME),
    )
)


def _dropped(contents: Any) -> Any:
    """Drops verified contents of sets that became no part of a version; their objects are due for deletion at once."""
    return (
        update(SavegameContent)
        .where(col(C.user_id) == user(), col(C.id).in_(contents), _IS_PENDING)
        .values(state=literal_column(f"'{ContentState.DROPPED.value}'"), delete_after=NOW)
        .cte("dropped")
    )


_verified_of_expired = (
    select(col(F.content_id))
    .join(U, UPLOAD_OF_FILE)
    .where(col(F.user_id) == user(), col(F.content_id).is_not(None), col(U.expires_at) <= NOW)
)
_EXPIRE = Statement(
    delete(SavegameUpload)
    .where(
        col(U.user_id) == user(),
        col(U.expires_at) <= NOW,
        col(S.user_id) == col(U.user_id),
        col(S.id) == col(U.slot_id),
    )
    .returning(
        col(U.id),
        col(U.slot_id),
        col(S.product_id),
        col(S.slot_name),
        col(U.content_id),
        col(U.outcome).is_(None).label("was_open"),
        col(S.head_version).is_(None).label("is_empty"),
        col(U.file_count).is_not(None).label("is_set"),
    )
    .add_cte(_dropped(_verified_of_expired))
)
_cancelled = (
    select(col(U.id), col(U.content_id)).where(col(U.user_id) == user(), col(U.slot_id) == SLOT, IS_OPEN).cte("open")
)
_ended_files = (
    delete(SavegameUploadFile)
    .where(col(F.user_id) == user(), col(F.upload_id).in_(select(_cancelled.c.id)))
    .returning(col(F.content_id))
    .cte("ended_files")
)
_verified_of_ended = select(_ended_files.c.content_id).where(_ended_files.c.content_id.is_not(None))
_CANCEL = Statement(
    update(SavegameUpload)
    .where(col(U.user_id) == user(), col(U.id) == _cancelled.c.id)
    .values(outcome=cast(bindparam("new_outcome", type_=Text), JSONB), content_id=None, manifest_id=None)
    .returning(_cancelled.c.content_id, col(U.file_count))
    .add_cte(_dropped(_verified_of_ended))
)
_JOINED = Statement(
    select(col(U.content_id)).where(
        col(U.user_id) == user(), col(U.slot_id) == SLOT, IS_OPEN, col(U.content_id).is_not(None)
    )
)
_DETACH = Statement(update(SavegameUpload).where(col(U.user_id) == user(), col(U.id) == UPLOAD).values(content_id=None))
_UNJOIN = Statement(
    update(SavegameUpload)
    .where(col(U.user_id) == user(), col(U.content_id) == bindparam("old_content_id", type_=Uuid))
    .values(content_id=None)
)
# The oldest uploads first, and then their users: otherwise the plan would walk through the uploads of every user.
_oldest = (
    select(col(U.user_id))
    .where(col(U.expires_at) <= NOW)
    .order_by(col(U.expires_at))
    .limit(bindparam("limit", type_=Integer))
    .subquery()
)
_WITH_EXPIRED = Statement(select(_oldest.c.user_id).distinct())


class UploadStore:
    """A user's uploads. Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add_upload(self, user_id: UUID, **values: Any) -> None:
        """Stores an upload. The slot with its name is created as ``slot_id`` if there is none. ``signed`` bytes are
        counted for the ``day``.
        """
        await _RESERVE.write(self._connection, user_id=user_id, **values)

    async def count_signed(self, user_id: UUID, signed: int, day: date) -> None:
        """Counts bytes of the day's allowance for an upload that exists already."""
        await _COUNT_SIGNED.run(self._connection, user_id=user_id, signed=signed, day=day)

    async def add_ended(self, user_id: UUID, **values: Any) -> None:
        """Stores an upload whose outcome is known already."""
        await _ADD_ENDED.run(self._connection, user_id=user_id, **values)

    async def extend_ended(
        self,
        user_id: UUID,
        slot_id: UUID,
        content: bytes,
        file_count: int | None,
        ended_as: str,
        outcome: str,
        until: datetime,
    ) -> UUID | None:
        """Extends a finished upload with this content and outcome, and returns its id; None where there is none."""
        row = await _EXTEND_ENDED.first(
            self._connection,
            user_id=user_id,
            slot_id=slot_id,
            content=content,
            file_count=file_count,
            ended_as=ended_as,
            new_outcome=outcome,
            new_expires_at=until,
        )
        return row["id"] if row else None

    async def update_upload(self, user_id: UUID, upload_id: UUID, until: datetime, **properties: Any) -> None:
        """Updates the properties of an open upload, and extends it to ``until``."""
        await _RENEW.run(self._connection, user_id=user_id, upload_id=upload_id, new_expires_at=until, **properties)

    async def find_upload(self, user_id: UUID, upload_id: UUID) -> Upload | None:
        row = await _FIND.first(self._connection, user_id=user_id, upload_id=upload_id)
        return _UPLOAD.read_optional(row)

    async def list_open(self, user_id: UUID, product_id: UUID | None, now: datetime) -> list[Upload]:
        """Returns the open uploads of one product, or of all, the oldest first. Needs no lock."""
        found = await _LIST.all(self._connection, user_id=user_id, of_product=product_id, now=now)
        return _UPLOAD.read_all(found)

    async def extend_upload(self, user_id: UUID, upload_id: UUID, until: datetime) -> None:
        """Extends an upload to ``until``, if that is later than its end, and what was verified of it."""
        await _EXTEND.run(
            self._connection,
            user_id=user_id,
            upload_id=upload_id,
            new_expires_at=until,
            new_delete_after=until + ATTEMPT_FOR,
        )

    async def close_upload(self, user_id: UUID, upload_id: UUID, outcome: str, until: datetime) -> None:
        """Closes an upload with its outcome, which is kept until the given time."""
        await _CLOSE.run(
            self._connection, user_id=user_id, upload_id=upload_id, new_outcome=outcome, new_expires_at=until
        )

    async def delete_expired(self, user_id: UUID, now: datetime) -> list[Any]:
        """Deletes expired uploads, and returns a row with its slot for each."""
        return await _EXPIRE.all(self._connection, user_id=user_id, now=now)

    async def cancel_uploads(
        self, user_id: UUID, slot_id: UUID, outcome: str, now: datetime
    ) -> tuple[list[UUID], bool]:
        """Ends the open uploads of a slot. Returns the contents that they had joined, and whether there were sets."""
        found = await _CANCEL.all(self._connection, user_id=user_id, slot_id=slot_id, new_outcome=outcome, now=now)
        joined = [row["content_id"] for row in found if row["content_id"]]
        return joined, any(row["file_count"] is not None for row in found)

    async def joined_contents(self, user_id: UUID, slot_id: UUID) -> list[UUID]:
        """Returns the contents that open uploads of a slot have joined."""
        found = await _JOINED.all(self._connection, user_id=user_id, slot_id=slot_id)
        return [row["content_id"] for row in found]

    async def detach_upload(self, user_id: UUID, upload_id: UUID) -> None:
        """Detaches an upload from the content that it had joined, so that it needs the bytes."""
        await _DETACH.run(self._connection, user_id=user_id, upload_id=upload_id)

    async def detach_uploads(self, user_id: UUID, content_id: UUID) -> None:
        """Detaches all uploads from a content, so that they need the bytes."""
        await _UNJOIN.run(self._connection, user_id=user_id, old_content_id=content_id)

    async def users_with_expired(self, now: datetime, limit: int) -> list[UUID]:
        """Returns the users of the ``limit`` uploads that expired first. Needs no lock."""
        rows = await _WITH_EXPIRED.all(self._connection, now=now, limit=limit)
        return [row["user_id"] for row in rows]
