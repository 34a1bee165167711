"""Signs of life, for many sessions at once and without the users' locks.

Heartbeats are kept somewhere fast and may be lost there; what this module writes is the checkpoint that outlives it.
The row of a session decides between a heartbeat and the end: both change it only while it runs, and the end only where
no later sign of life was written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import TIME, rows
from gameshelf.playtime.models import PlaytimeSession
from sqlalchemy import Integer, Uuid, and_, bindparam, func, select, tuple_, update
from sqlmodel import col

_S = PlaytimeSession


@dataclass(frozen=True, slots=True)
class SessionKey:
    """Which session of which user."""

    user_id: UUID
    session_id: UUID


@dataclass(frozen=True, slots=True)
class Beat:
    """A sign of life: the session showed one at ``at``."""

    key: SessionKey
    at: datetime


_beats = rows("beat", user_id=("user_ids", Uuid), id=("session_ids", Uuid), at=("times", TIME))
_SAME = and_(col(_S.user_id) == _beats.c.user_id, col(_S.id) == _beats.c.id)
_CHECKPOINT = Statement(
    update(PlaytimeSession)
    .values(last_heartbeat_at=_beats.c["at"])
    .where(_SAME, col(_S.end_time).is_(None), col(_S.last_heartbeat_at) < _beats.c["at"])
)
_REVIVE = Statement(
    update(PlaytimeSession)
    .values(last_heartbeat_at=func.greatest(col(_S.last_heartbeat_at), _beats.c["at"]))
    .where(_SAME, col(_S.end_time).is_(None))
    .returning(col(_S.user_id), col(_S.id))
)
_KNOWN = Statement(select(col(_S.user_id), col(_S.id)).select_from(_beats).join(PlaytimeSession, _SAME))
_RUNNING = Statement(
    select(col(_S.user_id), col(_S.id), col(_S.last_heartbeat_at))
    .where(
        col(_S.end_time).is_(None),
        tuple_(col(_S.user_id), col(_S.id))
        > tuple_(bindparam("after_user", type_=Uuid), bindparam("after_session", type_=Uuid)),
    )
    .order_by(col(_S.user_id), col(_S.id))
    .limit(bindparam("limit", type_=Integer))
)
NOBODY = SessionKey(UUID(int=0), UUID(int=0))
"""Before every session."""


class Liveness:
    """Signs of life over one connection. The work of each method is one statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def checkpoint(self, beats: Sequence[Beat]) -> int:
        """Writes down when running sessions last showed a sign of life; how many were news."""
        return await _CHECKPOINT.run(self._connection, **_columns(beats))

    async def revive(self, beats: Sequence[Beat]) -> set[SessionKey]:
        """Of these sessions those that run; their sign of life is written, so nothing ends them before it."""
        found = await _REVIVE.all(self._connection, **_columns(beats))
        return {SessionKey(row["user_id"], row["id"]) for row in found}

    async def known(self, keys: Sequence[SessionKey]) -> set[SessionKey]:
        """Of these sessions those that there are, running or ended."""
        beats = [Beat(key, _EPOCH) for key in keys]
        return {SessionKey(row["user_id"], row["id"]) for row in await _KNOWN.all(self._connection, **_columns(beats))}

    async def running(self, after: SessionKey, limit: int) -> list[Beat]:
        """Running sessions behind ``after``, in the order of their keys, each with its newest checkpoint."""
        found = await _RUNNING.all(
            self._connection, after_user=after.user_id, after_session=after.session_id, limit=limit
        )
        return [Beat(SessionKey(row["user_id"], row["id"]), row["last_heartbeat_at"]) for row in found]


def _columns(beats: Sequence[Beat]) -> dict[str, list[object]]:
    # In the order of the keys, so that two batches never wait for each other crosswise.
    ordered = sorted(beats, key=lambda beat: (beat.key.user_id, beat.key.session_id))
    return {
        "user_ids": [beat.key.user_id for beat in ordered],
        "session_ids": [beat.key.session_id for beat in ordered],
        "times": [beat.at for beat in ordered],
    }


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Watch:
    """Whether heartbeats have been kept without a break, as two witnesses say: the fast store and the database."""

    ticks: int
    """How often both were seen to agree; the fast store's count falls behind when it was emptied or rolled back."""
    seen_at: datetime
    since: datetime
    """Since when nothing was missed."""


def next_watch(fast_ticks: int | None, kept: Watch | None, now: datetime, longest_gap: timedelta) -> Watch:
    """The watch after one more look. ``fast_ticks`` is the fast store's count, None when it has none.

    After any break (the store away, emptied or rolled back, or nobody looking) the watch begins anew: a session may
    only be taken for dead once heartbeats have been kept for a full time-out without a break (contract, section 3.3).
    """
    if kept is None:
        return Watch(1, now, now)
    unbroken = fast_ticks == kept.ticks and now - kept.seen_at <= longest_gap
    return Watch(kept.ticks + 1, now, kept.since if unbroken else now)


def may_end(watch: Watch, now: datetime, timeout: timedelta) -> bool:
    """Whether a session that showed no sign of life for a time-out may be taken for dead."""
    return now - watch.since >= timeout
