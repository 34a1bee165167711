"""Play that can't be: kept and counted, and shown to support (contract, section 3.3)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from gameshelf.kernel.clock import MAX_CLOCK_LEAD
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import TIME, array, rows, user
from gameshelf.playtime.models import PlaytimeAnomaly, PlaytimeSession, PlaytimeSync
from gameshelf.playtime.rules import Interval, utc_days
from gameshelf.playtime.store import StoredSession
from sqlalchemy import BigInteger, String, and_, any_, bindparam, case, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

LONG_DAY = "long_day"
"""More than 24 hours of raw play on one UTC day, all products and devices together."""
FAST_IMPORT = "fast_import"
"""A device told of more play than time had passed since it last told."""

_DAY = timedelta(days=1)
_LONGEST_SESSION = timedelta(days=7)
"""How far before a day a session may begin and still be looked at: what bounds the work."""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """``subject`` is what it is about: the day, or the device and the time of the import. ``seconds`` is how much."""

    kind: str
    subject: str
    seconds: int


_S = PlaytimeSession
_day = rows("day", start=("starts", TIME), end=("ends", TIME))
_overlap = func.least(col(_S.end_time), _day.c.end) - func.greatest(col(_S.start_time), _day.c.start)
_RAW = Statement(
    select(_day.c.start, func.sum(func.extract("epoch", _overlap)).cast(BigInteger).label("seconds"))
    .select_from(_day)
    .join(
        PlaytimeSession,
        and_(
            col(_S.user_id) == user(),
            col(_S.start_time) > bindparam("earliest", type_=TIME),
            col(_S.start_time) < _day.c.end,
            col(_S.end_time) > _day.c.start,
        ),
    )
    .group_by(_day.c.start)
)
_SYNCED = Statement(
    select(col(PlaytimeSync.device_id), col(PlaytimeSync.synced_at)).where(
        col(PlaytimeSync.user_id) == user(), col(PlaytimeSync.device_id) == any_(array("device_ids", String))
    )
)
_device = rows("device", device_id=("device_ids", String))
_insert_sync = insert(PlaytimeSync).from_select(
    ["user_id", "device_id", "synced_at"],
    select(user(), _device.c.device_id, bindparam("now", type_=TIME)),
    include_defaults=False,
)
_KEEP_SYNC = Statement(
    _insert_sync.on_conflict_do_update(
        index_elements=["user_id", "device_id"], set_={"synced_at": _insert_sync.excluded.synced_at}
    )
)
_found = rows("found", kind=("kinds", String), subject=("subjects", String), seconds=("seconds", BigInteger))
_insert_found = insert(PlaytimeAnomaly).from_select(
    ["user_id", "kind", "subject", "seconds"], select(user(), *_found.c), include_defaults=False
)
# A day is counted anew each time; what a device told of in the same second as before comes on top of that.
_told_before = case((col(PlaytimeAnomaly.kind) == FAST_IMPORT, col(PlaytimeAnomaly.seconds)), else_=0)
_FLAG = Statement(
    _insert_found.on_conflict_do_update(
        index_elements=["user_id", "kind", "subject"],
        set_={"seconds": _told_before + _insert_found.excluded.seconds},
    )
)


def fast_imports(told: Mapping[str, int], synced_at: Mapping[str, datetime], now: datetime) -> list[Anomaly]:
    """Devices that told of more seconds than passed since they last did; the first time tells nothing."""
    found = []
    for device_id, spent in told.items():
        if device_id in synced_at:
            passed = now - synced_at[device_id] + MAX_CLOCK_LEAD
            if spent > passed.total_seconds():
                subject = f"{now:%Y-%m-%dT%H:%M:%SZ} {device_id}".strip()
                found.append(Anomaly(FAST_IMPORT, subject[:100], spent))
    return found


class Anomalies:
    """Looks at what was just written, over the user's transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def look(self, user_id: UUID, ended: Iterable[StoredSession]) -> list[Anomaly]:
        """Days of these sessions with more than 24 hours of raw play."""
        played = [Interval(one.start_time, one.end_time or one.start_time) for one in ended]
        days = utc_days(played)
        if not days:
            return []
        found = await _RAW.all(
            self._connection,
            user_id=user_id,
            starts=[day.start for day in days],
            ends=[day.end for day in days],
            earliest=days[0].start - _LONGEST_SESSION,
        )
        long = [row for row in found if row["seconds"] > _DAY.total_seconds()]
        return await self._flag(
            user_id, [Anomaly(LONG_DAY, row["start"].date().isoformat(), row["seconds"]) for row in long]
        )

    async def look_at_import(self, user_id: UUID, imported: Sequence[StoredSession], now: datetime) -> list[Anomaly]:
        """Devices that told of more than time had passed since they last told. Remembers that they told now."""
        told: dict[str, int] = defaultdict(int)
        for session in imported:
            told[session.device_id] += session.duration_seconds or 0
        synced = await _SYNCED.all(self._connection, user_id=user_id, device_ids=list(told))
        found = fast_imports(told, {row["device_id"]: row["synced_at"] for row in synced}, now)
        await _KEEP_SYNC.run(self._connection, user_id=user_id, device_ids=list(told), now=now)
        return await self._flag(user_id, found)

    async def _flag(self, user_id: UUID, found: list[Anomaly]) -> list[Anomaly]:
        if found:
            await _FLAG.run(
                self._connection,
                user_id=user_id,
                kinds=[anomaly.kind for anomaly in found],
                subjects=[anomaly.subject for anomaly in found],
                seconds=[anomaly.seconds for anomaly in found],
            )
        return found
