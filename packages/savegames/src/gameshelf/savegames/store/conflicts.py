"""Branches that wait for a word."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import user
from gameshelf.savegames.models import SavegameConflict
from gameshelf.savegames.store.parts import NOW, SLOT
from sqlalchemy import BigInteger, String, Uuid, bindparam, select, update
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
    """An open conflict: the tip of the branch, and the head that the user was told of last."""

    id: UUID
    slot_id: UUID
    branch_version: int
    head_version: int


_FIND = Statement(
    select(col(_X.id), col(_X.slot_id), col(_X.branch_version), col(_X.head_version)).where(*_OF_ID, _IS_OPEN)
)
_ADD = Statement(
    insert(SavegameConflict).values(
        user_id=user(), id=_ID, slot_id=SLOT, branch_version=_BRANCH, head_version=_HEAD, opened_at=NOW
    )
)
_EXTEND = Statement(
    update(SavegameConflict)
    .where(col(_X.user_id) == user(), col(_X.slot_id) == SLOT, col(_X.branch_version) == _BRANCH, _IS_OPEN)
    .values(branch_version=bindparam("new_branch_version", type_=BigInteger), head_version=_HEAD)
    .returning(col(_X.id))
)
_DESCRIBED = Statement(update(SavegameConflict).where(*_OF_ID).values(head_version=_HEAD))
_RESOLVE = Statement(
    update(SavegameConflict)
    .where(*_OF_ID)
    .values(resolved_at=NOW, resolution=bindparam("new_resolution", type_=String))
)


class ConflictStore:
    """A user's conflicts. Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find(self, user_id: UUID, conflict_id: UUID) -> Conflict | None:
        """The conflict, if it is open."""
        row = await _FIND.first(self._connection, user_id=user_id, conflict_id=conflict_id)
        return Conflict(*row.values()) if row else None

    async def add(self, user_id: UUID, conflict: Conflict, now: datetime) -> None:
        await _ADD.run(
            self._connection,
            user_id=user_id,
            conflict_id=conflict.id,
            slot_id=conflict.slot_id,
            branch_version=conflict.branch_version,
            new_head_version=conflict.head_version,
            now=now,
        )

    async def extend(self, user_id: UUID, slot_id: UUID, base: int, version: int, head_version: int) -> UUID | None:
        """Moves the conflict whose branch ends at ``base`` to ``version``; None where there is none."""
        row = await _EXTEND.first(
            self._connection,
            user_id=user_id,
            slot_id=slot_id,
            branch_version=base,
            new_branch_version=version,
            new_head_version=head_version,
        )
        return row["id"] if row else None

    async def described(self, user_id: UUID, conflict_id: UUID, head_version: int) -> None:
        """The user was told of this head."""
        await _DESCRIBED.run(self._connection, user_id=user_id, conflict_id=conflict_id, new_head_version=head_version)

    async def resolve(self, user_id: UUID, conflict_id: UUID, resolution: str, now: datetime) -> None:
        await _RESOLVE.run(
            self._connection, user_id=user_id, conflict_id=conflict_id, new_resolution=resolution, now=now
        )
