"""Counts a user's game settings for ``user show``."""

from typing import Any
from uuid import UUID

from gameshelf.gateway.runtime.support.overview import Overview
from gameshelf.kernel.database import Connection
from gameshelf.settings import count_games_with_settings


async def _count(connection: Connection, user_id: UUID) -> dict[str, Any]:
    return {"games_with_settings": await count_games_with_settings(connection, user_id)}


OVERVIEW = Overview(_count)
