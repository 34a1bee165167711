"""Rewrites the item ids of earlier releases to UUIDs of version 8, in parts.

Only the stored ids differ: ids are compared as if all of them were rewritten already (``_item_ids.py``).
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.serialise import Serialise, by_advisory_lock
from gameshelf.kernel.sql import TIME, user
from gameshelf.library._item_ids import masked_sql
from gameshelf.library._models import ItemCategory, ItemIdRewrite, LibraryItem
from sqlalchemy import Boolean, Integer, Uuid, bindparam, select, tuple_, update
from sqlmodel import col

_R, _I, _C = ItemIdRewrite, LibraryItem, ItemCategory
BEGINNING = UUID(int=0)


@dataclass(frozen=True, slots=True)
class RewriteProgress:
    """How far the rewriting has come: up to this item, or finished. Times are aware."""

    not_before: datetime
    """When the next part may be rewritten; the first one is rewritten once the rollout is over."""
    user_id: UUID
    item_id: UUID
    has_skipped: bool
    """Whether a user was skipped since the beginning: then it begins again after the end."""
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class RewritePart:
    """The next items in order of user and id: the last one, and the users whose ids are to be rewritten."""

    last: tuple[UUID, UUID] | None
    """None past the end."""
    user_ids: tuple[UUID, ...]


# Only the instance that locks the row rewrites; the others skip their turn.
_LOCK_PROGRESS = Statement(
    select(
        col(_R.not_before),
        col(_R.after_user).label("user_id"),
        col(_R.after_item).label("item_id"),
        col(_R.has_skipped),
        col(_R.finished_at),
    ).with_for_update(skip_locked=True)
)
_PROGRESS = RowReader(RewriteProgress, _LOCK_PROGRESS)
_SCAN = Statement(
    select(col(_I.user_id), col(_I.id), (col(_I.id) != masked_sql(col(_I.id))).label("is_old"))
    .where(
        tuple_(col(_I.user_id), col(_I.id))
        > tuple_(bindparam("after_user_id", type_=Uuid), bindparam("after_item_id", type_=Uuid))
    )
    .order_by(col(_I.user_id), col(_I.id))
    .limit(bindparam("limit", type_=Integer))
)
# In one statement: the links' foreign key is checked at its end.
_items = (
    update(LibraryItem)
    .where(col(_I.user_id) == user(), col(_I.id) != masked_sql(col(_I.id)))
    .values(id=masked_sql(col(_I.id)))
    .cte("items")
)
_REWRITE = Statement(
    update(ItemCategory)
    .where(col(_C.user_id) == user(), col(_C.library_item_id) != masked_sql(col(_C.library_item_id)))
    .values(library_item_id=masked_sql(col(_C.library_item_id)))
    .add_cte(_items)
)
_SAVE_PROGRESS = Statement(
    update(ItemIdRewrite).values(
        not_before=bindparam("new_not_before", type_=TIME),
        after_user=bindparam("new_user_id", type_=Uuid),
        after_item=bindparam("new_item_id", type_=Uuid),
        has_skipped=bindparam("new_has_skipped", type_=Boolean),
        finished_at=bindparam("new_finished_at", type_=TIME),
    )
)


class ItemIdRewrites:
    """The rewriting over one connection inside a transaction. Each method is one statement.

    ``serialise`` lets one transaction at a time change a user's library: by default an advisory lock.
    """

    def __init__(self, connection: Connection, serialise: Serialise | None = None) -> None:
        self._connection = connection
        self._serialise = serialise or by_advisory_lock(connection)

    async def lock_progress(self) -> RewriteProgress | None:
        """Locks the progress until the transaction ends, and returns it; None while another transaction locks it."""
        row = await _LOCK_PROGRESS.first(self._connection)
        return _PROGRESS.read_optional(row)

    async def scan(self, progress: RewriteProgress, limit: int) -> RewritePart:
        """Returns the next part, of ``limit`` items."""
        found = await _SCAN.all(
            self._connection, after_user_id=progress.user_id, after_item_id=progress.item_id, limit=limit
        )
        last = (found[-1]["user_id"], found[-1]["id"]) if found else None
        return RewritePart(last, tuple(dict.fromkeys(row["user_id"] for row in found if row["is_old"])))

    async def rewrite(self, user_id: UUID) -> None:
        """Rewrites the ids of a user's items and of the rows that refer to them."""
        await self._serialise(user_id)
        await _REWRITE.run(self._connection, user_id=user_id)

    async def save_progress(self, progress: RewriteProgress) -> None:
        """Stores the progress."""
        await _SAVE_PROGRESS.run(
            self._connection,
            new_not_before=progress.not_before,
            new_user_id=progress.user_id,
            new_item_id=progress.item_id,
            new_has_skipped=progress.has_skipped,
            new_finished_at=progress.finished_at,
        )
