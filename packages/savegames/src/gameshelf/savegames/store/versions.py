"""Versions of a slot: a tree whose rows stay when their bytes go."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import TIME, array, rows, user
from gameshelf.savegames.lineage import Node
from gameshelf.savegames.models import SavegameConflict, SavegameMetadata
from gameshelf.savegames.retention import History, Kept
from gameshelf.savegames.store.parts import HASH, IDENTITY, NOW, OF_SLOT, SLOT, VERSION, M, S, identity_of
from sqlalchemy import (
    BigInteger,
    Boolean,
    String,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import aliased
from sqlmodel import col

_X = SavegameConflict
_CONTENT_ID = bindparam("content_id", type_=Uuid)
_OF_VERSION = (*OF_SLOT, col(M.version) == VERSION)


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A version as far as a change needs it."""

    version: int
    in_head: bool
    content_id: UUID | None
    """None once its bytes are pruned."""
    size: int
    content: bytes
    client_modified_at: datetime | None
    server_uploaded_at: datetime
    device_id: str | None
    comment: str | None
    is_pinned: bool
    playtime_seconds: int | None
    content_encoding: str | None
    encryption: str | None
    """As JSON."""
    identity: bytes
    """What lineage compares."""


_COLUMNS = (
    col(M.version),
    col(M.in_head),
    col(M.content_id),
    col(M.file_size_bytes),
    col(M.file_hash_sha256),
    col(M.client_modified_at),
    col(M.server_uploaded_at),
    col(M.device_id),
    col(M.comment),
    col(M.is_pinned),
    col(M.playtime_seconds),
    col(M.content_encoding),
    cast(col(M.encryption), Text),
    identity_of(M),
)
_FIND = Statement(select(*_COLUMNS).where(*_OF_VERSION))
_ADD = Statement(
    insert(SavegameMetadata).values(
        user_id=user(),
        slot_id=SLOT,
        version=VERSION,
        id=bindparam("id", type_=Uuid),
        parent_version=bindparam("parent_version", type_=BigInteger),
        merged_version=bindparam("merged_version", type_=BigInteger),
        in_head=bindparam("in_head", type_=Boolean),
        content_id=_CONTENT_ID,
        file_size_bytes=bindparam("size", type_=BigInteger),
        file_hash_sha256=HASH,
        content_identity=IDENTITY,
        client_modified_at=bindparam("client_modified_at", type_=TIME),
        server_uploaded_at=NOW,
        device_id=bindparam("device_id", type_=String),
        comment=bindparam("comment", type_=String),
        is_pinned=literal(False),
        playtime_seconds=bindparam("playtime_seconds", type_=BigInteger),
        content_encoding=bindparam("content_encoding", type_=String),
        encryption=cast(bindparam("encryption", type_=Text), JSONB),
    )
)
_node = (
    col(M.version),
    col(M.parent_version),
    col(M.merged_version),
    identity_of(M).label("identity"),
    col(M.content_id).is_not(None).label("is_kept"),
)
_TREE = Statement(select(*_node).where(*OF_SLOT, col(M.version) >= VERSION))
_slots = rows("since", slot_id=("slot_ids", Uuid), version=("versions", BigInteger))
_TREES = Statement(
    select(col(M.slot_id), *_node)
    .join(_slots, and_(col(M.slot_id) == _slots.c.slot_id, col(M.version) >= _slots.c.version))
    .where(col(M.user_id) == user())
)
_BRANCHES = Statement(select(*_node).where(*OF_SLOT, ~col(M.in_head)))
_HOLDS = Statement(
    select(literal(1))
    .where(
        *OF_SLOT,
        col(M.in_head),
        col(M.content_id).is_not(None),
        identity_of(M) == IDENTITY,
        col(M.version) >= VERSION,
    )
    .limit(1)
)
_older = aliased(M)
_regresses_to = (
    select(func.max(col(_older.version)))
    .where(
        col(_older.user_id) == user(),
        col(_older.slot_id) == SLOT,
        col(_older.in_head),
        col(_older.content_id).is_not(None),
        identity_of(_older) == IDENTITY,
        col(_older.version) < VERSION,
    )
    .scalar_subquery()
)
_HEAD = Statement(
    select(
        case((col(M.content_id).is_not(None), identity_of(M))).label("identity"), _regresses_to.label("regresses_to")
    ).where(*_OF_VERSION)
)
_JOIN_HEAD = Statement(
    update(SavegameMetadata).where(*OF_SLOT, col(M.version) == any_(array("versions", BigInteger))).values(in_head=True)
)
_CHANGE = Statement(
    update(SavegameMetadata)
    .where(*_OF_VERSION)
    .values(
        is_pinned=bindparam("new_is_pinned", type_=Boolean),
        comment=bindparam("new_comment", type_=String),
    )
)
_KEPT = Statement(
    select(col(M.version), col(M.server_uploaded_at), col(M.is_pinned)).where(*OF_SLOT, col(M.content_id).is_not(None))
)
_SIDES = Statement(
    select(col(_X.branch_version)).where(
        col(_X.user_id) == user(), col(_X.slot_id) == SLOT, col(_X.resolved_at).is_(None)
    )
)
# What it held comes back with it: after the update the column is null.
_before = (
    select(col(M.user_id), col(M.slot_id), col(M.version), col(M.content_id))
    .where(*OF_SLOT, col(M.version) == any_(array("versions", BigInteger)), col(M.content_id).is_not(None))
    .cte("before")
)
_PRUNE = Statement(
    update(SavegameMetadata)
    .where(
        col(M.user_id) == _before.c.user_id,
        col(M.slot_id) == _before.c.slot_id,
        col(M.version) == _before.c.version,
    )
    .values(content_id=None, pruned_at=NOW)
    .returning(_before.c.content_id)
)
_CONTENTS = Statement(select(col(M.content_id)).where(*OF_SLOT, col(M.content_id).is_not(None)).distinct())
_is_side = (
    select(literal(1))
    .where(
        col(_X.user_id) == col(M.user_id),
        col(_X.slot_id) == col(M.slot_id),
        col(_X.branch_version) == col(M.version),
        col(_X.resolved_at).is_(None),
    )
    .exists()
)
_HISTORY = Statement(
    select(col(M.slot_id), col(M.version), col(M.content_id), col(M.file_size_bytes))
    .join(S, and_(col(S.user_id) == col(M.user_id), col(S.id) == col(M.slot_id)))
    .where(
        col(M.user_id) == user(),
        col(M.content_id).is_not(None),
        ~col(M.is_pinned),
        col(M.version) != col(S.head_version),
        ~_is_side,
        or_(col(S.product_id) == bindparam("of_product", type_=Uuid), bindparam("of_product", type_=Uuid).is_(None)),
    )
    .order_by(col(M.server_uploaded_at), col(M.slot_id), col(M.version))
)


class VersionStore:
    """Versions of a user's slots. Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find(self, user_id: UUID, slot_id: UUID, version: int) -> StoredVersion | None:
        row = await _FIND.first(self._connection, user_id=user_id, slot_id=slot_id, version=version)
        return StoredVersion(*row.values()) if row else None

    async def add(self, user_id: UUID, **values: Any) -> None:
        await _ADD.run(self._connection, user_id=user_id, **values)

    async def tree(self, user_id: UUID, slot_id: UUID, since: int) -> dict[int, Node]:
        """The versions from a number on."""
        return _nodes(await _TREE.all(self._connection, user_id=user_id, slot_id=slot_id, version=since))

    async def trees(self, user_id: UUID, since: Mapping[UUID, int]) -> dict[UUID, dict[int, Node]]:
        """The versions of several slots, of each from a number on."""
        found = await _TREES.all(self._connection, user_id=user_id, slot_ids=list(since), versions=list(since.values()))
        return {slot_id: _nodes([row for row in found if row["slot_id"] == slot_id]) for slot_id in since}

    async def head_holds(self, user_id: UUID, slot_id: UUID, identity: bytes, since: int) -> bool:
        """Whether the head's history keeps such content, in a version from that number on."""
        row = await _HOLDS.first(self._connection, user_id=user_id, slot_id=slot_id, identity=identity, version=since)
        return row is not None

    async def head(self, user_id: UUID, slot_id: UUID, head: int, identity: bytes) -> tuple[bytes | None, int | None]:
        """The identity of what the head holds, None where its bytes are gone; and the newest version of the history
        before it that keeps the given one.
        """
        row = await _HEAD.first(self._connection, user_id=user_id, slot_id=slot_id, version=head, identity=identity)
        assert row is not None
        return row["identity"], row["regresses_to"]

    async def branches(self, user_id: UUID, slot_id: UUID) -> dict[int, Node]:
        """The versions that the head did not grow from."""
        return _nodes(await _BRANCHES.all(self._connection, user_id=user_id, slot_id=slot_id))

    async def join_head(self, user_id: UUID, slot_id: UUID, versions: Collection[int]) -> None:
        """From now on the head grew from these too."""
        await _JOIN_HEAD.run(self._connection, user_id=user_id, slot_id=slot_id, versions=list(versions))

    async def change(self, user_id: UUID, slot_id: UUID, version: int, is_pinned: bool, comment: str | None) -> None:
        await _CHANGE.run(
            self._connection,
            user_id=user_id,
            slot_id=slot_id,
            version=version,
            new_is_pinned=is_pinned,
            new_comment=comment,
        )

    async def kept(self, user_id: UUID, slot_id: UUID) -> list[Kept]:
        """The versions of a slot whose bytes are there."""
        found = await _KEPT.all(self._connection, user_id=user_id, slot_id=slot_id)
        return [Kept(*row.values()) for row in found]

    async def conflicting(self, user_id: UUID, slot_id: UUID) -> set[int]:
        """The tips of the branches about which a conflict is open."""
        found = await _SIDES.all(self._connection, user_id=user_id, slot_id=slot_id)
        return {row["branch_version"] for row in found}

    async def prune(self, user_id: UUID, slot_id: UUID, versions: Collection[int], now: datetime) -> set[UUID]:
        """Takes the bytes from versions; the contents that they held."""
        found = await _PRUNE.all(self._connection, user_id=user_id, slot_id=slot_id, versions=list(versions), now=now)
        return {row["content_id"] for row in found}

    async def contents(self, user_id: UUID, slot_id: UUID) -> set[UUID]:
        """The contents that a slot's versions hold."""
        found = await _CONTENTS.all(self._connection, user_id=user_id, slot_id=slot_id)
        return {row["content_id"] for row in found}

    async def history(self, user_id: UUID, product_id: UUID | None) -> list[History]:
        """What may go when room is needed, in the trash too, the oldest first; of one product, or of all."""
        found = await _HISTORY.all(self._connection, user_id=user_id, of_product=product_id)
        return [History(*row.values()) for row in found]


def _nodes(found: Collection[Any]) -> dict[int, Node]:
    return {
        row["version"]: Node(row["parent_version"], row["merged_version"], row["identity"] if row["is_kept"] else None)
        for row in found
    }
