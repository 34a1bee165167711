"""Play that can't be: kept and counted, and shown to support (contract, section 3.3)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from gameshelf.kernel.clock import MAX_CLOCK_LEAD
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import TIME, rows, user
from gameshelf.playtime.models import PlaytimeAnomaly, PlaytimeSession, PlaytimeSync
from gameshelf.playtime.rules import Interval, utc_days
from gameshelf.playtime.store import StoredSession
from sqlalchemy import BigInteger, String, and_, bindparam, case, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

LONG_DAY = "long_day"
"""24 hours or more of raw play on one UTC day, all products and devices together."""
FAST_IMPORT = "fast_import"
"""An import had more play than time has passed since the user's last one, whatever the devices. Before the first one
the time since the user's first access to one of the products counts."""

_DAY = timedelta(days=1)
_LONGEST_SESSION = timedelta(days=7)
"""How far before a day a session may begin and still be looked at: what bounds the work."""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """``subject`` is what it is about: the day, or the time of the import and its device, if it is one device's.
    ``seconds`` is how much.
    """

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
_LAST_SYNC = Statement(
    select(func.max(col(PlaytimeSync.synced_at)).label("synced_at")).where(col(PlaytimeSync.user_id) == user())
)
_insert_sync = insert(PlaytimeSync).values(
    user_id=user(), device_id=bindparam("device_id", type_=String), synced_at=bindparam("now", type_=TIME)
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
# A day is counted anew each time; what was imported in the same second as before comes on top of that.
_told_before = case((col(PlaytimeAnomaly.kind) == FAST_IMPORT, col(PlaytimeAnomaly.seconds)), else_=0)
_FLAG = Statement(
    _insert_found.on_conflict_do_update(
        index_elements=["user_id", "kind", "subject"],
        set_={"seconds": _told_before + _insert_found.excluded.seconds},
    )
)


def fast_import(imported: Sequence[StoredSession], since: datetime, now: datetime) -> Anomaly | None:
    """What is impossible about an import: more seconds than have passed ``since`` the user's last one, clocks that run
    ahead forgiven.
    """
    spent = sum(session.duration_seconds or 0 for session in imported)
    if spent <= (now - since + MAX_CLOCK_LEAD).total_seconds():
        return None
    devices = {session.device_id for session in imported}
    named = devices.pop() if len(devices) == 1 else ""
    return Anomaly(FAST_IMPORT, f"{now:%Y-%m-%dT%H:%M:%SZ} {named}".strip()[:100], spent)


class Anomalies:
    """Looks at what was just written, over the user's transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def look(self, user_id: UUID, ended: Iterable[StoredSession]) -> list[Anomaly]:
        """Days of these sessions with 24 hours or more of raw play."""
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
        long = [row for row in found if row["seconds"] >= _DAY.total_seconds()]
        return await self._flag(
            user_id, [Anomaly(LONG_DAY, row["start"].date().isoformat(), row["seconds"]) for row in long]
        )

    async def look_at_import(
        self, user_id: UUID, imported: Sequence[StoredSession], first_access: datetime, now: datetime
    ) -> list[Anomaly]:
        """Whether these sessions are more than time has passed; remembers that they were imported now.

        ``first_access`` is the user's earliest to one of their products.
        """
        last = await _LAST_SYNC.first(self._connection, user_id=user_id)
        since = (last and last["synced_at"]) or first_access
        # One row a user: the table doesn't grow with what clients call their devices.
        await _KEEP_SYNC.run(self._connection, user_id=user_id, device_id="", now=now)
        found = fast_import(imported, since, now)
        return await self._flag(user_id, [found] if found else [])

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
