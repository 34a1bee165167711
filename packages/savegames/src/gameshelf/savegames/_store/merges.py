"""The lists of both sides of a branch and of their common ancestor, and the lists that merges make of them."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import user
from gameshelf.savegames._limits import MAX_COMPARED
from gameshelf.savegames._set_models import SavegameManifest, SavegameManifestContent, SavegamePolicy
from gameshelf.savegames._store.expressions import SLOT, M, S, one_version
from sqlalchemy import (
    BigInteger,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import aliased
from sqlmodel import col

_H, _L = SavegameManifestContent, SavegameManifest
_BRANCH = bindparam("branch_version", type_=BigInteger)
_MANIFEST = bindparam("manifest_id", type_=Uuid)


@dataclass(frozen=True, slots=True)
class StoredSides:
    """The lists of two versions and of their common ancestor, as they are stored."""

    base_version: int | None
    """The version that both grew from; 0: both grew from nothing. None: it is not known."""
    base_body: bytes | None
    """None where the base is a single file, and where its list is forgotten."""
    head_body: bytes | None
    branch_body: bytes | None
    policy: str | None
    """The policy of the product, as JSON; None: it has none."""


# A branch has no second parents, so its first ancestor in the head's history is the only common ancestor to merge with.
_tip: Any = (
    select(col(M.version), col(M.parent_version), col(M.in_head), literal_column("1").label("depth"))
    .where(col(M.user_id) == user(), col(M.slot_id) == SLOT, col(M.version) == _BRANCH)
    .cte("walked", recursive=True)
)
_older = one_version(SLOT, _tip.c.parent_version, "older")
_walked = _tip.union_all(
    select(_older.c.version, _older.c.parent_version, _older.c.in_head, _tip.c.depth + literal_column("1"))
    .select_from(_tip.join(_older, true()))
    .where(~_tip.c.in_head, _tip.c.depth < literal_column(str(MAX_COMPARED)))
)
_nothing: Any = literal_column("0")
_fork = (
    union_all(
        select(_walked.c.version.label("version")).where(_walked.c.in_head),
        select(cast(_nothing, BigInteger)).where(
            select(func.count())
            .select_from(_walked)
            .where(_walked.c.parent_version == _nothing, ~_walked.c.in_head)
            .scalar_subquery()
            > _nothing
        ),
    )
    .limit(literal_column("1"))
    .subquery("fork")
)


def _body_of(version: Any) -> Any:
    """The list of a version of the slot."""
    row = aliased(M)
    return (
        select(col(_L.body))
        .join(row, and_(col(row.user_id) == col(_L.user_id), col(row.manifest_id) == col(_L.id)))
        .where(col(_L.user_id) == user(), col(row.slot_id) == SLOT, col(row.version) == version)
        .scalar_subquery()
    )


_policy = (
    select(cast(col(SavegamePolicy.policy), Text))
    .where(col(SavegamePolicy.product_id) == col(S.product_id))
    .scalar_subquery()
)
_fork_version = select(_fork.c.version).scalar_subquery()
_SIDES = Statement(
    select(
        _fork_version.label("base_version"),
        _body_of(_fork_version).label("base_body"),
        _body_of(bindparam("head_version", type_=BigInteger)).label("head_body"),
        _body_of(_BRANCH).label("branch_body"),
        _policy.label("policy"),
    )
    .select_from(S)
    .where(col(S.user_id) == user(), col(S.id) == SLOT)
)
_STORED_SIDES = RowReader(StoredSides, _SIDES)


class MergeStore:
    """Lists of both sides of a branch. Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def read_sides(self, user_id: UUID, slot_id: UUID, head: int, branch: int) -> StoredSides:
        """Returns the lists of two versions of a slot and of their common ancestor. It follows the branch back at most
        ``MAX_COMPARED`` versions.
        """
        row = await _SIDES.first(
            self._connection, user_id=user_id, slot_id=slot_id, head_version=head, branch_version=branch
        )
        assert row is not None
        return _STORED_SIDES.read(row)
