"""Anomalies, and the statements that find them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import BoundStatement, Connection, Statement
from gameshelf.kernel.sql import TIME, array, rows, user
from gameshelf.playtime._anomalies import FAST_IMPORT, Anomaly
from gameshelf.playtime._models import PlaytimeAnomaly, PlaytimeSession, PlaytimeSync
from gameshelf.playtime._rules import Interval
from sqlalchemy import BigInteger, String, Uuid, all_, and_, bindparam, case, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

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
            col(_S.id) != all_(array("but", Uuid)),
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
_SAVE_SYNC = Statement(
    _insert_sync.on_conflict_do_update(
        index_elements=["user_id", "device_id"], set_={"synced_at": _insert_sync.excluded.synced_at}
    )
)
_found = rows("found", kind=("kinds", String), subject=("subjects", String), seconds=("seconds", BigInteger))
_insert_found = insert(PlaytimeAnomaly).from_select(
    ["user_id", "kind", "subject", "seconds"], select(user(), *_found.c), include_defaults=False
)
# A day is counted from scratch each time; imports of the same second add up.
_imported_before = case(
    (col(PlaytimeAnomaly.kind) == literal_column(f"'{FAST_IMPORT}'"), col(PlaytimeAnomaly.seconds)),
    else_=literal_column("0"),
)
_FLAG = Statement(
    _insert_found.on_conflict_do_update(
        index_elements=["user_id", "kind", "subject"],
        set_={"seconds": _imported_before + _insert_found.excluded.seconds},
    )
)


def lookup_raw_play(user_id: UUID, days: Sequence[Interval], earliest: datetime, but: Sequence[UUID]) -> BoundStatement:
    """What ``AnomalyStore.raw_play`` reads."""
    return _RAW.bind(
        user_id=user_id,
        starts=[day.start for day in days],
        ends=[day.end for day in days],
        earliest=earliest,
        but=list(but),
    )


class AnomalyStore:
    """Anomalies of one user, over one connection that is inside a transaction. Each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def raw_play(
        self, user_id: UUID, days: Sequence[Interval], earliest: datetime, but: Sequence[UUID]
    ) -> dict[datetime, int]:
        """Seconds of raw play on each of these days, by the start of the day; days without any are left out.

        Sessions that started up to ``earliest`` are not looked at, nor are those of the ids ``but``.
        """
        found = await lookup_raw_play(user_id, days, earliest, but).all(self._connection)
        return {row["start"]: row["seconds"] for row in found}

    async def last_import(self, user_id: UUID) -> datetime | None:
        """When the user last imported sessions; None if never."""
        row = await _LAST_SYNC.first(self._connection, user_id=user_id)
        return row["synced_at"] if row else None

    async def save_import(self, user_id: UUID, now: datetime) -> None:
        """Records that the user imports sessions now."""
        # One row per user: the table does not grow with the names of devices.
        await _SAVE_SYNC.write(self._connection, user_id=user_id, device_id="", now=now)

    async def flag(self, user_id: UUID, found: Sequence[Anomaly]) -> None:
        """Writes anomalies; one that was written before gets the new number of seconds."""
        await _FLAG.write(
            self._connection,
            user_id=user_id,
            kinds=[anomaly.kind for anomaly in found],
            subjects=[anomaly.subject for anomaly in found],
            seconds=[anomaly.seconds for anomaly in found],
        )
