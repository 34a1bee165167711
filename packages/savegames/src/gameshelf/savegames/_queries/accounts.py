"""Storage that saves use, user by user, summed from the contents: there is no counter that could drift."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import user
from gameshelf.savegames._models import ContentState, SavegameQuota
from gameshelf.savegames._naming import user_prefix
from gameshelf.savegames._store.expressions import IS_LIVE, C
from gameshelf.savegames._usage_comparison import CountedContent
from sqlalchemy import BigInteger, Integer, String, Uuid, bindparam, cast, func, literal_column, select
from sqlalchemy.orm import aliased
from sqlmodel import col

_Q = SavegameQuota
_LIMIT = bindparam("limit", type_=Integer)


@dataclass(frozen=True, slots=True)
class UserUsage:
    """The storage that a user's saves use. ``limit_bytes`` is None for the default limit."""

    user_id: UUID
    used_bytes: int
    limit_bytes: int | None


@dataclass(frozen=True, slots=True)
class TopUsers:
    """The users of one page who use most storage."""

    users: Sequence[UserUsage]
    """In descending order of the storage that they use."""
    looked_at: int
    """How many users the page has."""
    last_user_id: UUID | None
    """The user after whom the next page begins; None: there is no next page."""


# All contents of a user on the page are counted, so that the sum is the one that the user's quota shows.
_page = (
    select(col(C.user_id))
    .where(IS_LIVE, col(C.user_id) > bindparam("after", type_=Uuid))
    .order_by(col(C.user_id))
    .limit(bindparam("contents", type_=Integer))
    .cte("page")
)
_users = select(_page.c.user_id).distinct().subquery("users")
_own = aliased(C)
_used = (
    select(func.coalesce(func.sum(col(_own.file_size_bytes)), 0))
    .where(
        col(_own.user_id) == _users.c.user_id,
        col(_own.state) == literal_column("'live'"),
        col(_own.kind) == literal_column("'file'"),
    )
    .scalar_subquery()
)
_limits = select(col(_Q.limit_bytes)).where(col(_Q.user_id) == _users.c.user_id).scalar_subquery()
_TOP = Statement(
    select(
        _users.c.user_id,
        cast(_used, BigInteger).label("used_bytes"),
        _limits.label("limit_bytes"),
        func.count().over().label("looked_at"),
        select(func.count()).select_from(_page).scalar_subquery().label("contents"),
        select(_page.c.user_id).order_by(_page.c.user_id.desc()).limit(1).scalar_subquery().label("last_user_id"),
    )
    .order_by(_used.desc(), _users.c.user_id)
    .limit(_LIMIT)
)
_USER_USAGE = RowReader(UserUsage, _TOP, others=("looked_at", "contents", "last_user_id"))
_CONTENTS = Statement(
    select(col(C.s3_object_key).label("key"), col(C.file_size_bytes).label("size"), col(C.state))
    .where(
        col(C.user_id) == user(),
        col(C.s3_object_key) > bindparam("after", type_=String),
        col(C.s3_object_key) < bindparam("end", type_=String),
    )
    .order_by(col(C.s3_object_key))
    .limit(_LIMIT)
)
_CONTENT = RowReader(CountedContent, _CONTENTS, convert={"state": ContentState})
_NOBODY = UUID(int=0)


class SavegameAccounts:
    """Counts, over one connection, which needs no transaction. Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def top(self, after: UUID | None, contents: int, limit: int) -> TopUsers:
        """The ``limit`` users with most storage among the owners of the next ``contents`` contents.

        A page begins after the user ``after``, or with the first user where that is None.
        """
        rows = await _TOP.all(self._connection, after=after or _NOBODY, contents=contents, limit=limit)
        if not rows:
            return TopUsers([], 0, None)
        first = rows[0]
        last = first["last_user_id"] if first["contents"] == contents else None
        return TopUsers(_USER_USAGE.read_all(rows), first["looked_at"], last)

    async def contents(self, user_id: UUID, after: str, limit: int) -> list[CountedContent]:
        """A user's contents with keys after ``after``, sorted by key."""
        prefix = user_prefix(user_id)
        rows = await _CONTENTS.all(
            self._connection,
            user_id=user_id,
            after=after or prefix,
            end=f"{prefix[:-1]}{chr(ord(prefix[-1]) + 1)}",
            limit=limit,
        )
        return _CONTENT.read_all(rows)
