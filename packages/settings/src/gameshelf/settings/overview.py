"""A user's settings at a glance."""

from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import user
from gameshelf.settings.models import GameSettings, SettingsOverlay
from sqlalchemy import func, or_, select
from sqlmodel import col

_G, _O = GameSettings, SettingsOverlay
_has_overlay = select(_O).where(col(_O.user_id) == col(_G.user_id), col(_O.product_id) == col(_G.product_id)).exists()
_COUNT = Statement(
    select(func.count().label("n"))
    .select_from(_G)
    .where(col(_G.user_id) == user(), or_(col(_G.settings_payload).is_not(None), _has_overlay))
)


async def count_games_with_settings(connection: Connection, user_id: UUID) -> int:
    """Of how many games a user has settings; deleted ones don't count. One round trip."""
    row = await _COUNT.first(connection, user_id=user_id)
    return row["n"] if row else 0
