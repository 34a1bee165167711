"""Counts a user's library and family sharing for ``user show``."""

from typing import Any
from uuid import UUID

from gameshelf.gateway.runtime.support.overview import Overview
from gameshelf.kernel.database import Connection
from gameshelf.library import library_overview


async def _count(connection: Connection, user_id: UUID) -> dict[str, Any]:
    found = await library_overview(connection, user_id)
    return {
        "games_owned": found.games_owned,
        "games_shared": found.games_shared,
        "family_members": found.family_members,
        "family_owners": found.family_owners,
    }


OVERVIEW = Overview(_count)
