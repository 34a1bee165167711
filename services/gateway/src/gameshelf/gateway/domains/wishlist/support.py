"""Counts a user's wishlist for ``user show``."""

from typing import Any
from uuid import UUID

from gameshelf.gateway.runtime.support.overview import Overview
from gameshelf.kernel.database import Connection
from gameshelf.wishlist import count_wishes


async def _count(connection: Connection, user_id: UUID) -> dict[str, Any]:
    return {"wishlist_items": await count_wishes(connection, user_id)}


OVERVIEW = Overview(_count)
