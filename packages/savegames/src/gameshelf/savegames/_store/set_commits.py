"""The commit of an upload of a set: what it stands on, its contents, and its version as the new head."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, prefixed, rows, user
from gameshelf.savegames._files import FileList
from gameshelf.savegames._models import (
    ContentState,
    SavegameContent,
    SavegameDevice,
    SavegameQuota,
    SavegameSlot,
    SavegameUpload,
)
from gameshelf.savegames._set_models import (
    SavegameManifest,
    SavegameManifestContent,
    SavegameUploadFile,
)
from gameshelf.savegames._store.conflicts import EQUAL_COLUMNS, EqualBranches, branches_with, read_equal
from gameshelf.savegames._store.contents import stale_lists
from gameshelf.savegames._store.devices import committed_by
from gameshelf.savegames._store.expressions import (
    IS_OPEN,
    NOW,
    SLOT,
    UPLOAD,
    VERSION,
    C,
    M,
    S,
    U,
    identity_of,
    live_content,
    one_version,
    used_bytes,
    verified_content,
)
from gameshelf.savegames._store.joining import joined_by_sets
from gameshelf.savegames._store.slots import MAX_DEVICES
from gameshelf.savegames._store.uploads import UPLOAD_COLUMNS, Upload
from gameshelf.savegames._store.versions import new_list, new_version
from sqlalchemy import (
    ARRAY,
    BigInteger,
    LargeBinary,
    String,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    cast,
    delete,
    func,
    literal_column,
    or_,
    select,
    true,
    union,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import aliased
from sqlmodel import col

_D, _Q, _F, _H, _L = SavegameDevice, SavegameQuota, SavegameUploadFile, SavegameManifestContent, SavegameManifest
_MANIFEST = bindparam("manifest_id", type_=Uuid)
_DEVICE = bindparam("device_id", type_=String)
_PENDING: Any = literal_column(f"'{ContentState.PENDING.value}'")
_LIVE: Any = literal_column(f"'{ContentState.LIVE.value}'")
_DROPPED: Any = literal_column(f"'{ContentState.DROPPED.value}'")


@dataclass(frozen=True, slots=True)
class SetCommitState:
    """What the decision about an upload of a set needs, beside the upload itself."""

    head_identity: bytes | None
    """The lineage key of the head; None: there is none, or its bytes were deleted."""
    regresses_to: int | None
    """The newest version of the history before the head with the same content."""
    content_count: int
    """The number of different contents of the list."""
    ready_count: int
    """How many of them are there: live and not missing, or verified for this upload."""
    unverified_count: int
    """The number of contents that are still awaited."""
    verified_count: int
    """The number of contents that were verified for this upload."""
    new_bytes: int
    """The bytes of the verified contents that the user does not have yet."""
    used_bytes: int
    limit_bytes: int | None
    """The limit that support has set; None: the default one."""
    equal: EqualBranches
    """The branches of open conflicts with the same content."""

    @property
    def is_ready(self) -> bool:
        return self.unverified_count == 0 and self.ready_count == self.content_count


@dataclass(frozen=True, slots=True)
class AwaitedFile:
    """A content of an upload: one that is awaited, or one that is there."""

    sha256: bytes
    problem: str | None
    """What the last verification found; None: nothing, or it was verified."""
    is_ready: bool


_pending = verified_content(col(C.s3_object_key)).lateral("pending")


def _file_with_content(*columns: Any) -> Any:
    """Selects contents of the upload with the verified pending content of each."""
    return (
        select(*columns)
        .select_from(_F)
        .outerjoin(_pending, true())
        .where(col(_F.user_id) == user(), col(_F.upload_id) == UPLOAD)
    )


_live, _older = aliased(C), aliased(M)
_unverified = _file_with_content(func.count()).where(_pending.c.id.is_(None)).scalar_subquery()
_verified_count = _file_with_content(func.count(_pending.c.id)).scalar_subquery()
_same_as_file = live_content(col(_F.sha256), "same_as_file")
_new_bytes = (
    select(func.coalesce(func.sum(col(_F.size_bytes)), 0))
    .select_from(_F)
    .join(_pending, true())
    .outerjoin(_same_as_file, true())
    .where(col(_F.user_id) == user(), col(_F.upload_id) == UPLOAD, _same_as_file.c.id.is_(None))
    .scalar_subquery()
)
_held: Any = (
    select(col(_live.file_hash_sha256).label("sha256"))
    .select_from(_H)
    .join(
        _live,
        # What a list holds is live. Said once more, it would lead through all of the user's live contents for each one.
        and_(
            col(_live.user_id) == col(_H.user_id),
            col(_live.id) == col(_H.content_id),
            col(_live.missing_since).is_(None),
        ),
    )
    .where(col(_H.user_id) == user())
)
_verified = _file_with_content(col(_F.sha256)).where(_pending.c.id.is_not(None))
_of_upload = select(col(U.manifest_id)).where(col(U.user_id) == user(), col(U.id) == UPLOAD).scalar_subquery()
_ready = union(_held.where(col(_H.manifest_id) == _of_upload), _verified).subquery("ready")
_regresses_to = (
    select(func.max(col(_older.version)))
    .where(
        col(_older.user_id) == user(),
        col(_older.slot_id) == col(U.slot_id),
        col(_older.in_head),
        col(_older.content_id).is_not(None),
        identity_of(_older) == identity_of(U),
        col(_older.version) < col(S.head_version),
    )
    .scalar_subquery()
)
_limit_bytes = select(col(_Q.limit_bytes)).where(col(_Q.user_id) == user()).scalar_subquery()
_head = one_version(col(S.id), col(S.head_version), "head")
_equal = branches_with(col(U.slot_id), identity_of(U), U)
_STATE = Statement(
    select(
        *prefixed("upload_", UPLOAD_COLUMNS),
        case((_head.c.content_id.is_not(None), identity_of(_head.c))).label("head_identity"),
        _regresses_to.label("regresses_to"),
        func.coalesce(col(_L.content_count), 0).label("content_count"),
        select(func.count()).select_from(_ready).scalar_subquery().label("ready_count"),
        _unverified.label("unverified_count"),
        _verified_count.label("verified_count"),
        cast(_new_bytes, BigInteger).label("new_bytes"),
        cast(used_bytes(), BigInteger).label("used_bytes"),
        _limit_bytes.label("limit_bytes"),
        *_equal.c,
    )
    .select_from(U)
    .join(S, and_(col(S.user_id) == col(U.user_id), col(S.id) == col(U.slot_id)))
    .outerjoin(_L, and_(col(_L.user_id) == col(U.user_id), col(_L.id) == col(U.manifest_id)))
    .outerjoin(_head, true())
    .outerjoin(_equal, true())
    .where(col(U.user_id) == user(), col(U.id) == UPLOAD)
)
_UNLIST = Statement(
    delete(SavegameManifestContent).where(
        col(_H.user_id) == user(), col(_H.content_id) == bindparam("content_id", type_=Uuid)
    )
)
_UPLOAD = RowReader(Upload, _STATE, prefix="upload_")
_SET_COMMIT_STATE = RowReader(SetCommitState, _STATE, given=("equal",), others=(_UPLOAD, *EQUAL_COLUMNS))
_AWAITED = Statement(
    union(
        _file_with_content(col(_F.sha256), col(_F.problem), _pending.c.id.is_not(None).label("is_ready")),
        _held.add_columns(cast(literal_column("NULL"), String), literal_column("true")).where(
            col(_H.manifest_id) == _MANIFEST
        ),
    )
)
_AWAITED_FILE = RowReader(AwaitedFile, _AWAITED)

_mine: Any = (
    _file_with_content(
        col(_F.sha256),
        _pending.c.id,
        _pending.c.s3_object_key,
    )
    .where(_pending.c.id.is_not(None))
    .cte("mine")
)
_same = live_content(_mine.c.sha256, "same")
_there: Any = (
    select(
        _same.c.id,
        _same.c.s3_object_key,
        _same.c.missing_since.is_not(None).label("is_missing"),
        _mine.c.id.label("own_id"),
        _mine.c.s3_object_key.label("own_key"),
    )
    .select_from(_mine)
    .join(_same, true())
    .cte("there")
)
_made: Any = (
    update(SavegameContent)
    .where(
        col(C.user_id) == user(),
        # As an array: a join could compare each of them with all contents of the user.
        col(C.id) == any_(func.array(select(_mine.c.id).scalar_subquery(), type_=ARRAY(Uuid))),
        col(C.state) == _PENDING,
        col(C.id).not_in(select(_there.c.own_id)),
    )
    .values(state=_LIVE, delete_after=None)
    .returning(
        col(C.id),
        col(C.file_hash_sha256),
        col(C.file_size_bytes),
        col(C.raw_sha256),
        col(C.raw_encoding),
        col(C.raw_size_bytes),
    )
    .cte("made")
)
# The object of a content that is missing in the store is replaced by the one of this upload.
_spare: Any = (
    update(SavegameContent)
    .where(col(C.user_id) == user(), col(C.id) == _there.c.own_id, col(C.state) == _PENDING)
    .values(
        state=_DROPPED,
        delete_after=NOW,
        s3_object_key=case((_there.c.is_missing, _there.c.s3_object_key), else_=_there.c.own_key),
    )
    .returning(col(C.id))
    .cte("spare")
)
_mended: Any = (
    update(SavegameContent)
    .where(col(C.user_id) == user(), col(C.id) == _there.c.id, _there.c.is_missing, _there.c.own_id == _spare.c.id)
    .values(s3_object_key=_there.c.own_key, missing_since=None)
    .returning(col(C.id))
    .cte("mended")
)
_stale = stale_lists(select(_mended.c.id))
_all = union(select(_made.c.id), select(_there.c.id)).subquery("of_upload")
_ours = (
    insert(SavegameManifestContent)
    .from_select(["user_id", "manifest_id", "content_id"], select(user(), _MANIFEST, _all.c.id))
    .on_conflict_do_nothing()
    .cte("ours")
)


def _is_unpacked(encoding: Any, raw: Any, raw_size: Any, sha256: Any) -> Any:
    """The condition that nothing has to be unpacked, or that the made content was verified with the same result."""
    return or_(
        raw.is_(None),
        and_(encoding == literal_column("'identity'"), raw == sha256),
        and_(
            raw == _made.c.raw_sha256,
            encoding == _made.c.raw_encoding,
            or_(raw_size.is_(None), raw_size == _made.c.raw_size_bytes),
        ),
    )


# Other open uploads that wait for one of the contents join it, as they would if they were requested now.
_singles = (
    update(SavegameUpload)
    .where(
        col(U.user_id) == user(),
        IS_OPEN,
        col(U.expires_at) > NOW,
        col(U.content_id).is_(None),
        col(U.file_count).is_(None),
        col(U.file_hash_sha256) == _made.c.file_hash_sha256,
        col(U.file_size_bytes) == _made.c.file_size_bytes,
        _is_unpacked(col(U.content_encoding), col(U.raw_sha256), col(U.raw_size_bytes), col(U.file_hash_sha256)),
    )
    .values(content_id=_made.c.id)
    .cte("singles")
)
_taken = delete(SavegameUploadFile).where(col(_F.user_id) == user(), col(_F.upload_id) == UPLOAD).cte("taken")
_live_count = (
    select(func.count()).select_from(_made).scalar_subquery()
    + select(func.count()).select_from(_there).where(~_there.c.is_missing).scalar_subquery()
    + select(func.count()).select_from(_mended).scalar_subquery()
)
_GO_LIVE = Statement(
    select(
        cast(func.coalesce(func.sum(_made.c.file_size_bytes), 0), BigInteger).label("new_bytes"),
        _live_count.label("live_count"),
    ).add_cte(_ours, _singles, _taken, _stale, *joined_by_sets(_made, _is_unpacked))
)

_moved = update(SavegameSlot).where(col(S.user_id) == user(), col(S.id) == SLOT).values(head_version=VERSION)
_has = insert(SavegameDevice).values(user_id=user(), slot_id=SLOT, device_id=_DEVICE, version=VERSION, synced_at=NOW)
_has = _has.on_conflict_do_update(
    index_elements=["user_id", "slot_id", "device_id"], set_={"version": VERSION, "synced_at": NOW}
)
_of_slot = and_(col(_D.user_id) == user(), col(_D.slot_id) == SLOT)
# Of the other devices, since the statement does not see the row that it adds itself.
_oldest = (
    select(col(_D.device_id))
    .where(_of_slot, col(_D.device_id) != _DEVICE)
    .order_by(col(_D.synced_at).desc(), col(_D.device_id))
    .offset(literal_column(str(MAX_DEVICES - 1)))
)
_forgotten = delete(SavegameDevice).where(_of_slot, col(_D.device_id).in_(_oldest))
_closed = (
    update(SavegameUpload)
    .where(col(U.user_id) == user(), col(U.id) == UPLOAD)
    .values(
        outcome=cast(bindparam("new_outcome", type_=Text), JSONB),
        content_id=None,
        manifest_id=None,
        expires_at=bindparam("new_expires_at", type_=TIME),
    )
)
_committed = committed_by(_DEVICE)
_ADD_HEAD = Statement(
    new_version.add_cte(
        new_list.cte("new_list"),
        _moved.cte("moved"),
        _has.cte("has"),
        _forgotten.cte("forgotten"),
        _closed.cte("closed"),
        _committed.cte("committed"),
    )
)
_COMMITTED = Statement(_committed)
_lost = rows(
    "lost",
    sha256=("hashes", LargeBinary),
    size_bytes=("sizes", BigInteger),
    content_encoding=("encodings", String),
    raw_sha256=("raw_hashes", LargeBinary),
    raw_size_bytes=("raw_sizes", BigInteger),
)
_unseen = update(SavegameUpload).where(col(U.user_id) == user(), col(U.id) == UPLOAD).values(arrived_through=None)
_AWAIT = Statement(
    insert(SavegameUploadFile)
    .from_select(
        ["user_id", "upload_id", *(column.key for column in _lost.c)],
        select(user(), UPLOAD, *_lost.c),
        include_defaults=False,
    )
    .on_conflict_do_nothing()
    .add_cte(_unseen.cte("unseen"))
)


class SetCommitStore:
    """Statements of the commit of an upload of a set. Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def read_state(self, user_id: UUID, upload_id: UUID) -> tuple[Upload, SetCommitState] | None:
        """Returns an upload and what its commit stands on; None where there is no such upload."""
        row = await _STATE.first(self._connection, user_id=user_id, upload_id=upload_id)
        return (_UPLOAD.read(row), _SET_COMMIT_STATE.read(row, equal=read_equal(row))) if row else None

    async def awaited_files(self, user_id: UUID, upload_id: UUID, manifest_id: UUID) -> list[AwaitedFile]:
        """Returns the contents that an upload awaits, and those of its list that are there."""
        found = await _AWAITED.all(self._connection, user_id=user_id, upload_id=upload_id, manifest_id=manifest_id)
        return _AWAITED_FILE.read_all(found)

    async def await_files(self, user_id: UUID, upload_id: UUID, lost: FileList) -> None:
        """Has an upload await contents that were lost since it was requested, and what has arrived looked up again."""
        await _AWAIT.run(
            self._connection,
            user_id=user_id,
            upload_id=upload_id,
            hashes=[file.sha256 for file in lost],
            sizes=[file.size for file in lost],
            encodings=[file.content_encoding if file.raw_sha256 else None for file in lost],
            raw_hashes=[file.raw_sha256 for file in lost],
            raw_sizes=[file.raw_size for file in lost],
        )

    async def remove_from_lists(self, user_id: UUID, content_id: UUID) -> None:
        """Removes a content that is lost from all lists. Open uploads that list it have to send it again."""
        await _UNLIST.run(self._connection, user_id=user_id, content_id=content_id)

    async def go_live(self, user_id: UUID, upload_id: UUID, manifest_id: UUID, now: datetime) -> tuple[int, int]:
        """Makes the verified contents of an upload live, for its list and for other uploads that await them. Returns
        the bytes that the user did not have before, and the number of contents, which is lower than that of the
        verified ones if some were dropped at this moment, since they were verified long ago.
        """
        row = await _GO_LIVE.first(
            self._connection, user_id=user_id, upload_id=upload_id, manifest_id=manifest_id, now=now
        )
        assert row is not None
        return row["new_bytes"], row["live_count"]

    async def add_head(self, user_id: UUID, **values: Any) -> None:
        """Adds the version of an upload as the new head, which its device has, and closes the upload."""
        await _ADD_HEAD.run(self._connection, user_id=user_id, **values)

    async def note_commit(self, user_id: UUID, product_id: UUID, slot_id: UUID, device_id: str, now: datetime) -> None:
        """Notes that a device has committed to a save, so that it is not pending any more."""
        about = {"user_id": user_id, "product_id": product_id, "slot_id": slot_id}
        await _COMMITTED.run(self._connection, **about, device_id=device_id, now=now)
