"""Lists of sets that have to be written to the store, as objects beside the contents. Nothing here needs a lock."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import array, rows, user
from gameshelf.savegames._models import ContentKind, ContentState, SavegameContent
from gameshelf.savegames._set_models import SavegameManifest, SavegameManifestContent
from gameshelf.savegames._store.expressions import HASH, IS_LIVE_BY_ID, C, M, S
from sqlalchemy import (
    BigInteger,
    Integer,
    String,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    literal_column,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.orm import aliased
from sqlmodel import col

_H, _L = SavegameManifestContent, SavegameManifest
_ID = bindparam("content_id", type_=Uuid)
_is_list = col(C.kind) == literal_column(f"'{ContentKind.LIST.value}'")
_UNWRITTEN = Statement(
    select(col(C.user_id), col(C.id))
    .where(~col(C.is_written), IS_LIVE_BY_ID)
    .order_by(col(C.created_at))
    .limit(bindparam("limit", type_=Integer))
)
_OLDEST = Statement(
    select(col(C.created_at))
    .where(~col(C.is_written), IS_LIVE_BY_ID)
    .order_by(col(C.created_at))
    .limit(literal_column("1"))
)


@dataclass(frozen=True, slots=True)
class StoredList:
    """The version of a set whose list has to be written, and the list."""

    key: str
    """Of the object of the list."""
    product_id: UUID
    slot_name: str
    version: int
    parent_version: int
    merged_version: int | None
    client_modified_at: datetime | None
    device_id: str | None
    comment: str | None
    playtime_seconds: int | None
    game_version_id: str | None
    manifest_id: UUID
    file_count: int
    body: bytes
    revision: int
    """It grows when the object becomes outdated, as by another key of a content."""


_columns: tuple[Any, ...] = (
    col(C.s3_object_key).label("key"),
    col(S.product_id),
    col(S.slot_name),
    col(M.version),
    col(M.parent_version),
    col(M.merged_version),
    col(M.client_modified_at),
    col(M.device_id),
    col(M.comment),
    col(M.playtime_seconds),
    col(M.game_version_id),
    col(_L.id).label("manifest_id"),
    col(_L.file_count),
    col(_L.body),
    col(C.list_revision).label("revision"),
)
_FIND = Statement(
    select(*_columns)
    .select_from(C)
    .join(M, and_(col(M.user_id) == col(C.user_id), col(M.content_id) == col(C.id)))
    .join(S, and_(col(S.user_id) == col(M.user_id), col(S.id) == col(M.slot_id)))
    .join(_L, and_(col(_L.user_id) == col(M.user_id), col(_L.id) == col(M.manifest_id)))
    # IS NOT TRUE rather than NOT, which would match the index of the unwritten lists of all users.
    .where(col(C.user_id) == user(), col(C.id) == _ID, col(C.is_written).is_not(true()), IS_LIVE_BY_ID)
)
_STORED_LIST = RowReader(StoredList, _FIND)
_KEYS = Statement(
    select(col(C.file_hash_sha256).label("sha256"), col(C.s3_object_key).label("key"))
    .select_from(_H)
    .join(C, and_(col(C.user_id) == col(_H.user_id), col(C.id) == col(_H.content_id)))
    .where(col(_H.user_id) == user(), col(_H.manifest_id) == bindparam("manifest_id", type_=Uuid))
)
# A user who uploads the bytes of a list as a file has the one live content of that hash: the list keeps its own then.
_other = aliased(C)
_is_taken = (
    select(literal_column("1"))
    .where(
        col(_other.user_id) == user(),
        col(_other.file_hash_sha256) == HASH,
        col(_other.state) == literal_column(f"'{ContentState.LIVE.value}'"),
    )
    .exists()
)
_is_current = col(C.list_revision) == bindparam("revision", type_=Integer)
# An object of an older revision may have replaced a newer one, so the list is written once more, and an object that is
# being written at this moment does not count either.
_WRITTEN = Statement(
    update(SavegameContent)
    .where(
        col(C.user_id) == user(),
        col(C.id) == _ID,
        col(C.s3_object_key) == bindparam("key", type_=String),
        _is_list,
        IS_LIVE_BY_ID,
        or_(col(C.is_written).is_not(true()), ~_is_current),
    )
    .values(
        is_written=_is_current,
        list_revision=col(C.list_revision) + case((_is_current, literal_column("0")), else_=literal_column("1")),
        file_size_bytes=bindparam("size", type_=BigInteger),
        file_hash_sha256=case((_is_taken, col(C.file_hash_sha256)), else_=HASH),
    )
    .returning(col(C.is_written))
)
_named = rows("named", user_id=("user_ids", Uuid), id=("content_ids", Uuid))
_is_named = tuple_(col(C.user_id), col(C.id)).in_(select(_named.c.user_id, _named.c.id))
# The keys find the contents. The planner cannot turn IN ... IS TRUE into a join, so it reads what is named once into a
# hash; with statistics of few rows it would read that for each content.
_REWRITE = Statement(
    update(SavegameContent)
    .where(
        _is_named.is_(true()),
        col(C.s3_object_key) == any_(array("keys", String)),
        _is_list,
        IS_LIVE_BY_ID,
    )
    .values(is_written=False, missing_since=None, list_revision=col(C.list_revision) + literal_column("1"))
    .returning(col(C.user_id), col(C.id))
)


class ListObjectStore:
    """Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def unwritten(self, limit: int) -> list[tuple[UUID, UUID]]:
        """Returns user and content of lists that have no object yet, the oldest first."""
        return [(row["user_id"], row["id"]) for row in await _UNWRITTEN.all(self._connection, limit=limit)]

    async def oldest_unwritten(self) -> datetime | None:
        """Returns when the oldest list without an object was stored; None if all have one."""
        row = await _OLDEST.first(self._connection)
        return row["created_at"] if row else None

    async def find_list(self, user_id: UUID, content_id: UUID) -> StoredList | None:
        """Returns a list that has no object yet; None if it has one, or nothing needs it any more."""
        return _STORED_LIST.read_optional(await _FIND.first(self._connection, user_id=user_id, content_id=content_id))

    async def keys(self, user_id: UUID, manifest_id: UUID) -> dict[bytes, str]:
        """Returns the keys of a list's contents by the hashes of their bytes."""
        found = await _KEYS.all(self._connection, user_id=user_id, manifest_id=manifest_id)
        return {row["sha256"]: row["key"] for row in found}

    async def mark_written(
        self, user_id: UUID, content_id: UUID, key: str, revision: int, size: int, content: bytes
    ) -> bool:
        """Records the object of a list. False if it has been recorded, or nothing needs the list any more; also if the
        object was outdated before it was written, and then the list has to be written again.
        """
        row = await _WRITTEN.first(
            self._connection,
            user_id=user_id,
            content_id=content_id,
            key=key,
            revision=revision,
            size=size,
            content=content,
        )
        return row is not None and row["is_written"]

    async def write_again(self, named: Collection[tuple[UUID, UUID, str]]) -> set[tuple[UUID, UUID]]:
        """Has lists written again whose objects are lost; they are named by user, content and key. Returns user and
        content of those that are lists.
        """
        found = await _REWRITE.all(
            self._connection,
            user_ids=[user_id for user_id, _, _ in named],
            content_ids=[content_id for _, content_id, _ in named],
            keys=[key for *_, key in named],
        )
        return {(row["user_id"], row["id"]) for row in found}
