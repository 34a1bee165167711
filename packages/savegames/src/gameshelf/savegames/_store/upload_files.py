"""Open uploads of sets: the contents that each of them has yet to bring, or to have verified."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, array, rows, user
from gameshelf.savegames._models import ContentState, SavegameContent, SavegameUpload
from gameshelf.savegames._set_models import SavegameManifestContent, SavegameUploadFile
from gameshelf.savegames._store.expressions import (
    IS_LIVE,
    IS_OPEN,
    MANIFEST,
    NOW,
    UPLOAD,
    C,
    F,
    L,
    U,
    live_content,
    verified_content,
)
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Integer,
    LargeBinary,
    String,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_ONE: Any = literal_column("1")
_PENDING: Any = literal_column(f"'{ContentState.PENDING.value}'")
_DROPPED: Any = literal_column(f"'{ContentState.DROPPED.value}'")
_UNTIL = bindparam("delete_after", type_=TIME)


@dataclass(frozen=True, slots=True)
class UnverifiedFile:
    """A content of an open upload that is not verified."""

    sha256: bytes
    size: int
    part_sha256: bytes | None
    multipart_id: str | None
    problem: str | None
    is_there: bool
    """Whether the user has the content, so that no bytes have to be sent: only the unpacked ones are verified."""


@dataclass(frozen=True, slots=True)
class FileToVerify:
    """A content of an open upload whose bytes, or unpacked bytes, have to be verified."""

    sha256: bytes
    size: int
    content_encoding: str | None
    raw_sha256: bytes | None
    raw_size: int | None
    multipart_id: str | None
    live_id: UUID | None
    """The user's content with these bytes, of which only the unpacked ones are not known."""
    live_key: str | None


@dataclass(frozen=True, slots=True)
class NotedFile:
    """What a verification has found out about a content."""

    sha256: bytes
    content_id: UUID
    is_own: bool
    """Whether the content was made for this upload; otherwise it was there."""
    problem: str | None
    raw_sha256: bytes | None = None
    raw_encoding: str | None = None
    raw_size: int | None = None


@dataclass(frozen=True, slots=True)
class NewContent:
    """A content whose object is about to be created."""

    content_id: UUID
    key: str
    sha256: bytes
    size: int


_of_upload = (col(F.user_id) == user(), col(F.upload_id) == UPLOAD)
_is_verified = verified_content().scalar_subquery().is_not(None)
_unverified = select(F).where(*_of_upload, ~_is_verified).cte("unverified")


def _content_of(files: Any) -> Any:
    """A lateral select of the user's content with the bytes of a file, where the store has it."""
    has_object = (col(C.file_size_bytes) == files.c.size_bytes, col(C.missing_since).is_(None))
    return live_content(files.c.sha256, "live", *has_object)


_there = _content_of(_unverified)
_UNVERIFIED = Statement(
    select(
        _unverified.c.sha256,
        _unverified.c.size_bytes.label("size"),
        _unverified.c.part_sha256,
        _unverified.c.multipart_id,
        _unverified.c.problem,
        _there.c.id.is_not(None).label("is_there"),
    )
    .select_from(_unverified.outerjoin(_there, true()))
    .order_by(_unverified.c.sha256)
)
_UNVERIFIED_FILE = RowReader(UnverifiedFile, _UNVERIFIED)
_COUNT = Statement(
    select(
        select(func.count()).select_from(_unverified).scalar_subquery().label("unverified"),
        select(col(L.content_count))
        .join(U, and_(col(U.user_id) == col(L.user_id), col(U.manifest_id) == col(L.id)))
        .where(col(U.user_id) == user(), col(U.id) == UPLOAD)
        .scalar_subquery()
        .label("total"),
    )
)


@dataclass(frozen=True, slots=True)
class FileCounts:
    """The contents of an open upload of a set."""

    unverified: int
    total: int


_FILE_COUNTS = RowReader(FileCounts, _COUNT)
# Those up to ``after`` were handed out before. What other uploads make live meanwhile joins by itself. Cut here: a
# batch does not read all the files that follow.
_following = (
    select(F)
    .where(*_of_upload, col(F.sha256) > bindparam("after_sha256", type_=LargeBinary), ~_is_verified)
    .order_by(col(F.sha256))
    .limit(bindparam("limit", type_=Integer))
    .cte("following")
)
_live = _content_of(_following)
_is_raw_known = or_(
    _following.c.raw_sha256.is_(None),
    and_(
        _following.c.content_encoding == literal_column("'identity'"),
        _following.c.raw_sha256 == _following.c.sha256,
    ),
    and_(
        _live.c.raw_sha256 == _following.c.raw_sha256,
        _live.c.raw_encoding == _following.c.content_encoding,
        or_(_following.c.raw_size_bytes.is_(None), _live.c.raw_size_bytes == _following.c.raw_size_bytes),
    ),
)
_ready = (
    select(_following.c.sha256, _live.c.id.label("content_id"))
    .select_from(_following.join(_live, true()))
    .where(_is_raw_known)
    .cte("ready")
)
_joined = (
    insert(SavegameManifestContent)
    .from_select(
        ["user_id", "manifest_id", "content_id"],
        select(user(), MANIFEST, _ready.c.content_id),
        include_defaults=False,
    )
    .on_conflict_do_nothing()
    .cte("joined")
)
# As an array, by which the few rows are found.
_ready_hashes = func.array(select(_ready.c.sha256).scalar_subquery(), type_=ARRAY(LargeBinary))
_done = delete(SavegameUploadFile).where(*_of_upload, col(F.sha256) == any_(_ready_hashes)).cte("done")
_NEXT = Statement(
    select(
        _following.c.sha256,
        _following.c.size_bytes.label("size"),
        _following.c.content_encoding,
        _following.c.raw_sha256,
        _following.c.raw_size_bytes.label("raw_size"),
        _following.c.multipart_id,
        _live.c.id.label("live_id"),
        _live.c.s3_object_key.label("live_key"),
        _following.c.sha256.in_(select(_ready.c.sha256)).label("is_ready"),
    )
    .select_from(_following.outerjoin(_live, true()))
    .order_by(_following.c.sha256)
    .add_cte(_joined, _done)
)
_FILE_TO_VERIFY = RowReader(FileToVerify, _NEXT, others=("is_ready",))
_begun = rows(
    "begun",
    id=("content_ids", Uuid),
    key=("keys", String),
    size=("sizes", BigInteger),
    sha256=("hashes", LargeBinary),
)
_BEGIN = Statement(
    insert(SavegameContent).from_select(
        [
            "user_id",
            "id",
            "s3_object_key",
            "file_size_bytes",
            "file_hash_sha256",
            "state",
            "created_at",
            "delete_after",
        ],
        select(user(), _begun.c.id, _begun.c.key, _begun.c.size, _begun.c.sha256, _PENDING, NOW, _UNTIL),
        include_defaults=False,
    )
)
_results = rows(
    "results",
    sha256=("hashes", LargeBinary),
    content_id=("content_ids", Uuid),
    is_own=("are_own", Boolean),
    problem=("problems", String),
    raw_sha256=("raw_hashes", LargeBinary),
    raw_encoding=("raw_encodings", String),
    raw_size=("raw_sizes", BigInteger),
)
# Two commits of one upload may verify the same content: the first one stays, and the other one's object is dropped.
_before = (
    select(_ONE)
    .where(*_of_upload, col(F.sha256) == _results.c.sha256, _is_verified)
    .limit(_ONE)
    .correlate(_results)
    .scalar_subquery()
)
_compared = select(*_results.c, _before.is_not(None).label("is_late")).cte("compared")
_noted = select(
    *_compared.c,
    and_(_compared.c.is_own, or_(_compared.c.problem.is_not(None), _compared.c.is_late)).label("is_dropped"),
).cte("noted")
# The arrays stand beside the joins: by them a plan finds the few rows without reading all of the upload.
_noted_files = (
    update(SavegameUploadFile)
    .where(
        *_of_upload,
        col(F.sha256) == any_(array("hashes", LargeBinary)),
        col(F.sha256) == _noted.c.sha256,
        ~_noted.c.is_late,
        or_(_noted.c.is_own, _noted.c.problem.is_not(None)),
    )
    .values(content_id=case((_noted.c.problem.is_(None), _noted.c.content_id)), problem=_noted.c.problem)
    .cte("files")
)
# The content was there, and held by the list; now its unpacked bytes are known too.
_proved = select(_noted.c.sha256).where(~_noted.c.is_own, _noted.c.problem.is_(None))
_proved_files = (
    delete(SavegameUploadFile)
    .where(*_of_upload, col(F.sha256) == any_(array("hashes", LargeBinary)), col(F.sha256).in_(_proved))
    .cte("proved")
)
_has_problem = select(_ONE).select_from(_noted).where(_noted.c.problem.is_not(None)).exists()
_looked_at_again = (
    update(SavegameUpload)
    .where(col(U.user_id) == user(), col(U.id) == UPLOAD, _has_problem)
    .values(arrived_through=None)
    .cte("looked_at_again")
)
_NOTE = Statement(
    update(SavegameContent)
    .where(
        col(C.user_id) == user(),
        col(C.id) == any_(array("content_ids", Uuid)),
        col(C.id) == _noted.c.content_id,
        or_(col(C.state) == _PENDING, and_(IS_LIVE, ~_noted.c.is_dropped, _noted.c.problem.is_(None))),
    )
    .values(
        verified_at=case((_noted.c.is_dropped, col(C.verified_at)), else_=NOW),
        raw_sha256=func.coalesce(_noted.c.raw_sha256, col(C.raw_sha256)),
        raw_encoding=func.coalesce(_noted.c.raw_encoding, col(C.raw_encoding)),
        raw_size_bytes=func.coalesce(_noted.c.raw_size, col(C.raw_size_bytes)),
        state=case((_noted.c.is_dropped, _DROPPED), else_=col(C.state)),
        delete_after=case((_noted.c.is_dropped, NOW), (col(C.state) == _PENDING, _UNTIL), else_=col(C.delete_after)),
    )
    .add_cte(_noted_files, _proved_files, _looked_at_again)
)
_of_file = (*_of_upload, col(F.sha256) == bindparam("sha256", type_=LargeBinary))
_KEEP_MULTIPART = Statement(
    update(SavegameUploadFile)
    .where(*_of_file, col(F.multipart_id).is_not_distinct_from(bindparam("old_multipart_id", type_=String)))
    .values(multipart_id=bindparam("new_multipart_id", type_=String))
)
_FIND_MULTIPART = Statement(select(col(F.multipart_id)).where(*_of_file))
_ARRIVED = Statement(
    update(SavegameUpload)
    .where(col(U.user_id) == user(), col(U.id) == UPLOAD, IS_OPEN)
    .values(arrived_through=func.greatest(col(U.arrived_through), bindparam("new_arrived_through", type_=LargeBinary)))
)
_ended = delete(SavegameUploadFile).where(*_of_upload).returning(col(F.content_id)).cte("ended")
_END = Statement(
    update(SavegameContent)
    .where(
        col(C.user_id) == user(),
        col(C.id).in_(select(_ended.c.content_id).where(_ended.c.content_id.is_not(None))),
        col(C.state) == _PENDING,
    )
    .values(state=_DROPPED, delete_after=NOW)
)


class UploadFileStore:
    """The contents of a user's open uploads of sets. Each method is one statement, but for ``keep_multipart``, and for
    ``next_files`` where the user has many of the contents by now.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def unverified_files(self, user_id: UUID, upload_id: UUID) -> list[UnverifiedFile]:
        """Returns the contents of an upload that are not verified, in the order of their hashes. Needs no lock."""
        return _UNVERIFIED_FILE.read_all(await _UNVERIFIED.all(self._connection, user_id=user_id, upload_id=upload_id))

    async def count(self, user_id: UUID, upload_id: UUID) -> FileCounts:
        """Returns how many contents an open upload of a set has, and how many of them are not verified."""
        row = await _COUNT.first(self._connection, user_id=user_id, upload_id=upload_id)
        assert row is not None
        return _FILE_COUNTS.read(row)

    async def next_files(
        self, user_id: UUID, upload_id: UUID, manifest_id: UUID, after: bytes, limit: int
    ) -> list[FileToVerify]:
        """Returns the next contents to verify, those with hashes above ``after``. Those that the user has by now are
        held by the list, and need no verification.
        """
        while True:
            found = await _NEXT.all(
                self._connection,
                user_id=user_id,
                upload_id=upload_id,
                manifest_id=manifest_id,
                after_sha256=after,
                limit=limit,
            )
            files = [_FILE_TO_VERIFY.read(row) for row in found if not row["is_ready"]]
            if files or len(found) < limit:
                return files
            after = found[-1]["sha256"]

    async def begin_contents(
        self, user_id: UUID, contents: Sequence[NewContent], now: datetime, delete_after: datetime
    ) -> None:
        """Stores that objects are about to be created. After ``delete_after`` they count as abandoned."""
        await _BEGIN.run(
            self._connection,
            user_id=user_id,
            content_ids=[one.content_id for one in contents],
            keys=[one.key for one in contents],
            sizes=[one.size for one in contents],
            hashes=[one.sha256 for one in contents],
            now=now,
            delete_after=delete_after,
        )

    async def note(
        self, user_id: UUID, upload_id: UUID, noted: Sequence[NotedFile], now: datetime, delete_after: datetime
    ) -> None:
        """Stores what a verification has found out. Verified contents stay until ``delete_after``; the objects of the
        others are due for deletion at once.
        """
        await _NOTE.run(
            self._connection,
            user_id=user_id,
            upload_id=upload_id,
            hashes=[one.sha256 for one in noted],
            content_ids=[one.content_id for one in noted],
            are_own=[one.is_own for one in noted],
            problems=[one.problem for one in noted],
            raw_hashes=[one.raw_sha256 for one in noted],
            raw_encodings=[one.raw_encoding for one in noted],
            raw_sizes=[one.raw_size for one in noted],
            now=now,
            delete_after=delete_after,
        )

    async def keep_multipart(
        self, user_id: UUID, upload_id: UUID, sha256: bytes, old: str | None, new: str
    ) -> str | None:
        """Stores a new multipart upload of a content in place of ``old``, unless another one was stored since; returns
        the one that is stored, or None if the content is not awaited any more. Needs no lock.
        """
        about = {"user_id": user_id, "upload_id": upload_id, "sha256": sha256}
        if await _KEEP_MULTIPART.run(self._connection, **about, old_multipart_id=old, new_multipart_id=new):
            return new
        row = await _FIND_MULTIPART.first(self._connection, **about)
        return row["multipart_id"] if row else None

    async def set_arrived(self, user_id: UUID, upload_id: UUID, through: bytes) -> None:
        """Notes that every file up to this hash has arrived. Needs no lock."""
        await _ARRIVED.run(self._connection, user_id=user_id, upload_id=upload_id, new_arrived_through=through)

    async def end(self, user_id: UUID, upload_id: UUID, now: datetime) -> None:
        """Forgets the contents that an upload awaited. Those that were verified, and that became no part of a version,
        are due for deletion at once.
        """
        await _END.run(self._connection, user_id=user_id, upload_id=upload_id, now=now)
