"""Counts a user's cloud saves for ``user show``."""

from typing import Any
from uuid import UUID

from gameshelf.gateway.runtime.support.overview import Overview
from gameshelf.kernel.database import Connection
from gameshelf.savegames import Limits, SavegameQueries, savegame_overview


def overview(limits: Limits) -> Overview:
    """Counts saves and the bytes of the quota. Two round trips."""

    async def count(connection: Connection, user_id: UUID) -> dict[str, Any]:
        saves = await savegame_overview(connection, user_id)
        usage = await SavegameQueries(connection).usage(user_id)
        return {
            "saves": saves.saves,
            "saves_in_trash": saves.saves_in_trash,
            "open_conflicts": saves.open_conflicts,
            "used_bytes": usage.used_bytes,
            "reserved_bytes": usage.reserved_bytes,
            "limit_bytes": limits.quota_bytes if usage.limit_bytes is None else usage.limit_bytes,
        }

    return Overview(count, volatile=frozenset({"reserved_bytes", "limit_bytes"}))
