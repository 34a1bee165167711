"""Comparison of the object store with the database, in both directions, page by page."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, array, rows, user
from gameshelf.savegames._models import ContentKind, SavegameContent, SavegameScan
from gameshelf.savegames._set_models import SavegameManifestContent
from gameshelf.savegames._store.expressions import IS_LIVE, IS_LIVE_BY_ID, IS_OPEN, NOW, C, M, U
from sqlalchemy import (
    Integer,
    LargeBinary,
    String,
    Uuid,
    and_,
    any_,
    bindparam,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
    union,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_N, _H = SavegameScan, SavegameManifestContent
_NAME = bindparam("name", type_=String)
_LIMIT = bindparam("limit", type_=Integer)
_BEFORE = bindparam("before", type_=TIME)


@dataclass(frozen=True, slots=True)
class Scan:
    """The progress of a comparison. ``finished_at`` is None while it is in progress."""

    cursor: str
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class ExpectedContent:
    """A content that must have an object in the store."""

    user_id: UUID
    content_id: UUID
    key: str
    missing_since: datetime | None


@dataclass(frozen=True, slots=True)
class HeldContent:
    """A live content of a user."""

    sha256: bytes
    content_id: UUID
    key: str
    is_missing: bool
    """Whether its object was found missing in the store."""


_FIND = Statement(select(col(_N.cursor), col(_N.started_at), col(_N.finished_at)).where(col(_N.name) == _NAME))
_SCAN = RowReader(Scan, _FIND)
_new = insert(SavegameScan).values(name=_NAME, cursor="", started_at=NOW)
_START = Statement(
    _new.on_conflict_do_update(index_elements=["name"], set_={"cursor": "", "started_at": NOW, "finished_at": None})
)
# Only from the cursor that the caller has seen: of two instances that compared the same page, one moves it.
_MOVE = Statement(
    update(SavegameScan)
    .where(col(_N.name) == _NAME, col(_N.cursor) == bindparam("seen", type_=String), col(_N.finished_at).is_(None))
    .values(cursor=bindparam("new_cursor", type_=String), finished_at=bindparam("new_finished_at", type_=TIME))
)
_KNOWN = Statement(select(col(C.s3_object_key)).where(col(C.s3_object_key) == any_(array("keys", String))))
_through = bindparam("through", type_=String)
_content_columns: tuple[Any, ...] = (
    col(C.user_id),
    col(C.id).label("content_id"),
    col(C.s3_object_key).label("key"),
    col(C.missing_since),
)
_EXPECTED = Statement(
    select(*_content_columns)
    .where(
        col(C.s3_object_key) > bindparam("after", type_=String),
        or_(_through.is_(None), col(C.s3_object_key) <= _through),
        IS_LIVE_BY_ID,
        col(C.is_written),
        col(C.created_at) < _BEFORE,
    )
    .order_by(col(C.s3_object_key))
    .limit(_LIMIT)
)
_of = rows("of", user_id=("user_ids", Uuid), content=("contents", LargeBinary))
_HELD = Statement(
    select(*_content_columns).where(
        tuple_(col(C.user_id), col(C.file_hash_sha256)).in_(select(_of.c.user_id, _of.c.content)), IS_LIVE
    )
)
_EXPECTED_CONTENT = RowReader(ExpectedContent, _EXPECTED, _HELD)
_OF_USER = Statement(
    select(
        col(C.file_hash_sha256).label("sha256"),
        col(C.id).label("content_id"),
        col(C.s3_object_key).label("key"),
        col(C.missing_since).is_not(None).label("is_missing"),
    ).where(col(C.user_id) == user(), col(C.file_hash_sha256) == any_(array("hashes", LargeBinary)), IS_LIVE)
)
_HELD_CONTENT = RowReader(HeldContent, _OF_USER)
_named = rows("named", user_id=("user_ids", Uuid), id=("content_ids", Uuid))
# With the key, since the content may have another object by now.
_is_named = and_(
    tuple_(col(C.user_id), col(C.id)).in_(select(_named.c.user_id, _named.c.id)),
    col(C.s3_object_key) == any_(array("keys", String)),
)
_MISS = Statement(
    update(SavegameContent).where(_is_named).values(missing_since=func.coalesce(col(C.missing_since), NOW))
)
_BACK = Statement(update(SavegameContent).where(_is_named).values(missing_since=None))
_LOST = Statement(select(col(C.user_id), col(C.id)).where(col(C.missing_since) <= _BEFORE, IS_LIVE_BY_ID).limit(_LIMIT))
_IS_LOST = Statement(
    select(literal(1)).where(
        col(C.user_id) == user(),
        col(C.id) == bindparam("content_id", type_=Uuid),
        IS_LIVE_BY_ID,
        col(C.missing_since) <= _BEFORE,
    )
)
_CONTENT_ID = bindparam("content_id", type_=Uuid)
_HOLDERS = Statement(
    union(
        select(col(M.slot_id), col(M.version)).where(col(M.user_id) == user(), col(M.content_id) == _CONTENT_ID),
        select(col(M.slot_id), col(M.version))
        .join(_H, and_(col(_H.user_id) == col(M.user_id), col(_H.manifest_id) == col(M.manifest_id)))
        .where(col(_H.user_id) == user(), col(_H.content_id) == _CONTENT_ID, col(M.content_id).is_not(None)),
    )
)
# The database has the list, so a job writes the object again.
_WRITE_AGAIN = Statement(
    update(SavegameContent)
    .where(
        col(C.user_id) == user(),
        col(C.id) == _CONTENT_ID,
        col(C.kind) == literal(ContentKind.LIST.value),
        IS_LIVE_BY_ID,
    )
    .values(is_written=literal(False), missing_since=None, list_revision=col(C.list_revision) + literal_column("1"))
)
_OPEN = Statement(select(col(U.id)).where(col(U.id) == any_(array("upload_ids", Uuid)), IS_OPEN))
_COUNT_OPEN = Statement(select(func.count().label("count")).select_from(U).where(IS_OPEN))


class ScanStore:
    """Statements of the comparison. Each method is one statement and needs no lock."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find_scan(self, name: str) -> Scan | None:
        row = await _FIND.first(self._connection, name=name)
        return _SCAN.read_optional(row)

    async def start_scan(self, name: str, now: datetime) -> None:
        await _START.run(self._connection, name=name, now=now)

    async def move_scan(self, name: str, seen: str, cursor: str, finished_at: datetime | None) -> None:
        """Moves the cursor from ``seen`` to ``cursor``, unless another instance has moved it."""
        await _MOVE.run(self._connection, name=name, seen=seen, new_cursor=cursor, new_finished_at=finished_at)

    async def known_keys(self, keys: Collection[str]) -> set[str]:
        """Returns the keys of these that the database knows, in any state."""
        return {row["s3_object_key"] for row in await _KNOWN.all(self._connection, keys=list(keys))}

    async def expected_contents(
        self, after: str, through: str | None, before: datetime, limit: int
    ) -> list[ExpectedContent]:
        """Returns contents created before a time, with keys after ``after`` and up to ``through``, sorted by key. Lists
        that have no object yet are not among them.
        """
        found = await _EXPECTED.all(self._connection, after=after, through=through, before=before, limit=limit)
        return _EXPECTED_CONTENT.read_all(found)

    async def live_contents(self, of: Collection[tuple[UUID, bytes]]) -> list[ExpectedContent]:
        """Returns the live contents of these users with these hashes."""
        found = await _HELD.all(
            self._connection, user_ids=[user_id for user_id, _ in of], contents=[content for _, content in of]
        )
        return _EXPECTED_CONTENT.read_all(found)

    async def held_contents(self, user_id: UUID, hashes: Collection[bytes]) -> list[HeldContent]:
        """Returns the live contents of a user with these hashes."""
        return _HELD_CONTENT.read_all(await _OF_USER.all(self._connection, user_id=user_id, hashes=list(hashes)))

    async def mark_missing(self, contents: Collection[ExpectedContent], now: datetime) -> None:
        """Marks the contents as missing in the store."""
        await _MISS.run(self._connection, **_names(contents), now=now)

    async def clear_missing(self, contents: Collection[ExpectedContent]) -> None:
        """Clears the mark of contents whose objects exist."""
        await _BACK.run(self._connection, **_names(contents))

    async def lost_contents(self, before: datetime, limit: int) -> list[tuple[UUID, UUID]]:
        """Returns contents that have been missing since before a time, as pairs of user and content."""
        found = await _LOST.all(self._connection, before=before, limit=limit)
        return [(row["user_id"], row["id"]) for row in found]

    async def is_lost(self, user_id: UUID, content_id: UUID, before: datetime) -> bool:
        """Whether a content has been missing since before a time, and was not uploaded again."""
        return await _IS_LOST.first(self._connection, user_id=user_id, content_id=content_id, before=before) is not None

    async def write_list_again(self, user_id: UUID, content_id: UUID) -> bool:
        """Has the object of a content written again if it is a list; False: it is not."""
        return await _WRITE_AGAIN.run(self._connection, user_id=user_id, content_id=content_id) == 1

    async def holding_versions(self, user_id: UUID, content_id: UUID) -> list[tuple[UUID, int]]:
        """Returns the versions that hold a content, themselves or by their lists, as pairs of slot and number."""
        found = await _HOLDERS.all(self._connection, user_id=user_id, content_id=content_id)
        return [(row["slot_id"], row["version"]) for row in found]

    async def open_uploads(self, upload_ids: Collection[UUID]) -> set[UUID]:
        """Returns the uploads of these that are open."""
        return {row["id"] for row in await _OPEN.all(self._connection, upload_ids=list(upload_ids))}

    async def count_open_uploads(self) -> int:
        """Returns how many uploads are open."""
        row = await _COUNT_OPEN.first(self._connection)
        assert row is not None
        count: int = row["count"]
        return count


def _names(contents: Collection[ExpectedContent]) -> dict[str, Any]:
    return {
        "user_ids": [one.user_id for one in contents],
        "content_ids": [one.content_id for one in contents],
        "keys": [one.key for one in contents],
    }
