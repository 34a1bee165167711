"""Finds anomalies in sessions that were just written, and flags them for support."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import BoundStatement, Connection
from gameshelf.playtime._anomalies import LONGEST_SESSION, Anomaly, fast_import, long_day
from gameshelf.playtime._rules import Interval, utc_days
from gameshelf.playtime._store.anomalies import AnomalyStore, lookup_raw_play
from gameshelf.playtime._store.sessions import StoredSession


class AnomalyDetector:
    """Looks at one user's play, over one connection that is inside a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._store = AnomalyStore(connection)

    async def long_days(self, user_id: UUID, ended: Sequence[StoredSession]) -> list[Anomaly]:
        """Returns the days with 24 hours or more of raw play, of these sessions together with the stored ones. It does
        not matter whether these are stored already. One statement.
        """
        days = _days_of(ended)
        if not days:
            return []
        played = await self._store.raw_play(user_id, days, *_bounds(days, ended))
        new = [Interval(one.start_time, one.end_time or one.start_time) for one in ended]
        found = (
            long_day(day.start, played.get(day.start, 0) + sum(one.overlap_seconds(day) for one in new)) for day in days
        )
        return [one for one in found if one]

    async def flag(self, user_id: UUID, found: Sequence[Anomaly]) -> None:
        """Stores anomalies. One statement, or none."""
        if found:
            await self._store.flag(user_id, found)

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
        anomaly = fast_import(seconds, device_ids, since, now)
        found = [anomaly] if anomaly else []
        await self.flag(user_id, found)
        return found


def lookup_long_days(user_id: UUID, ended: Sequence[StoredSession]) -> list[BoundStatement]:
    """What ``AnomalyDetector.long_days`` reads."""
    days = _days_of(ended)
    return [lookup_raw_play(user_id, days, *_bounds(days, ended))] if days else []


def _days_of(ended: Sequence[StoredSession]) -> list[Interval]:
    return utc_days(Interval(one.start_time, one.end_time or one.start_time) for one in ended)


def _bounds(days: Sequence[Interval], ended: Sequence[StoredSession]) -> tuple[datetime, list[UUID]]:
    """From when on stored sessions count, and which do not."""
    return days[0].start - LONGEST_SESSION, [one.id for one in ended]
