"""All that has to be known when somebody asks to upload, in one statement."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import user
from gameshelf.savegames.commands import NewUpload
from gameshelf.savegames.models import SavegameAllowance, SavegameDevice, SavegameQuota
from gameshelf.savegames.naming import slot_key
from gameshelf.savegames.store.expressions import (
    HASH,
    IDENTITY,
    IS_LIVE,
    IS_OPEN,
    NAME,
    NOW,
    PRODUCT,
    C,
    M,
    S,
    U,
    identity_of,
    reserved_bytes,
    used_bytes,
)
from gameshelf.savegames.store.numbers import highest_number, is_named
from sqlalchemy import (
    BigInteger,
    Date,
    LargeBinary,
    String,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.orm import aliased
from sqlmodel import col

_A, _D, _Q = SavegameAllowance, SavegameDevice, SavegameQuota
_DEVICE = bindparam("device_id", type_=String)
_BASE = bindparam("base_version", type_=BigInteger)


@dataclass(frozen=True, slots=True)
class UploadContext:
    """What has to be known when somebody asks to upload."""

    slot_id: UUID | None
    """None where no save has that name."""
    slot_name: str | None
    """As the save is called, which may differ from what was asked for by what folding ignores."""
    head_version: int | None
    last_version: int | None
    head_identity: bytes | None
    """Of what the head holds; None once its bytes are gone."""
    device_version: int | None
    """What the device uploaded last, or said that it has."""
    has_base: bool
    """Whether the save has the version that was named as the base."""
    highest_version: int
    """The highest number that saves had under this name which are gone or in the trash."""
    has_trash: bool
    """Whether a save of this name is in the trash."""
    lacks_keys: bool
    """Whether a save of the product has no folded name yet."""
    slot_count: int
    """How many saves of the product there are, not counting the trash."""
    content_id: UUID | None
    """The user's content of that hash, if it is there, and in the store as far as anybody knows."""
    content_size: int | None
    is_verified: bool
    """Whether nothing is said of the unpacked bytes that was not verified of the user's content of that hash before."""
    is_held: bool
    """Whether the user's content of that hash counts already, in the store or not."""
    same: Mapping[int, UUID]
    """Open uploads of this content by this device to this save, by their base."""
    open_uploads: int
    used_bytes: int
    reserved_bytes: int
    """Of other contents than this one."""
    limit_bytes: int | None
    """What support has set, None for the usual limit."""
    has_expired: bool
    """Whether open uploads are counted that can't be confirmed any more."""
    signed_bytes: int
    """How many bytes upload URLs were signed for today."""
    is_signed: bool
    """Whether an open upload awaits this content: then its bytes count already."""

    @property
    def joins(self) -> UUID | None:
        """The content that an upload needs not bring. What is said of its unpacked bytes and was never verified can be
        verified of bytes that are sent alone.
        """
        return self.content_id if self.is_verified else None


_one = select(literal(1)).subquery()
_slot = (
    select(S)
    .where(col(S.user_id) == user(), col(S.product_id) == PRODUCT, col(S.deleted_at).is_(None), is_named())
    .order_by((col(S.slot_name) == NAME).desc())
    .limit(1)
    .subquery("slot")
)
_live = select(C).where(col(C.user_id) == user(), col(C.file_hash_sha256) == HASH, IS_LIVE).subquery("live")
_raw = bindparam("raw_sha256", type_=LargeBinary)
_encoding = bindparam("content_encoding", type_=String)
# A version has its identity from unpacked bytes that were verified, unless the client encrypted it: then it is what the
# client says.
_is_known = (
    select(literal(1))
    .where(
        col(M.user_id) == user(),
        col(M.content_id) == _live.c.id,
        col(M.content_identity) == _raw,
        col(M.content_encoding) == _encoding,
        col(M.encryption).is_(None),
    )
    .correlate(_live)
    .exists()
)
# Bytes that are not packed have their own hash.
_is_verified = or_(
    cast(_raw, LargeBinary).is_(None), and_(_encoding == literal_column("'identity'"), _raw == HASH), _is_known
)
_is_open_to = select(literal(1)).where(col(U.user_id) == user(), col(U.slot_id) == col(S.id), IS_OPEN).exists()
_slot_count = (
    select(func.count())
    .select_from(S)
    .where(
        col(S.user_id) == user(),
        col(S.product_id) == PRODUCT,
        col(S.deleted_at).is_(None),
        or_(col(S.head_version).is_not(None), _is_open_to),
    )
    .scalar_subquery()
)
_has_trash = (
    select(literal(1))
    .where(col(S.user_id) == user(), col(S.product_id) == PRODUCT, col(S.deleted_at).is_not(None), is_named())
    .exists()
)
_lacks_keys = (
    select(literal(1)).where(col(S.user_id) == user(), col(S.product_id) == PRODUCT, col(S.slot_key).is_(None)).exists()
)
_has_base = (
    select(literal(1))
    .where(col(M.user_id) == user(), col(M.slot_id) == _slot.c.id, col(M.version) == _BASE)
    .correlate(_slot)
    .exists()
)
_same = (
    select(func.array_agg(col(U.base_version)).label("bases"), func.array_agg(col(U.id)).label("ids"))
    .where(
        col(U.user_id) == user(),
        IS_OPEN,
        col(U.expires_at) > NOW,
        col(U.slot_id) == _slot.c.id,
        col(U.file_hash_sha256) == HASH,
        col(U.device_id).is_not_distinct_from(_DEVICE),
    )
    .lateral("same")
)
_open_uploads = select(func.count()).select_from(U).where(col(U.user_id) == user(), IS_OPEN).scalar_subquery()
_has_expired = select(literal(1)).where(col(U.user_id) == user(), IS_OPEN, col(U.expires_at) <= NOW).exists()
_LIMIT_BYTES = select(col(_Q.limit_bytes)).where(col(_Q.user_id) == user()).scalar_subquery()
_signed = select(col(_A.signed_bytes)).where(col(_A.user_id) == user(), col(_A.day) == bindparam("day", type_=Date))
_is_signed = (
    select(literal(1))
    .where(
        col(U.user_id) == user(),
        col(U.file_hash_sha256) == HASH,
        IS_OPEN,
        col(U.expires_at) > NOW,
        col(U.content_id).is_(None),
    )
    .exists()
)
_CONTEXT = Statement(
    select(
        _slot.c.id,
        _slot.c.slot_name,
        _slot.c.head_version,
        _slot.c.last_version,
        case((col(M.content_id).is_not(None), identity_of(M))),
        col(_D.version),
        _has_base,
        cast(highest_number(), BigInteger),
        _has_trash,
        _lacks_keys,
        _slot_count,
        case((_live.c.missing_since.is_(None), _live.c.id)),
        case((_live.c.missing_since.is_(None), _live.c.file_size_bytes)),
        func.coalesce(_is_verified, literal_column("false")),
        _live.c.id.is_not(None),
        _same.c.bases,
        _same.c.ids,
        _open_uploads,
        cast(used_bytes(), BigInteger),
        cast(reserved_bytes(col(U.file_hash_sha256) != HASH), BigInteger),
        _LIMIT_BYTES,
        _has_expired,
        func.coalesce(_signed.scalar_subquery(), 0),
        _is_signed,
    ).select_from(
        _one.outerjoin(_slot, true())
        .outerjoin(
            M,
            and_(col(M.user_id) == user(), col(M.slot_id) == _slot.c.id, col(M.version) == _slot.c.head_version),
        )
        .outerjoin(
            _D,
            and_(col(_D.user_id) == user(), col(_D.slot_id) == _slot.c.id, col(_D.device_id) == _DEVICE),
        )
        .outerjoin(_live, true())
        .outerjoin(_same, true())
    )
)
_named = bindparam("savegame_id", type_=Uuid)
_had = (
    select(literal(1))
    .where(
        col(_D.user_id) == col(S.user_id), col(_D.slot_id) == col(S.id), col(_D.device_id) == _DEVICE, _BASE.is_(None)
    )
    .exists()
)
_grew = (
    select(literal(1))
    .where(col(M.user_id) == col(S.user_id), col(M.slot_id) == col(S.id), col(M.version) == _BASE)
    .exists()
)
_version = aliased(M)
# The hash too: in the release before what was packed had no other identity.
_holds = (
    select(literal(1))
    .where(
        col(_version.user_id) == col(S.user_id),
        col(_version.slot_id) == col(S.id),
        or_(identity_of(_version) == IDENTITY, col(_version.file_hash_sha256) == HASH),
    )
    .exists()
)
_TRASHED = Statement(
    select(col(S.id), col(S.slot_name), col(S.head_version))
    .where(
        col(S.user_id) == user(),
        col(S.product_id) == PRODUCT,
        col(S.deleted_at).is_not(None),
        col(S.head_version).is_not(None),
        or_(col(S.id) == _named, and_(cast(_named, Uuid).is_(None), is_named(), or_(_had, _grew))),
        _holds,
    )
    .order_by(col(S.deleted_at).desc(), col(S.id))
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class TrashedSave:
    """A save in the trash that holds what is to be uploaded."""

    slot_id: UUID
    slot_name: str
    head_version: int


class UploadContextStore:
    """Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find(self, user_id: UUID, new: NewUpload, now: datetime) -> UploadContext:
        """All that a decision about a new upload needs."""
        row = await _CONTEXT.first(
            self._connection,
            **_given(user_id, new),
            raw_sha256=new.raw,
            content_encoding=new.content_encoding,
            now=now,
            day=now.astimezone(UTC).date(),
        )
        assert row is not None
        values = list(row.values())
        values[_SAME : _SAME + 2] = [dict(zip(values[_SAME] or (), values[_SAME + 1] or (), strict=True))]
        return UploadContext(*values)

    async def trashed(self, user_id: UUID, new: NewUpload) -> TrashedSave | None:
        """The save in the trash that an upload means, by its id, its base or what its device had, if one of its
        versions has the same content; the one that was deleted last.
        """
        row = await _TRASHED.first(
            self._connection, **_given(user_id, new), savegame_id=new.savegame_id, identity=new.identity
        )
        return TrashedSave(*row.values()) if row else None


_SAME = list(UploadContext.__dataclass_fields__).index("same")


def _given(user_id: UUID, new: NewUpload) -> dict[str, object]:
    return {
        "user_id": user_id,
        "product_id": new.product_id,
        "slot_name": new.save_slot_name,
        "slot_key": slot_key(new.save_slot_name),
        "content": new.content,
        "device_id": new.device_id,
        "base_version": new.base_version,
    }
