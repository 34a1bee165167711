"""What saves take, user by user, and beside what the object store has. It only reads: no count is kept that drifts."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import user
from gameshelf.savegames.models import ContentState, SavegameQuota
from gameshelf.savegames.naming import user_prefix
from gameshelf.savegames.ports import StoredObject
from gameshelf.savegames.store.expressions import IS_LIVE, C
from sqlalchemy import BigInteger, Integer, String, Uuid, bindparam, cast, func, literal_column, select
from sqlalchemy.orm import aliased
from sqlmodel import col

_Q = SavegameQuota
_LIMIT = bindparam("limit", type_=Integer)


@dataclass(frozen=True, slots=True)
class UserUsage:
    """What a user's saves take, as ``Usage`` says it of one user. ``limit_bytes`` is None for the usual limit."""

    user_id: UUID
    used_bytes: int
    limit_bytes: int | None


@dataclass(frozen=True, slots=True)
class TopUsers:
    """Those of a part of the users who take most."""

    users: Sequence[UserUsage]
    """The one who takes most first."""
    looked_at: int
    """How many users the part has."""
    last_user_id: UUID | None
    """Behind whom the next part begins; None: there is no next one."""


class UsageDifferenceKind(StrEnum):
    """How an object differs from what is counted."""

    MISSING = "missing"
    """It is counted, and not there."""
    UNKNOWN = "unknown"
    """It is there, and the database has never heard of it."""
    OTHER_SIZE = "other_size"
    DROPPED = "dropped"
    """It is counted no more, and kept for a time."""
    PENDING = "pending"
    """An upload is being confirmed, or its confirmation was given up, and it goes in time."""


@dataclass(frozen=True, slots=True)
class UsageDifference:
    """An object that is not both counted and there, with one size. None: not there, or not counted."""

    key: str
    stored_bytes: int | None
    counted_bytes: int | None
    kind: UsageDifferenceKind


@dataclass(frozen=True, slots=True)
class Content:
    """A content of a user as the database has it."""

    key: str
    size: int
    state: ContentState


@dataclass(frozen=True, slots=True)
class UsageComparison:
    """A part of a user's objects beside their contents."""

    stored_objects: int
    stored_bytes: int
    counted_objects: int
    counted_bytes: int
    differences: Sequence[UsageDifference]
    through: str | None
    """The key up to which this goes; None: to the end."""


def compare_usage(stored: Sequence[StoredObject], contents: Sequence[Content], limit: int) -> UsageComparison:
    """Both sides from one key on, each in the order of its keys and cut at ``limit``, as far as both are known."""
    ends = [one[-1].key for one in (stored, contents) if len(one) >= limit]
    through = min(ends, default=None)
    there = {one.key: one.size for one in stored if through is None or one.key <= through}
    known = {one.key: one for one in contents if through is None or one.key <= through}
    counted = {key: one.size for key, one in known.items() if one.state is ContentState.LIVE}
    differences = [
        UsageDifference(key, there.get(key), counted.get(key), kind)
        for key in sorted(there.keys() | counted.keys())
        if (kind := _kind(there.get(key), known.get(key)))
    ]
    return UsageComparison(len(there), sum(there.values()), len(counted), sum(counted.values()), differences, through)


def _kind(stored: int | None, known: Content | None) -> UsageDifferenceKind | None:
    if known is None:
        return UsageDifferenceKind.UNKNOWN
    if known.state is not ContentState.LIVE:
        return UsageDifferenceKind.DROPPED if known.state is ContentState.DROPPED else UsageDifferenceKind.PENDING
    if stored is None:
        return UsageDifferenceKind.MISSING
    return None if stored == known.size else UsageDifferenceKind.OTHER_SIZE


def confirmed_differences(found: UsageComparison, again: Sequence[StoredObject]) -> Sequence[UsageDifference]:
    """The differences that a second look at the store, made after the database was read, leaves standing.

    What is being confirmed, or swept, between the two looks is in one of them only.
    """
    there = {one.key for one in again}
    passing = {UsageDifferenceKind.MISSING: True, UsageDifferenceKind.UNKNOWN: False}
    return [one for one in found.differences if passing.get(one.kind) is not (one.key in there)]


# Whoever is in a part is counted whole, so that the sum is the one that their quota shows.
_part = (
    select(col(C.user_id))
    .where(IS_LIVE, col(C.user_id) > bindparam("after", type_=Uuid))
    .order_by(col(C.user_id))
    .limit(bindparam("contents", type_=Integer))
    .cte("part")
)
_users = select(_part.c.user_id).distinct().subquery("users")
_own = aliased(C)
_used = (
    select(func.coalesce(func.sum(col(_own.file_size_bytes)), 0))
    .where(col(_own.user_id) == _users.c.user_id, col(_own.state) == literal_column("'live'"))
    .scalar_subquery()
)
_limits = select(col(_Q.limit_bytes)).where(col(_Q.user_id) == _users.c.user_id).scalar_subquery()
_TOP = Statement(
    select(
        _users.c.user_id,
        cast(_used, BigInteger).label("used_bytes"),
        _limits.label("limit_bytes"),
        func.count().over().label("looked_at"),
        select(func.count()).select_from(_part).scalar_subquery().label("contents"),
        select(_part.c.user_id).order_by(_part.c.user_id.desc()).limit(1).scalar_subquery().label("last_user_id"),
    )
    .order_by(_used.desc(), _users.c.user_id)
    .limit(_LIMIT)
)
_CONTENTS = Statement(
    select(col(C.s3_object_key), col(C.file_size_bytes), col(C.state))
    .where(
        col(C.user_id) == user(),
        col(C.s3_object_key) > bindparam("after", type_=String),
        col(C.s3_object_key) < bindparam("end", type_=String),
    )
    .order_by(col(C.s3_object_key))
    .limit(_LIMIT)
)
_NOBODY = UUID(int=0)


class SavegameAccounts:
    """Counts, over one connection, which needs no transaction. Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def top(self, after: UUID | None, contents: int, limit: int) -> TopUsers:
        """The users behind one who hold the next so many ``contents``: those ``limit`` of them who take most."""
        rows = await _TOP.all(self._connection, after=after or _NOBODY, contents=contents, limit=limit)
        if not rows:
            return TopUsers([], 0, None)
        first = rows[0]
        last = first["last_user_id"] if first["contents"] == contents else None
        return TopUsers([UserUsage(*tuple(row.values())[:3]) for row in rows], first["looked_at"], last)

    async def contents(self, user_id: UUID, after: str, limit: int) -> list[Content]:
        """A user's contents behind a key, in the order of their keys."""
        prefix = user_prefix(user_id)
        rows = await _CONTENTS.all(
            self._connection,
            user_id=user_id,
            after=after or prefix,
            end=f"{prefix[:-1]}{chr(ord(prefix[-1]) + 1)}",
            limit=limit,
        )
        return [Content(row["s3_object_key"], row["file_size_bytes"], ContentState(row["state"])) for row in rows]
