"""A user's play in a few numbers."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import user
from gameshelf.playtime._models import PlaytimeAnomaly, PlaytimeSession, PlaytimeTotal
from sqlalchemy import BigInteger, cast, func, select
from sqlmodel import col


@dataclass(frozen=True, slots=True)
class PlaytimeOverview:
    """How long a user has played in all, when last, and how many sessions run."""

    total_seconds: int
    """With support's corrections."""
    last_played_at: datetime | None
    running_sessions: int
    anomalies: int


_T, _S, _A = PlaytimeTotal, PlaytimeSession, PlaytimeAnomaly
_running = select(func.count()).select_from(_S).where(col(_S.user_id) == user(), col(_S.end_time).is_(None))
_anomalies = select(func.count()).select_from(_A).where(col(_A.user_id) == user())
_OVERVIEW = Statement(
    select(
        cast(func.coalesce(func.sum(col(_T.played_seconds) + col(_T.corrected_seconds)), 0), BigInteger).label(
            "total_seconds"
        ),
        func.max(col(_T.last_played_at)).label("last_played_at"),
        _running.scalar_subquery().label("running_sessions"),
        _anomalies.scalar_subquery().label("anomalies"),
    ).where(col(_T.user_id) == user())
)
_NUMBERS = RowReader(PlaytimeOverview, _OVERVIEW)


async def playtime_overview(connection: Connection, user_id: UUID) -> PlaytimeOverview:
    """A user's play in numbers. One round trip."""
    row = await _OVERVIEW.first(connection, user_id=user_id)
    assert row is not None
    return _NUMBERS.read(row)
