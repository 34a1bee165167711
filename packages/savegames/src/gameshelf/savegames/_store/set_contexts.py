"""Everything that the decision about a new upload of a set needs, in two statements."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import rows, user
from gameshelf.savegames._set_commands import NewSet
from gameshelf.savegames._store.expressions import (
    IS_OPEN,
    IS_SINGLE,
    NOW,
    M,
    U,
    counted_sizes,
    live_content,
    one_version,
    reserved_bytes,
)
from gameshelf.savegames._store.upload_contexts import (
    BASE,
    DEVICE,
    DEVICE_VERSION,
    NAMED_SLOT,
    NAMED_SLOT_WITH_HEAD,
    PLACE,
    POLICY,
    place_parameters,
)
from sqlalchemy import BigInteger, LargeBinary, Text, cast, func, literal_column, null, select, true, union_all
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlmodel import col


@dataclass(frozen=True, slots=True)
class SetContext:
    """Everything that the decision about a new upload of a set needs, but for its contents."""

    slot_id: UUID | None
    """None: no save has that name."""
    slot_name: str | None
    """The name of the save, which may differ from the requested one by what folding ignores."""
    head_version: int | None
    last_version: int | None
    head_identity: bytes | None
    """The lineage key of the head; None once its bytes were deleted."""
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
    open_uploads: int
    used_bytes: int
    limit_bytes: int | None
    """The limit that support has set; None: the default one."""
    has_expired: bool
    """Whether the counts include open uploads that have expired."""
    signed_bytes: int
    """The bytes for which upload URLs were signed today."""
    reserved_bytes: int
    """The bytes that open uploads have reserved."""
    head_device_id: str | None
    head_manifest_id: UUID | None
    """The list of the head; None: it is a single file, or there is none."""
    base_manifest_id: UUID | None
    """The list of the base; None: it is a single file, its list was forgotten, or there is none."""
    policy: str | None
    """The policy of the product, as JSON; None: it has none."""
    policy_revision: int
    """0: the product has no policy."""
    same: Mapping[tuple[bytes, int], UUID]
    """Open uploads of sets by this device to this save, by their canonical hash and base."""


_base = one_version(NAMED_SLOT.c.id, func.coalesce(BASE, DEVICE_VERSION), "base")
_same = (
    select(
        func.array_agg(aggregate_order_by(col(U.file_hash_sha256), col(U.id))).label("hashes"),
        func.array_agg(aggregate_order_by(col(U.base_version), col(U.id))).label("bases"),
        func.array_agg(aggregate_order_by(col(U.id), col(U.id))).label("ids"),
    )
    .where(
        col(U.user_id) == user(),
        IS_OPEN,
        ~IS_SINGLE,
        col(U.expires_at) > NOW,
        col(U.slot_id) == NAMED_SLOT.c.id,
        col(U.device_id) == DEVICE,
    )
    .lateral("same")
)
_CONTEXT = Statement(
    select(
        *PLACE,
        cast(reserved_bytes(), BigInteger).label("reserved_bytes"),
        col(M.device_id).label("head_device_id"),
        col(M.manifest_id).label("head_manifest_id"),
        _base.c.manifest_id.label("base_manifest_id"),
        cast(POLICY.c.policy, Text).label("policy"),
        func.coalesce(POLICY.c.revision, literal_column("0")).label("policy_revision"),
        _same.c.hashes,
        _same.c.bases,
        _same.c.ids,
    ).select_from(NAMED_SLOT_WITH_HEAD.outerjoin(_base, true()).outerjoin(_same, true()).outerjoin(POLICY, true()))
)
_SET_CONTEXT = RowReader(SetContext, _CONTEXT, given=("same",), others=("hashes", "bases", "ids"))


@dataclass(frozen=True, slots=True)
class KnownContent:
    """What is known of a content of a set."""

    sha256: bytes
    content_id: UUID | None
    """The user's content with that hash, even if its object is missing."""
    size: int | None
    is_missing: bool
    """Whether its object was found missing in the store."""
    raw_sha256: bytes | None
    """The hash of the unpacked bytes, if it was verified."""
    raw_encoding: str | None
    raw_size: int | None
    """The size of the unpacked bytes, if it was verified."""
    counted_bytes: int
    """The bytes that are counted for it, since open uploads await them: the largest size that one of them announced."""


_hashes = rows("hashes", sha256=("hashes", LargeBinary))
_counted = counted_sizes().subquery("counted")
_IS_WANTED: Any = literal_column("true")
# The requested hashes are grouped with what is counted. A join, or a look-up of the sizes for each hash, would compare
# all with all by a plan that was made while the tables were empty.
_either = union_all(
    select(_hashes.c.sha256, cast(null(), BigInteger).label("bytes"), _IS_WANTED.label("is_wanted")),
    select(_counted.c.sha256, _counted.c.bytes, ~_IS_WANTED),
).subquery("either")
_wanted = (
    select(_either.c.sha256, func.coalesce(func.max(_either.c.bytes), literal_column("0")).label("counted_bytes"))
    .group_by(_either.c.sha256)
    .having(func.bool_or(_either.c.is_wanted))
    .subquery("wanted")
)
_known = live_content(_wanted.c.sha256, "known")
_CONTENTS = Statement(
    select(
        _wanted.c.sha256,
        _known.c.id.label("content_id"),
        _known.c.file_size_bytes.label("size"),
        _known.c.missing_since.is_not(None).label("is_missing"),
        _known.c.raw_sha256,
        _known.c.raw_encoding,
        _known.c.raw_size_bytes.label("raw_size"),
        _wanted.c.counted_bytes,
    ).select_from(_wanted.outerjoin(_known, true()))
)
_KNOWN_CONTENT = RowReader(KnownContent, _CONTENTS)


class SetContextStore:
    """Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def read_context(self, user_id: UUID, new: NewSet, now: datetime) -> SetContext:
        """Returns the context of a new upload of a set."""
        row = await _CONTEXT.first(
            self._connection, **place_parameters(user_id, new), now=now, day=now.astimezone(UTC).date()
        )
        assert row is not None
        keys = zip(row["hashes"] or (), row["bases"] or (), strict=True)
        return _SET_CONTEXT.read(row, same=dict(zip(keys, row["ids"] or (), strict=True)))

    async def known_contents(
        self, user_id: UUID, hashes: Collection[bytes], now: datetime
    ) -> dict[bytes, KnownContent]:
        """Returns what is known of the contents with these hashes."""
        found = await _CONTENTS.all(self._connection, user_id=user_id, hashes=list(hashes), now=now)
        return {one.sha256: one for one in _KNOWN_CONTENT.read_all(found)}
