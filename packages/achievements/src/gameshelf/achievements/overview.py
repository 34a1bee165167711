"""A user's achievements at a glance."""

from uuid import UUID

from gameshelf.achievements.models import UserAchievement
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import user
from sqlalchemy import func, select
from sqlmodel import col

_U = UserAchievement
_UNLOCKED = Statement(
    select(func.count().label("n")).select_from(_U).where(col(_U.user_id) == user(), col(_U.is_unlocked))
)


async def count_unlocked(connection: Connection, user_id: UUID) -> int:
    """How many achievements a user has unlocked. One round trip."""
    row = await _UNLOCKED.first(connection, user_id=user_id)
    return row["n"] if row else 0
