"""Contents: the objects of the store, with their state and the time of their deletion."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, array, rows, user
from gameshelf.savegames._models import ContentKind, ContentState, SavegameContent, SavegameUpload
from gameshelf.savegames._store.expressions import (
    HASH,
    IS_LIVE,
    IS_LIVE_BY_ID,
    IS_OPEN,
    IS_SINGLE,
    NOW,
    UPLOAD,
    C,
    H,
    M,
    U,
)
from gameshelf.savegames._store.joining import joined_by_sets
from sqlalchemy import (
    BigInteger,
    Integer,
    LargeBinary,
    String,
    Uuid,
    and_,
    any_,
    bindparam,
    delete,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_ID = bindparam("content_id", type_=Uuid)
_DELETE_AFTER = bindparam("delete_after", type_=TIME)
_LIMIT = bindparam("limit", type_=Integer)
_OF_ID = (col(C.user_id) == user(), col(C.id) == _ID)


@dataclass(frozen=True, slots=True)
class LiveContent:
    """A live content."""

    id: UUID
    key: str
    is_missing: bool
    """Whether its object was found missing in the store."""


@dataclass(frozen=True, slots=True)
class ContentToDelete:
    """A content whose object is due for deletion."""

    user_id: UUID
    content_id: UUID
    key: str


_BEGIN = Statement(
    insert(SavegameContent).values(
        user_id=user(),
        id=_ID,
        s3_object_key=bindparam("key", type_=String),
        file_size_bytes=bindparam("size", type_=BigInteger),
        file_hash_sha256=HASH,
        state=literal(ContentState.PENDING.value),
        created_at=NOW,
        delete_after=_DELETE_AFTER,
    )
)
_DELETE_PENDING = Statement(delete(SavegameContent).where(*_OF_ID, col(C.state) == ContentState.PENDING.value))
_LIVE = Statement(
    select(col(C.id), col(C.s3_object_key).label("key"), col(C.missing_since).is_not(None).label("is_missing")).where(
        col(C.user_id) == user(), col(C.file_hash_sha256) == HASH, IS_LIVE
    )
)
_LIVE_CONTENT = RowReader(LiveContent, _LIVE)
# A content that was dropped, since its confirmation took too long, is never adopted.
_adopted = (
    update(SavegameContent)
    .where(*_OF_ID, col(C.state) == ContentState.PENDING.value)
    .values(state=literal(ContentState.LIVE.value), delete_after=None)
    .returning(col(C.id), col(C.file_hash_sha256), col(C.file_size_bytes))
    .cte("adopted")
)


def _is_unpacked(encoding: Any, raw: Any, raw_size: Any, sha256: Any) -> Any:
    """The condition that nothing has to be unpacked, or that it was verified just now with the same result."""
    return or_(
        raw.is_(None),
        and_(encoding == literal_column("'identity'"), raw == sha256),
        and_(
            raw == bindparam("raw_sha256", type_=LargeBinary),
            encoding == bindparam("content_encoding", type_=String),
            or_(raw_size.is_(None), raw_size == bindparam("raw_size", type_=BigInteger)),
        ),
    )


# Other open uploads of the same bytes join the content: otherwise each could create an object of its own for bytes that
# were counted once. Uploads with a hash of unpacked bytes that was not verified just now still have to send them.
_joined = (
    update(SavegameUpload)
    .where(
        col(U.user_id) == user(),
        IS_OPEN,
        IS_SINGLE,
        col(U.expires_at) > NOW,
        col(U.content_id).is_(None),
        col(U.id) != UPLOAD,
        col(U.file_hash_sha256) == _adopted.c.file_hash_sha256,
        col(U.file_size_bytes) == _adopted.c.file_size_bytes,
        _is_unpacked(col(U.content_encoding), col(U.raw_sha256), col(U.raw_size_bytes), col(U.file_hash_sha256)),
    )
    .values(content_id=_adopted.c.id)
    .cte("joined")
)
_ADOPT = Statement(select(_adopted.c.id).add_cte(_joined, *joined_by_sets(_adopted, _is_unpacked)))
_KEY = bindparam("new_key", type_=String)
_SUPERSEDE = Statement(
    update(SavegameContent)
    .where(*_OF_ID, col(C.state) == ContentState.PENDING.value)
    .values(state=literal(ContentState.DROPPED.value), delete_after=NOW, s3_object_key=_KEY)
)


def stale_lists(mended: Any) -> Any:
    """The change that has the lists of these contents written again, since their objects name the old keys."""
    held = (
        select(col(M.content_id))
        .join(H, and_(col(H.user_id) == col(M.user_id), col(H.manifest_id) == col(M.manifest_id)))
        .where(col(M.user_id) == user(), col(H.user_id) == user(), col(H.content_id).in_(mended))
    )
    is_list = col(C.kind) == literal_column(f"'{ContentKind.LIST.value}'")
    return (
        update(SavegameContent)
        .where(col(C.user_id) == user(), is_list, IS_LIVE_BY_ID, col(C.id).in_(held))
        .values(is_written=False, list_revision=col(C.list_revision) + literal_column("1"))
        .cte("stale_lists")
    )


_MEND = Statement(
    update(SavegameContent)
    .where(*_OF_ID, IS_LIVE_BY_ID)
    .values(s3_object_key=_KEY, missing_since=None)
    .add_cte(stale_lists([_ID]))
)
_ABANDON = Statement(
    update(SavegameContent)
    .where(*_OF_ID, col(C.state) == ContentState.PENDING.value)
    .values(state=literal(ContentState.DROPPED.value), delete_after=NOW)
)
_is_kept = select(literal(1)).where(col(M.user_id) == col(C.user_id), col(M.content_id) == col(C.id)).exists()
_is_joined = select(literal(1)).where(col(U.user_id) == col(C.user_id), col(U.content_id) == col(C.id)).exists()
_is_listed = select(literal(1)).where(col(H.user_id) == col(C.user_id), col(H.content_id) == col(C.id)).exists()
_DROP = Statement(
    update(SavegameContent)
    .where(
        col(C.user_id) == user(),
        col(C.id) == any_(array("content_ids", Uuid)),
        IS_LIVE_BY_ID,
        ~_is_kept,
        ~_is_joined,
        ~_is_listed,
    )
    .values(state=literal(ContentState.DROPPED.value), delete_after=_DELETE_AFTER)
)
# Without locks, which rows of several shards can't have: what is dropped stays dropped.
_DUE = Statement(
    select(
        col(C.user_id),
        col(C.id).label("content_id"),
        col(C.s3_object_key).label("key"),
        (col(C.state) == ContentState.PENDING.value).label("is_pending"),
    )
    .where(col(C.delete_after) <= NOW)
    .order_by(col(C.delete_after))
    .limit(_LIMIT)
)
_CONTENT_TO_DELETE = RowReader(ContentToDelete, _DUE, others=("is_pending",))
_abandoned = (
    select(col(C.id))
    .where(
        col(C.user_id) == user(),
        col(C.id) == any_(array("content_ids", Uuid)),
        col(C.state) == ContentState.PENDING.value,
        col(C.delete_after) <= NOW,
    )
    # A confirmation in progress holds the row, and then keeps its content.
    .with_for_update(skip_locked=True)
    .cte("abandoned")
)
# After this no confirmation can adopt them.
_GIVE_UP = Statement(
    update(SavegameContent)
    .where(col(C.user_id) == user(), col(C.id) == _abandoned.c.id)
    .values(state=literal(ContentState.DROPPED.value))
    .returning(col(C.id))
)
_marked = rows("marked", user_id=("user_ids", Uuid), id=("content_ids", Uuid))
_REMOVE_DELETED = Statement(
    delete(SavegameContent).where(
        tuple_(col(C.user_id), col(C.id)).in_(select(_marked.c.user_id, _marked.c.id)),
        col(C.state) == ContentState.DROPPED.value,
    )
)


class ContentStore:
    """A user's contents. Each method is one statement, but for ``mark_for_deletion``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add_pending(
        self, user_id: UUID, content_id: UUID, key: str, size: int, content: bytes, **times: datetime
    ) -> None:
        """Stores that an object is about to be created. After ``delete_after`` its confirmation counts as abandoned."""
        await _BEGIN.run(
            self._connection, user_id=user_id, content_id=content_id, key=key, size=size, content=content, **times
        )

    async def delete_pending(self, user_id: UUID, content_id: UUID) -> None:
        """Deletes the row of an object that was not created."""
        await _DELETE_PENDING.run(self._connection, user_id=user_id, content_id=content_id)

    async def find_live(self, user_id: UUID, content: bytes) -> LiveContent | None:
        """Returns the live content with these bytes, if there is one."""
        row = await _LIVE.first(self._connection, user_id=user_id, content=content)
        return _LIVE_CONTENT.read_optional(row)

    async def make_live(
        self,
        user_id: UUID,
        content_id: UUID,
        upload_id: UUID,
        raw_sha256: bytes | None,
        content_encoding: str | None,
        raw_size: int | None,
        now: datetime,
    ) -> bool:
        """Makes the pending content of an upload live; False when it was dropped before. Other open uploads of the same
        bytes join it, unless they have another hash or size of the unpacked bytes than the
        verified ones.
        """
        row = await _ADOPT.first(
            self._connection,
            user_id=user_id,
            content_id=content_id,
            upload_id=upload_id,
            raw_sha256=raw_sha256,
            content_encoding=content_encoding,
            raw_size=raw_size,
            now=now,
        )
        return row is not None

    async def supersede(self, user_id: UUID, content_id: UUID, missing: LiveContent, now: datetime) -> bool:
        """Drops a pending content and gives it the key of a missing object, since its own object replaces that one.
        False when it was dropped before.
        """
        changed = await _SUPERSEDE.run(
            self._connection, user_id=user_id, content_id=content_id, new_key=missing.key, now=now
        )
        return changed == 1

    async def set_key(self, user_id: UUID, content_id: UUID, key: str) -> None:
        """Sets the new key of a content whose object was missing."""
        await _MEND.run(self._connection, user_id=user_id, content_id=content_id, new_key=key)

    async def drop_pending(self, user_id: UUID, content_id: UUID, now: datetime) -> None:
        """Drops a pending content that is not needed; its object is due for deletion at once."""
        await _ABANDON.run(self._connection, user_id=user_id, content_id=content_id, now=now)

    async def drop_unheld(self, user_id: UUID, content_ids: Collection[UUID], delete_after: datetime) -> None:
        """Drops the contents that nothing holds any more. Their objects are due for deletion at ``delete_after``."""
        if content_ids:
            await _DROP.run(self._connection, user_id=user_id, content_ids=list(content_ids), delete_after=delete_after)

    async def mark_for_deletion(self, now: datetime, limit: int) -> list[ContentToDelete]:
        """Marks ``limit`` contents that are due, the longest due first, so that nothing can hold them, and returns
        them. Needs no lock; pending ones that another transaction holds at this moment are left out.

        It is one statement, and another one for each user who has abandoned a confirmation.
        """
        due = await _DUE.all(self._connection, now=now, limit=limit)
        pending: dict[UUID, list[UUID]] = {}
        for row in due:
            if row["is_pending"]:
                pending.setdefault(row["user_id"], []).append(row["content_id"])
        given_up = {
            row["id"]
            for user_id, ids in pending.items()
            for row in await _GIVE_UP.all(self._connection, user_id=user_id, content_ids=ids, now=now)
        }
        marked = [row for row in due if not row["is_pending"] or row["content_id"] in given_up]
        return _CONTENT_TO_DELETE.read_all(marked)

    async def remove_deleted(self, marked: Sequence[ContentToDelete]) -> None:
        """Deletes the rows of contents whose objects were deleted. Needs no lock."""
        await _REMOVE_DELETED.run(
            self._connection,
            user_ids=[one.user_id for one in marked],
            content_ids=[one.content_id for one in marked],
        )
