"""Storage that saves use, user by user, summed from the contents: there is no counter that could drift."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import array, user
from gameshelf.savegames._models import ContentState, SavegameQuota
from gameshelf.savegames._naming import user_prefix
from gameshelf.savegames._store.expressions import IS_FILE, IS_LIVE, C
from gameshelf.savegames._usage_comparison import CountedContent
from sqlalchemy import BigInteger, Integer, String, Uuid, any_, bindparam, case, cast, func, select
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


# The page alone, since it goes through an index of all users. What each of them uses is then counted on their shard.
_page = (
    select(col(C.user_id))
    .where(IS_LIVE, col(C.user_id) > bindparam("after", type_=Uuid))
    .order_by(col(C.user_id))
    .limit(bindparam("contents", type_=Integer))
    .subquery("page")
)
_PAGE = Statement(
    select(_page.c.user_id, func.count().label("contents")).group_by(_page.c.user_id).order_by(_page.c.user_id)
)
# All contents of a user on the page are counted, so that the sum is the one that the user's quota shows.
_used_bytes = cast(func.coalesce(func.sum(case((IS_FILE, col(C.file_size_bytes)))), 0), BigInteger)
_limit_bytes = select(col(_Q.limit_bytes)).where(col(_Q.user_id) == col(C.user_id)).scalar_subquery()
_TOP = Statement(
    select(col(C.user_id), _used_bytes.label("used_bytes"), _limit_bytes.label("limit_bytes"))
    .where(col(C.user_id) == any_(array("user_ids", Uuid)), IS_LIVE)
    .group_by(col(C.user_id))
    .order_by(_used_bytes.desc(), col(C.user_id))
    .limit(_LIMIT)
)
_USER_USAGE = RowReader(UserUsage, _TOP)
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
    """Counts, over one connection, which needs no transaction. Each method is one statement, but for ``top``, which is
    two.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def top(self, after: UUID | None, contents: int, limit: int) -> TopUsers:
        """The ``limit`` users with most storage among the owners of the next ``contents`` contents.

        A page begins after the user ``after``, or with the first user where that is None.
        """
        page = await _PAGE.all(self._connection, after=after or _NOBODY, contents=contents)
        if not page:
            return TopUsers([], 0, None)
        user_ids = [row["user_id"] for row in page]
        rows = await _TOP.all(self._connection, user_ids=user_ids, limit=limit)
        is_full = sum(row["contents"] for row in page) == contents
        return TopUsers(_USER_USAGE.read_all(rows), len(page), user_ids[-1] if is_full else None)

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
