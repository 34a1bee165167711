"""Versions of a slot: a tree whose rows stay when their bytes are deleted."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, array, rows, user
from gameshelf.savegames._limits import MAX_COMPARED
from gameshelf.savegames._lineage import Node
from gameshelf.savegames._models import (
    ContentKind,
    ContentState,
    SavegameConflict,
    SavegameContent,
    SavegameMetadata,
    SavegameSlot,
)
from gameshelf.savegames._retention import HistoryVersion, KeptVersion
from gameshelf.savegames._set_models import SavegameManifest, SavegameManifestContent
from gameshelf.savegames._store.conflicts import EqualBranches, branches_with, read_equal
from gameshelf.savegames._store.expressions import (
    HASH,
    IDENTITY,
    NOW,
    OF_SLOT,
    SLOT,
    VERSION,
    C,
    M,
    S,
    identity_of,
    one_version,
)
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Integer,
    LargeBinary,
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
    literal_column,
    or_,
    select,
    true,
    union,
    union_all,
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
    """The properties of a version that changes need."""

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
    """The identity that lineage compares; of a set it is not the one that clients see."""
    kept_identity: bytes | None
    """The stored identity; None where it is the hash."""
    manifest_id: UUID | None
    """The list of a set; None for a single file, and once the list is forgotten."""
    file_count: int | None
    """None: a single file."""
    game_version_id: str | None

    @property
    def is_set(self) -> bool:
        return self.file_count is not None


@dataclass(frozen=True, slots=True)
class PrunedVersion:
    """What a version held that is pruned now."""

    content_id: UUID
    manifest_id: UUID | None


@dataclass(frozen=True, slots=True)
class Compared:
    """Content that grew from a version of a slot, and the slot's head."""

    slot_id: UUID
    base: int
    head: int
    identity: bytes


_COLUMNS: tuple[Any, ...] = (
    col(M.version),
    col(M.in_head),
    col(M.content_id),
    col(M.file_size_bytes).label("size"),
    col(M.file_hash_sha256).label("content"),
    col(M.client_modified_at),
    col(M.server_uploaded_at),
    col(M.device_id),
    col(M.comment),
    col(M.is_pinned),
    col(M.playtime_seconds),
    col(M.content_encoding),
    cast(col(M.encryption), Text).label("encryption"),
    identity_of(M).label("identity"),
    col(M.content_identity).label("kept_identity"),
    col(M.manifest_id),
    col(M.file_count),
    col(M.game_version_id),
)
_FIND = Statement(select(*_COLUMNS).where(*_OF_VERSION))
_STORED_VERSION = RowReader(StoredVersion, _FIND)
new_version = insert(SavegameMetadata).values(
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
    manifest_id=bindparam("manifest_id", type_=Uuid),
    file_count=bindparam("file_count", type_=Integer),
    game_version_id=bindparam("game_version_id", type_=String),
)
"""Inserts a version."""
# Until a job has written the object of a list, its content has a hash and a size that no bytes have.
new_list = insert(SavegameContent).values(
    user_id=user(),
    id=_CONTENT_ID,
    s3_object_key=bindparam("list_key", type_=String),
    file_size_bytes=literal_column("0"),
    file_hash_sha256=func.sha256(func.uuid_send(_CONTENT_ID)),
    state=literal(ContentState.LIVE.value),
    kind=literal(ContentKind.LIST.value),
    is_written=literal(False),
    created_at=bindparam("list_created_at", type_=TIME),
)
"""Inserts the content that holds the list of a version, whose object is not written yet."""
_ADD = Statement(new_version)
_ADD_SET = Statement(new_version.add_cte(new_list.cte("new_list")))
_node = (
    col(M.version),
    col(M.parent_version),
    col(M.merged_version),
    identity_of(M).label("identity"),
    col(M.content_id).is_not(None).label("is_kept"),
)
_compared = rows(
    "compared",
    place=("places", Integer),
    slot_id=("slot_ids", Uuid),
    base=("bases", BigInteger),
    head=("heads", BigInteger),
    identity=("identities", LargeBinary),
)


def _holds(version: Any) -> tuple[Any, ...]:
    """Conditions for versions of the head's history, from the base on, that hold the content."""
    return (
        col(version.user_id) == user(),
        col(version.slot_id) == _compared.c.slot_id,
        col(version.in_head),
        col(version.content_id).is_not(None),
        identity_of(version) == _compared.c.identity,
        col(version.version) >= _compared.c.base,
        col(version.version) < _compared.c.head,
    )


_nothing: Any = literal_column("0")
_head_node = (
    select(*_node, col(M.in_head))
    .where(col(M.user_id) == user(), col(M.slot_id) == _compared.c.slot_id, col(M.version) == _compared.c.head)
    .correlate(_compared)
    .lateral("head")
)
_holding = (
    select(*_node, col(M.in_head))
    .where(_compared.c.base == _nothing, *_holds(M))
    .limit(literal_column("1"))
    .correlate(_compared)
    .lateral("holding")
)
_later = aliased(M)
_is_held = select(literal(1)).where(*_holds(_later)).correlate(_compared).exists()
# Cut before branches are filtered out: however many there are, no more rows than these are read.
_since = (
    select(*_node, col(M.in_head))
    .where(
        col(M.user_id) == user(),
        col(M.slot_id) == _compared.c.slot_id,
        _compared.c.base > _nothing,
        col(M.version) >= _compared.c.base,
        _is_held,
    )
    .order_by(col(M.version))
    .limit(literal_column(str(MAX_COMPARED)))
    .correlate(_compared)
    .lateral("since")
)
# The base has the content itself, whether it was pruned or not: then no other version matters.
_own = (
    select(*_node, col(M.in_head))
    .where(
        col(M.user_id) == user(),
        col(M.slot_id) == _compared.c.slot_id,
        col(M.version) == _compared.c.base,
        identity_of(M) == _compared.c.identity,
    )
    .correlate(_compared)
    .lateral("own")
)
_HISTORIES = Statement(
    union_all(
        *(
            select(_compared.c.place, *found.c).select_from(_compared.join(found, true())).where(found.c.in_head)
            for found in (_head_node, _own, _holding, _since)
        )
    )
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
_equal = branches_with(SLOT, IDENTITY)
_HEAD = Statement(
    select(
        case((col(M.content_id).is_not(None), identity_of(M))).label("identity"),
        _regresses_to.label("regresses_to"),
        *_equal.c,
    )
    .select_from(M)
    .outerjoin(_equal, true())
    .where(*_OF_VERSION)
)
# From the tip back to the first version that the head grew from. A version that resolved a conflict was a head, so no
# version of a branch has a second parent.
_tip = select(col(M.version), col(M.parent_version)).where(*_OF_VERSION, ~col(M.in_head)).cte("branch", recursive=True)
_grown = one_version(SLOT, _tip.c.parent_version, "grown")
_branch = _tip.union(
    select(_grown.c.version, _grown.c.parent_version).select_from(_tip.join(_grown, true())).where(~_grown.c.in_head)
)
_of_branch: Any = func.array(select(_branch.c.version).scalar_subquery(), type_=ARRAY(BigInteger))
_JOIN_HEAD = Statement(
    update(SavegameMetadata).where(*OF_SLOT, col(M.version) == any_(_of_branch)).values(in_head=True)
)
_CHANGE = Statement(
    update(SavegameMetadata)
    .where(*_OF_VERSION)
    .values(
        is_pinned=bindparam("new_is_pinned", type_=Boolean),
        comment=bindparam("new_comment", type_=String),
    )
)
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
_KEPT = Statement(
    select(
        col(M.version),
        col(M.server_uploaded_at).label("uploaded_at"),
        col(M.is_pinned),
        _is_side.label("is_side"),
    ).where(*OF_SLOT, col(M.content_id).is_not(None))
)
_KEPT_VERSION = RowReader(KeptVersion, _KEPT)
# Selected before the update, which clears the column that has to be returned.
_before = (
    select(col(M.version), col(M.content_id), col(M.manifest_id))
    .where(*OF_SLOT, col(M.version) == any_(array("versions", BigInteger)), col(M.content_id).is_not(None))
    .cte("before")
)
_pruned: Any = (
    update(SavegameMetadata)
    .where(
        *OF_SLOT,
        col(M.version) == any_(array("versions", BigInteger)),  # else the whole history would be compared
        col(M.version) == _before.c.version,
    )
    .values(content_id=None, pruned_at=NOW)
    .returning(_before.c.content_id, _before.c.manifest_id)
)
_PRUNE = Statement(_pruned)
_scheduled = (
    update(SavegameSlot)
    .where(col(S.user_id) == user(), col(S.id) == SLOT)
    .values(prune_at=bindparam("new_prune_at", type_=TIME))
)
_PRUNE_AND_SCHEDULE = Statement(_pruned.add_cte(_scheduled.cte("scheduled")))
_PRUNED_VERSION = RowReader(PrunedVersion, _PRUNE, _PRUNE_AND_SCHEDULE)
_H, _L = SavegameManifestContent, SavegameManifest
_CONTENTS = Statement(
    union(
        select(col(M.content_id)).where(*OF_SLOT, col(M.content_id).is_not(None)),
        select(col(_H.content_id))
        .join(_L, and_(col(_L.user_id) == col(_H.user_id), col(_L.id) == col(_H.manifest_id)))
        .where(col(_L.user_id) == user(), col(_L.slot_id) == SLOT),
    )
)
_HISTORY = Statement(
    select(
        col(M.slot_id),
        col(M.version),
        col(M.content_id),
        col(M.file_size_bytes).label("size"),
        col(M.manifest_id),
    )
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
_CONTENTS_OF_LISTS = Statement(
    select(col(_H.manifest_id), col(C.id).label("content_id"), col(C.file_size_bytes).label("size"))
    .select_from(_H)
    .join(C, and_(col(C.user_id) == col(_H.user_id), col(C.id) == col(_H.content_id)))
    .where(col(_H.user_id) == user(), col(_H.manifest_id) == any_(array("manifest_ids", Uuid)))
)


class VersionStore:
    """Versions of a user's slots. Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find_version(self, user_id: UUID, slot_id: UUID, version: int) -> StoredVersion | None:
        row = await _FIND.first(self._connection, user_id=user_id, slot_id=slot_id, version=version)
        return _STORED_VERSION.read_optional(row)

    async def add_version(self, user_id: UUID, **values: Any) -> None:
        """Adds a version. That of a set, which has a ``list_key``, brings the content that holds its list."""
        statement = _ADD if values.get("list_key") is None else _ADD_SET
        await statement.run(self._connection, user_id=user_id, **values)

    async def histories(self, user_id: UUID, compared: Sequence[Compared]) -> list[dict[int, Node]]:
        """Returns the part of each head's history that ``relation`` needs, in the order of ``compared``: the head and
        at most ``MAX_COMPARED`` versions of each, however long the history is.
        """
        found = await _HISTORIES.all(
            self._connection,
            user_id=user_id,
            places=list(range(len(compared))),
            slot_ids=[one.slot_id for one in compared],
            bases=[one.base for one in compared],
            heads=[one.head for one in compared],
            identities=[one.identity for one in compared],
        )
        histories: list[dict[int, Node]] = [{} for _ in compared]
        for row in found:
            parents = (row["parent_version"], row["merged_version"])
            histories[row["place"]][row["version"]] = Node(*parents, row["identity"], row["is_kept"])
        return histories

    async def head_identity(
        self, user_id: UUID, slot_id: UUID, head: int, identity: bytes
    ) -> tuple[bytes | None, int | None, EqualBranches]:
        """Returns the identity of the head's content, which is None where its bytes were deleted; the newest earlier
        version of the history with the given identity, and the branches of open conflicts with it.
        """
        row = await _HEAD.first(self._connection, user_id=user_id, slot_id=slot_id, version=head, identity=identity)
        assert row is not None
        return row["identity"], row["regresses_to"], read_equal(row)

    async def join_head(self, user_id: UUID, slot_id: UUID, tip: int) -> None:
        """Makes the branch that ends with this version a part of the head's history."""
        await _JOIN_HEAD.run(self._connection, user_id=user_id, slot_id=slot_id, version=tip)

    async def change_version(
        self, user_id: UUID, slot_id: UUID, version: int, is_pinned: bool, comment: str | None
    ) -> None:
        await _CHANGE.run(
            self._connection,
            user_id=user_id,
            slot_id=slot_id,
            version=version,
            new_is_pinned=is_pinned,
            new_comment=comment,
        )

    async def kept_versions(self, user_id: UUID, slot_id: UUID) -> list[KeptVersion]:
        """Returns the versions of a slot whose bytes are stored."""
        found = await _KEPT.all(self._connection, user_id=user_id, slot_id=slot_id)
        return _KEPT_VERSION.read_all(found)

    async def prune_versions(
        self, user_id: UUID, slot_id: UUID, versions: Collection[int], now: datetime
    ) -> list[PrunedVersion]:
        """Prunes versions, and returns what they held."""
        found = await _PRUNE.all(self._connection, user_id=user_id, slot_id=slot_id, versions=list(versions), now=now)
        return _PRUNED_VERSION.read_all(found)

    async def prune_and_schedule(
        self, user_id: UUID, slot_id: UUID, versions: Collection[int], now: datetime, prune_at: datetime | None
    ) -> list[PrunedVersion]:
        """As ``prune_versions``, and stores when more of the slot's history becomes prunable with time."""
        found = await _PRUNE_AND_SCHEDULE.all(
            self._connection,
            user_id=user_id,
            slot_id=slot_id,
            versions=list(versions),
            now=now,
            new_prune_at=prune_at,
        )
        return _PRUNED_VERSION.read_all(found)

    async def held_contents(self, user_id: UUID, slot_id: UUID) -> set[UUID]:
        """Returns the contents that a slot's versions and lists hold."""
        found = await _CONTENTS.all(self._connection, user_id=user_id, slot_id=slot_id)
        return {row["content_id"] for row in found}

    async def prunable_history(self, user_id: UUID, product_id: UUID | None) -> list[HistoryVersion]:
        """Returns the prunable versions of one product, or of all, the oldest first; the trash is included.

        A second statement reads the contents of sets, if there are any.
        """
        found = await _HISTORY.all(self._connection, user_id=user_id, of_product=product_id)
        of_lists: dict[UUID, dict[UUID, int]] = {row["manifest_id"]: {} for row in found if row["manifest_id"]}
        if of_lists:
            ids = list(of_lists)
            for row in await _CONTENTS_OF_LISTS.all(self._connection, user_id=user_id, manifest_ids=ids):
                of_lists[row["manifest_id"]][row["content_id"]] = row["size"]
        return [
            HistoryVersion(
                row["slot_id"],
                row["version"],
                of_lists[row["manifest_id"]] if row["manifest_id"] else {row["content_id"]: row["size"]},
            )
            for row in found
        ]
