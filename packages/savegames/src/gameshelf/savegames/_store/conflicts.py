"""Conflicts: branches that the user has to resolve."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Record
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import user
from gameshelf.savegames._models import SavegameConflict
from gameshelf.savegames._store.expressions import IDENTITY, NOW, SLOT, identity_of, one_version
from sqlalchemy import BigInteger, Boolean, String, Uuid, and_, bindparam, func, or_, select, true, update
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlmodel import col

_X = SavegameConflict
_ID = bindparam("conflict_id", type_=Uuid)
_BRANCH = bindparam("branch_version", type_=BigInteger)
_HEAD = bindparam("new_head_version", type_=BigInteger)
_OF_ID = (col(_X.user_id) == user(), col(_X.id) == _ID)
_IS_OPEN = col(_X.resolved_at).is_(None)


@dataclass(frozen=True, slots=True)
class Conflict:
    """An open conflict: the tip of its branch, and the head that the last 409 response described."""

    id: UUID
    slot_id: UUID
    branch_version: int
    head_version: int


@dataclass(frozen=True, slots=True)
class EqualBranches:
    """The branches of open conflicts that have the content of a new head."""

    conflicts: Sequence[UUID]
    branch_version: int | None
    """The oldest of these branches; None: there is none."""


NO_BRANCHES = EqualBranches((), None)


def branches_with(slot_id: Any, identity: Any, *correlated: Any) -> Any:
    """A lateral select of one row: the open conflicts of a slot whose branches have this content (``equal_conflicts``),
    and the oldest of these branches (``equal_branch``).
    """
    branch = one_version(col(_X.slot_id), col(_X.branch_version), "equal")
    ids = func.array_agg(aggregate_order_by(col(_X.id), col(_X.opened_at), col(_X.id)))
    return (
        select(ids.label("equal_conflicts"), func.min(col(_X.branch_version)).label("equal_branch"))
        .select_from(_X)
        .join(branch, true())
        .where(
            col(_X.user_id) == user(),
            col(_X.slot_id) == slot_id,
            _IS_OPEN,
            branch.c.content_id.is_not(None),
            identity_of(branch.c) == identity,
        )
        .correlate(*correlated)
        .lateral("equal_branches")
    )


def read_equal(row: Record) -> EqualBranches:
    """Reads the columns of ``branches_with``."""
    return EqualBranches(row["equal_conflicts"] or (), row["equal_branch"])


EQUAL_COLUMNS = ("equal_conflicts", "equal_branch")
_EQUAL = Statement(select(*branches_with(SLOT, IDENTITY).c))
_OPEN = Statement(
    select(col(_X.id), col(_X.slot_id), col(_X.branch_version), col(_X.head_version))
    .where(col(_X.user_id) == user(), col(_X.slot_id) == SLOT, _IS_OPEN)
    .order_by(col(_X.opened_at), col(_X.id))
)
_FIND = Statement(
    select(col(_X.id), col(_X.slot_id), col(_X.branch_version), col(_X.head_version)).where(*_OF_ID, _IS_OPEN)
)
_CONFLICT = RowReader(Conflict, _FIND, _OPEN)
_ADD = Statement(
    insert(SavegameConflict).values(
        user_id=user(),
        id=_ID,
        slot_id=SLOT,
        branch_version=_BRANCH,
        head_version=_HEAD,
        base_version=bindparam("base_version", type_=BigInteger),
        opened_at=NOW,
    )
)
# The branch that the version grew from, else the oldest branch of the same device with the same base.
_tip = one_version(SLOT, col(_X.branch_version), "tip")
_base = func.coalesce(col(_X.base_version), _tip.c.parent_version)
_extended = (
    select(col(_X.id), _base.label("base_version"))
    .select_from(_X)
    .join(_tip, true())
    .where(
        col(_X.user_id) == user(),
        col(_X.slot_id) == SLOT,
        _IS_OPEN,
        or_(
            col(_X.branch_version) == _BRANCH,
            and_(
                bindparam("of_device", type_=Boolean),
                _base == _BRANCH,
                _tip.c.device_id.is_not_distinct_from(bindparam("device_id", type_=String)),
            ),
        ),
    )
    .order_by((col(_X.branch_version) == _BRANCH).desc(), col(_X.opened_at), col(_X.id))
    .limit(1)
    .subquery("extended")
)
_EXTEND = Statement(
    update(SavegameConflict)
    .where(col(_X.user_id) == user(), col(_X.id) == _extended.c.id)
    .values(
        branch_version=bindparam("new_branch_version", type_=BigInteger),
        head_version=_HEAD,
        base_version=_extended.c.base_version,
    )
    .returning(col(_X.id))
)
_DESCRIBED = Statement(update(SavegameConflict).where(*_OF_ID).values(head_version=_HEAD))
_RESOLVE = Statement(
    update(SavegameConflict)
    .where(*_OF_ID, _IS_OPEN)
    .values(resolved_at=NOW, resolution=bindparam("new_resolution", type_=String))
)


class ConflictStore:
    """A user's conflicts. Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find_conflict(self, user_id: UUID, conflict_id: UUID) -> Conflict | None:
        """Returns the conflict if it is open."""
        row = await _FIND.first(self._connection, user_id=user_id, conflict_id=conflict_id)
        return _CONFLICT.read_optional(row)

    async def open_conflicts(self, user_id: UUID, slot_id: UUID) -> list[Conflict]:
        """Returns the open conflicts of a slot, the oldest first."""
        return _CONFLICT.read_all(await _OPEN.all(self._connection, user_id=user_id, slot_id=slot_id))

    async def equal_branches(self, user_id: UUID, slot_id: UUID, identity: bytes) -> EqualBranches:
        """Returns the branches of open conflicts that have this content."""
        row = await _EQUAL.first(self._connection, user_id=user_id, slot_id=slot_id, identity=identity)
        assert row is not None
        return read_equal(row)

    async def add_conflict(self, user_id: UUID, conflict: Conflict, base: int, now: datetime) -> None:
        """Opens a conflict about a branch that grew from ``base``."""
        await _ADD.run(
            self._connection,
            user_id=user_id,
            conflict_id=conflict.id,
            slot_id=conflict.slot_id,
            branch_version=conflict.branch_version,
            new_head_version=conflict.head_version,
            base_version=base,
            now=now,
        )

    async def extend_conflict(
        self,
        user_id: UUID,
        slot_id: UUID,
        base: int,
        version: int,
        head_version: int,
        *,
        device: str | None,
        of_device: bool,
    ) -> UUID | None:
        """Extends a conflict to ``version``, and returns its id; None where there is no such conflict.

        It is the conflict whose branch ends with ``base``, or with ``of_device`` else one whose branch has the same
        base and ends with a version of that device.
        """
        row = await _EXTEND.first(
            self._connection,
            user_id=user_id,
            slot_id=slot_id,
            branch_version=base,
            new_branch_version=version,
            new_head_version=head_version,
            device_id=device,
            of_device=of_device,
        )
        return row["id"] if row else None

    async def set_described_head(self, user_id: UUID, conflict_id: UUID, head_version: int) -> None:
        """Stores the head that a 409 response describes."""
        await _DESCRIBED.run(self._connection, user_id=user_id, conflict_id=conflict_id, new_head_version=head_version)

    async def resolve_conflict(self, user_id: UUID, conflict_id: UUID, resolution: str, now: datetime) -> bool:
        """Resolves a conflict. False when it is not open any more."""
        ended = await _RESOLVE.run(
            self._connection, user_id=user_id, conflict_id=conflict_id, new_resolution=resolution, now=now
        )
        return ended == 1
