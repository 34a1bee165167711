"""Conflicts: branches that the user has to resolve."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import user
from gameshelf.savegames._models import SavegameConflict
from gameshelf.savegames._store.expressions import NOW, SLOT, one_version
from sqlalchemy import BigInteger, Boolean, String, Uuid, and_, bindparam, func, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert
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


_FIND = Statement(
    select(col(_X.id), col(_X.slot_id), col(_X.branch_version), col(_X.head_version)).where(*_OF_ID, _IS_OPEN)
)
_CONFLICT = RowReader(Conflict, _FIND)
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
