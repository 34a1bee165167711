"""Playtime's part of ``find``: sessions."""

from collections.abc import Sequence

from gameshelf.gateway.runtime.support.finding import FoundThing, Sought
from gameshelf.kernel.database import Connection
from gameshelf.playtime import FoundSession, found_sessions


async def find_sessions(connection: Connection, sought: Sought, limit: int) -> Sequence[FoundThing]:
    """Finds sessions by id, running or ended. One round trip at most."""
    if sought.ids is None:
        return []
    return [_session(one) for one in await found_sessions(connection, sought.ids.low, sought.ids.high, limit)]


def _session(of: FoundSession) -> FoundThing:
    return FoundThing(
        kind="session",
        id=str(of.id),
        user_id=of.user_id,
        product_id=of.product_id,
        name=of.device_id,
        state="running" if of.end_time is None else "ended",
        created_at=of.start_time,
    )
