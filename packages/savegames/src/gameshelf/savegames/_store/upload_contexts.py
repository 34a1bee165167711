"""Everything that the decision about a new upload needs, in one statement."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import BoundStatement, Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import user
from gameshelf.savegames._commands import NewUpload
from gameshelf.savegames._models import SavegameAllowance, SavegameDevice, SavegameQuota
from gameshelf.savegames._naming import slot_key
from gameshelf.savegames._set_commands import NewSet
from gameshelf.savegames._set_models import SavegamePolicy
from gameshelf.savegames._store.expressions import (
    HASH,
    IDENTITY,
    IS_LIVE,
    IS_OPEN,
    IS_SINGLE,
    NAME,
    NOW,
    PRODUCT,
    C,
    M,
    S,
    U,
    counted_sizes,
    identity_of,
    reserved_bytes,
    used_bytes,
)
from gameshelf.savegames._store.numbers import highest_number, is_named
from sqlalchemy import (
    BigInteger,
    Date,
    LargeBinary,
    String,
    Text,
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
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import aliased
from sqlmodel import col

_A, _D, _Q = SavegameAllowance, SavegameDevice, SavegameQuota
DEVICE = bindparam("device_id", type_=String)
BASE = bindparam("base_version", type_=BigInteger)
DEVICE_VERSION = col(_D.version)


@dataclass(frozen=True, slots=True)
class UploadContext:
    """Everything that the decision about a new upload needs."""

    slot_id: UUID | None
    """None: no save has that name."""
    slot_name: str | None
    """The name of the save, which may differ from the requested one by what folding ignores."""
    head_version: int | None
    last_version: int | None
    head_identity: bytes | None
    """The identity of the head's content; None once its bytes were deleted."""
    device_version: int | None
    """The version that the device uploaded or reported last."""
    has_base: bool
    """Whether the save has the version that the upload names as its base."""
    highest_version: int
    """The highest number assigned under this name to saves that were deleted or are in the trash."""
    has_trash: bool
    """Whether a save of this name is in the trash."""
    lacks_keys: bool
    """Whether a save of the product has no folded name yet."""
    slot_count: int
    """The number of saves of the product, without the trash."""
    content_id: UUID | None
    """The user's live content with that hash, unless its object is known to be missing."""
    content_size: int | None
    is_verified: bool
    """Whether the hash of the unpacked bytes, if there is one, was verified before for the user's content."""
    is_held: bool
    """Whether the user's content with that hash counts already, even if its object is missing."""
    same: Mapping[int, UUID]
    """Open uploads of this content and size by this device to this save, by their base."""
    open_uploads: int
    used_bytes: int
    reserved_bytes: int
    """The bytes that open uploads of other contents have reserved."""
    limit_bytes: int | None
    """The limit that support has set; None: the default one."""
    has_expired: bool
    """Whether the counts include open uploads that have expired."""
    signed_bytes: int
    """The bytes for which upload URLs were signed today."""
    counted_bytes: int
    """The bytes of this content that count already, since open uploads need them: the largest announced size."""
    product_conflict_policy: str | None
    """How the policy of the product resolves conflicts; None: it has no policy."""
    product_max_file_bytes: int | None
    """The largest size of a file by the policy of the product; None or 0: the service's."""
    head_manifest_id: UUID | None
    """The list of the head; None: it is a single file, or there is none."""
    policy: str | None
    """The policy of the product, as JSON, if the head is a set; else None."""

    @property
    def joins(self) -> UUID | None:
        """The content that the upload joins, so that it needs no bytes. A hash of unpacked bytes that was never
        verified requires that the bytes are sent.
        """
        return self.content_id if self.is_verified else None


_one = select(literal(1)).subquery()
NAMED_SLOT = (
    select(S)
    .where(col(S.user_id) == user(), col(S.product_id) == PRODUCT, col(S.deleted_at).is_(None), is_named())
    .order_by((col(S.slot_name) == NAME).desc())
    .limit(1)
    .subquery("slot")
)
_live = select(C).where(col(C.user_id) == user(), col(C.file_hash_sha256) == HASH, IS_LIVE).subquery("live")
_raw = bindparam("raw_sha256", type_=LargeBinary)
_encoding = bindparam("content_encoding", type_=String)
# The identity of a version comes from unpacked bytes that were verified, unless the client encrypted it: then the
# client chose it.
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
_raw_size = bindparam("raw_size", type_=BigInteger)
_has_raw = and_(_live.c.raw_sha256 == _raw, _live.c.raw_encoding == _encoding)
_has_raw_size = or_(cast(_raw_size, BigInteger).is_(None), _live.c.raw_size_bytes == _raw_size)
# The hash of bytes that are not packed is that of the file. The size is compared where a set has kept one: versions of
# single files have none.
_is_verified = or_(
    cast(_raw, LargeBinary).is_(None),
    and_(_encoding == literal_column("'identity'"), _raw == HASH),
    and_(_has_raw, _has_raw_size),
    and_(_is_known, _has_raw.is_not(true())),
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
    .where(col(M.user_id) == user(), col(M.slot_id) == NAMED_SLOT.c.id, col(M.version) == BASE)
    .correlate(NAMED_SLOT)
    .exists()
)
_same = (
    select(func.array_agg(col(U.base_version)).label("bases"), func.array_agg(col(U.id)).label("ids"))
    .where(
        col(U.user_id) == user(),
        IS_OPEN,
        IS_SINGLE,
        col(U.expires_at) > NOW,
        col(U.slot_id) == NAMED_SLOT.c.id,
        col(U.file_hash_sha256) == HASH,
        # An upload whose size was announced wrongly can never be confirmed.
        col(U.file_size_bytes) == bindparam("size", type_=BigInteger),
        col(U.device_id).is_not_distinct_from(DEVICE),
    )
    .lateral("same")
)
_sizes = counted_sizes(HASH).subquery("sizes")
_counted = select(func.max(_sizes.c.bytes)).scalar_subquery()
_open_uploads = select(func.count()).select_from(U).where(col(U.user_id) == user(), IS_OPEN).scalar_subquery()
_has_expired = select(literal(1)).where(col(U.user_id) == user(), IS_OPEN, col(U.expires_at) <= NOW).exists()
_LIMIT_BYTES = select(col(_Q.limit_bytes)).where(col(_Q.user_id) == user()).scalar_subquery()
_signed = select(col(_A.signed_bytes)).where(col(_A.user_id) == user(), col(_A.day) == bindparam("day", type_=Date))
PLACE: tuple[Any, ...] = (
    NAMED_SLOT.c.id.label("slot_id"),
    NAMED_SLOT.c.slot_name,
    NAMED_SLOT.c.head_version,
    NAMED_SLOT.c.last_version,
    case((col(M.content_id).is_not(None), identity_of(M))).label("head_identity"),
    DEVICE_VERSION.label("device_version"),
    _has_base.label("has_base"),
    cast(highest_number(), BigInteger).label("highest_version"),
    _has_trash.label("has_trash"),
    _lacks_keys.label("lacks_keys"),
    _slot_count.label("slot_count"),
    _open_uploads.label("open_uploads"),
    cast(used_bytes(), BigInteger).label("used_bytes"),
    _LIMIT_BYTES.label("limit_bytes"),
    _has_expired.label("has_expired"),
    func.coalesce(_signed.scalar_subquery(), 0).label("signed_bytes"),
)
"""What the decision about an upload of either kind needs: its save, and what the user has and may have."""
NAMED_SLOT_WITH_HEAD: Any = (
    _one.outerjoin(NAMED_SLOT, true())
    .outerjoin(
        M,
        and_(col(M.user_id) == user(), col(M.slot_id) == NAMED_SLOT.c.id, col(M.version) == NAMED_SLOT.c.head_version),
    )
    .outerjoin(
        _D,
        and_(col(_D.user_id) == user(), col(_D.slot_id) == NAMED_SLOT.c.id, col(_D.device_id) == DEVICE),
    )
)
"""One row: the save with its head, and the version of the device, where there are such."""
_P = SavegamePolicy
POLICY = select(_P).where(col(_P.product_id) == PRODUCT).limit(literal_column("1")).subquery("policy")
"""The policy of the product."""
_max_file_bytes = POLICY.c.policy["limits"]["max_file_bytes"]
_CONTEXT = Statement(
    select(
        *PLACE,
        case((_live.c.missing_since.is_(None), _live.c.id)).label("content_id"),
        case((_live.c.missing_since.is_(None), _live.c.file_size_bytes)).label("content_size"),
        func.coalesce(_is_verified, literal_column("false")).label("is_verified"),
        _live.c.id.is_not(None).label("is_held"),
        _same.c.bases,
        _same.c.ids,
        cast(reserved_bytes(but=array([HASH])), BigInteger).label("reserved_bytes"),
        func.coalesce(_counted, literal_column("0")).label("counted_bytes"),
        POLICY.c.policy["conflict_policy"].astext.label("product_conflict_policy"),
        case((func.jsonb_typeof(_max_file_bytes) == literal("number"), cast(_max_file_bytes.astext, BigInteger))).label(
            "product_max_file_bytes"
        ),
        col(M.manifest_id).label("head_manifest_id"),
        case((col(M.manifest_id).is_not(None), cast(POLICY.c.policy, Text))).label("policy"),
    ).select_from(NAMED_SLOT_WITH_HEAD.outerjoin(_live, true()).outerjoin(_same, true()).outerjoin(POLICY, true()))
)
_UPLOAD_CONTEXT = RowReader(UploadContext, _CONTEXT, given=("same",), others=("bases", "ids"))
_named = bindparam("savegame_id", type_=Uuid)
_had = (
    select(literal(1))
    .where(col(_D.user_id) == col(S.user_id), col(_D.slot_id) == col(S.id), col(_D.device_id) == DEVICE)
    .exists()
)
# Citus refuses a subquery with a condition that no row meets for these values, such as a comparison with NULL. So what
# depends on the values alone is outside of both, and no version has the number 0.
_grew = (
    select(literal(1))
    .where(
        col(M.user_id) == col(S.user_id),
        col(M.slot_id) == col(S.id),
        col(M.version) == func.coalesce(BASE, literal_column("0")),
    )
    .exists()
)
_version = aliased(M)
# The hash too: the release before stored packed bytes without another identity.
_holds = (
    select(literal(1))
    .where(
        col(_version.user_id) == col(S.user_id),
        col(_version.slot_id) == col(S.id),
        or_(
            identity_of(_version) == IDENTITY,
            and_(col(_version.file_count).is_(None), col(_version.file_hash_sha256) == HASH),
        ),
    )
    .exists()
)
_TRASHED = Statement(
    select(col(S.id).label("slot_id"), col(S.slot_name), col(S.head_version))
    .where(
        col(S.user_id) == user(),
        col(S.product_id) == PRODUCT,
        col(S.deleted_at).is_not(None),
        col(S.head_version).is_not(None),
        or_(
            col(S.id) == _named, and_(cast(_named, Uuid).is_(None), is_named(), or_(and_(BASE.is_(None), _had), _grew))
        ),
        _holds,
    )
    .order_by(col(S.deleted_at).desc(), col(S.id))
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class TrashedSave:
    """A save in the trash that holds the content of an upload."""

    slot_id: UUID
    slot_name: str
    head_version: int


_TRASHED_SAVE = RowReader(TrashedSave, _TRASHED)


def lookup_context(user_id: UUID, new: NewUpload, now: datetime) -> BoundStatement:
    """Returns what ``UploadContextStore.read_context`` reads."""
    return _CONTEXT.bind(
        **place_parameters(user_id, new),
        content=new.content,
        size=new.file_size_bytes,
        raw_sha256=new.raw,
        raw_size=new.raw_size_bytes,
        content_encoding=new.content_encoding,
        now=now,
        day=now.astimezone(UTC).date(),
    )


class UploadContextStore:
    """Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def read_context(self, user_id: UUID, new: NewUpload, now: datetime) -> UploadContext:
        """Returns the context of a new upload."""
        row = await lookup_context(user_id, new, now).first(self._connection)
        assert row is not None
        same = dict(zip(row["bases"] or (), row["ids"] or (), strict=True))
        return _UPLOAD_CONTEXT.read(row, same=same)

    async def find_trashed(
        self, user_id: UUID, new: NewUpload | NewSet, identity: bytes, content: bytes
    ) -> TrashedSave | None:
        """Returns the save in the trash that an upload refers to by id, by base or by the version of its device, if one
        of its versions has the same lineage key, or is a single file with the same bytes. Of several it is the one that
        was deleted last.
        """
        row = await _TRASHED.first(
            self._connection,
            **place_parameters(user_id, new),
            savegame_id=new.savegame_id,
            identity=identity,
            content=content,
        )
        return _TRASHED_SAVE.read_optional(row)


def place_parameters(user_id: UUID, new: NewUpload | NewSet) -> dict[str, object]:
    """Returns the parameters of ``PLACE`` that depend on the request."""
    return {
        "user_id": user_id,
        "product_id": new.product_id,
        "slot_name": new.save_slot_name,
        "slot_key": slot_key(new.save_slot_name),
        "device_id": new.device_id,
        "base_version": new.base_version,
    }
