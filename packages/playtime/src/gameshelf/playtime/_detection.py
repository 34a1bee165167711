"""Finds anomalies in sessions that were just written, and flags them for support."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import Connection
from gameshelf.playtime._anomalies import LONGEST_SESSION, Anomaly, fast_import, long_day
from gameshelf.playtime._rules import Interval, utc_days
from gameshelf.playtime._store.anomalies import AnomalyStore
from gameshelf.playtime._store.sessions import StoredSession


class AnomalyDetector:
    """Looks at one user's play, over one connection that is inside a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._store = AnomalyStore(connection)

    async def flag_long_days(self, user_id: UUID, ended: Iterable[StoredSession]) -> list[Anomaly]:
        """Flags the days of these sessions with 24 hours or more of raw play. At most two statements."""
        days = utc_days(Interval(one.start_time, one.end_time or one.start_time) for one in ended)
        if not days:
            return []
        played = await self._store.raw_play(user_id, days, days[0].start - LONGEST_SESSION)
        return await self._flag(user_id, [long_day(start, seconds) for start, seconds in played.items()])

    async def flag_import(
        self, user_id: UUID, imported: Sequence[StoredSession], first_access: datetime, now: datetime
    ) -> list[Anomaly]:
        """Flags these sessions if they are more play than time has passed, and records that they are imported now.

        ``first_access`` is the user's earliest to one of their products. At most three statements.
        """
        since = await self._store.last_import(user_id) or first_access
        await self._store.save_import(user_id, now)
        seconds = sum(session.duration_seconds or 0 for session in imported)
        device_ids = {session.device_id for session in imported}
        return await self._flag(user_id, [fast_import(seconds, device_ids, since, now)])

    async def _flag(self, user_id: UUID, looked_at: Iterable[Anomaly | None]) -> list[Anomaly]:
        found = [anomaly for anomaly in looked_at if anomaly]
        if found:
            await self._store.flag(user_id, found)
        return found
