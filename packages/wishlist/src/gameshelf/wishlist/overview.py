"""A wishlist at a glance."""

from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import user
from gameshelf.wishlist.models import WishlistItem
from sqlalchemy import func, select
from sqlmodel import col

_COUNT = Statement(select(func.count().label("n")).select_from(WishlistItem).where(col(WishlistItem.user_id) == user()))


async def count_wishes(connection: Connection, user_id: UUID) -> int:
    """How many games a user wishes for. One round trip."""
    row = await _COUNT.first(connection, user_id=user_id)
    return row["n"] if row else 0
