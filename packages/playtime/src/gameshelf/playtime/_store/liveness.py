"""Signs of life of many sessions at once, without the users' locks.

Heartbeats are kept in a fast store and may be lost there; the checkpoints that this module writes survive it. The row
of a session decides between a heartbeat and the end: both change it only while it runs, and the end only where no later
sign of life was written.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from asyncpg import Record
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import TIME, rows, user
from gameshelf.playtime._liveness import Beat, SessionEnd, SessionKey, ShardWatch, before_shard
from gameshelf.playtime._models import PlaytimeSession, PlaytimeWatch
from gameshelf.playtime._watch import Watch
from sqlalchemy import BigInteger, Integer, SmallInteger, Uuid, and_, bindparam, func, select, update
from sqlmodel import col

_S, _W = PlaytimeSession, PlaytimeWatch
_EPOCH = datetime.fromtimestamp(0, UTC)

_beats = rows("beat", user_id=("user_ids", Uuid), id=("session_ids", Uuid), at=("times", TIME))
_SAME = and_(col(_S.user_id) == _beats.c.user_id, col(_S.id) == _beats.c.id)
_CHECKPOINT = Statement(
    update(PlaytimeSession)
    .values(last_heartbeat_at=_beats.c["at"])
    .where(_SAME, col(_S.end_time).is_(None), col(_S.last_heartbeat_at) < _beats.c["at"])
)
# Of one user: rows on several shards can't be locked by one statement.
_own = rows("own", id=("session_ids", Uuid), at=("times", TIME))
_free = (
    select(col(_S.id), _own.c["at"])
    .select_from(_own)
    .join(PlaytimeSession, and_(col(_S.user_id) == user(), col(_S.id) == _own.c.id, col(_S.end_time).is_(None)))
    .with_for_update(of=PlaytimeSession, skip_locked=True)
    .cte("free")
)
_CHECKPOINT_FREE = Statement(
    update(PlaytimeSession)
    .values(last_heartbeat_at=_free.c["at"])
    .where(
        col(_S.user_id) == user(),
        col(_S.id) == _free.c.id,
        col(_S.end_time).is_(None),
        col(_S.last_heartbeat_at) < _free.c["at"],
    )
)
_REVIVE = Statement(
    update(PlaytimeSession)
    .values(last_heartbeat_at=func.greatest(col(_S.last_heartbeat_at), _beats.c["at"]))
    .where(_SAME, col(_S.end_time).is_(None))
    .returning(col(_S.user_id), col(_S.id))
)
_KNOWN = Statement(
    select(col(_S.user_id), col(_S.id), col(_S.end_time), col(_S.end_reason))
    .select_from(_beats)
    .join(PlaytimeSession, _SAME)
)
_RUNNING = Statement(
    select(col(_S.user_id), col(_S.id), col(_S.last_heartbeat_at))
    .where(
        col(_S.end_time).is_(None),
        col(_S.id) > bindparam("after", type_=Uuid),
        col(_S.id) <= bindparam("through", type_=Uuid),
    )
    .order_by(col(_S.id))
    .limit(bindparam("limit", type_=Integer))
)
_RUNNING_OF_USER = Statement(
    select(col(_S.id)).where(col(_S.user_id) == bindparam("user_id", type_=Uuid), col(_S.end_time).is_(None))
)

_WATCH_COLUMNS = (
    col(_W.shard),
    col(_W.ticks),
    col(_W.seen_at),
    col(_W.since),
    col(_W.checkpointed_at),
    col(_W.swept_at),
)
_WATCHES = Statement(select(*_WATCH_COLUMNS).order_by(col(_W.shard)))
_SHARD = col(_W.shard) == bindparam("for_shard", type_=SmallInteger)
# Nobody waits for an instance that works on a shard.
_LOCK_WATCH = Statement(select(*_WATCH_COLUMNS).where(_SHARD).with_for_update(skip_locked=True))
_WATCH = RowReader(Watch, _WATCHES, _LOCK_WATCH, others=("shard", "checkpointed_at", "swept_at"))
_SHARD_WATCH = RowReader(ShardWatch, _WATCHES, _LOCK_WATCH, others=(_WATCH,), given=("watch",))
_SAVE_WATCH = Statement(
    update(PlaytimeWatch)
    .values(
        ticks=bindparam("new_ticks", type_=BigInteger),
        seen_at=bindparam("new_seen_at", type_=TIME),
        since=bindparam("new_since", type_=TIME),
        checkpointed_at=bindparam("new_checkpointed_at", type_=TIME),
        swept_at=bindparam("new_swept_at", type_=TIME),
    )
    .where(_SHARD)
)
_INTERRUPT = Statement(update(PlaytimeWatch).values(since=bindparam("now", type_=TIME)))


class Liveness:
    """Signs of life over one connection. Each method is one statement, unless it states otherwise."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def checkpoint(self, beats: Sequence[Beat], *, skip_held: bool = False) -> set[SessionKey]:
        """Writes the last signs of life of sessions. Returns those of the sessions that do not run.

        A second statement finds them, and only when a sign of life was not newer than the stored one. With
        ``skip_held`` a session whose row is locked stays as it is, and each user has a statement.
        """
        if skip_held:
            written = await self._checkpoint_free(beats)
        else:
            written = await _CHECKPOINT.run(self._connection, **_columns(beats))
        if written == len(beats):
            return set()
        keys = [beat.key for beat in beats]
        known = await self.known_sessions(keys)
        return {key for key in keys if key not in known or known[key] is not None}

    async def _checkpoint_free(self, beats: Sequence[Beat]) -> int:
        users: dict[UUID, list[Beat]] = {}
        for beat in beats:
            users.setdefault(beat.key.user_id, []).append(beat)
        written = 0
        for user_id, own in users.items():
            ids, times = [beat.key.session_id for beat in own], [beat.at for beat in own]
            written += await _CHECKPOINT_FREE.run(self._connection, user_id=user_id, session_ids=ids, times=times)
        return written

    async def revive(self, beats: Sequence[Beat]) -> set[SessionKey]:
        """Writes signs of life, so that nothing ends the sessions before them. Returns the sessions that run."""
        return {_key(row) for row in await _REVIVE.all(self._connection, **_columns(beats))}

    async def known_sessions(self, keys: Sequence[SessionKey]) -> dict[SessionKey, SessionEnd | None]:
        """Those of these sessions that exist, each with its end, None while it runs."""
        rows = await _KNOWN.all(self._connection, **_columns([Beat(key, _EPOCH) for key in keys]))
        return {
            _key(row): SessionEnd(row["end_time"], row["end_reason"]) if row["end_time"] is not None else None
            for row in rows
        }

    async def running(self, shard: int, after: UUID, limit: int) -> list[Beat]:
        """Running sessions of a shard whose ids follow ``after``, by id, each with its newest checkpoint."""
        found = await _RUNNING.all(self._connection, after=after, through=before_shard(shard + 1), limit=limit)
        return [Beat(_key(row), row["last_heartbeat_at"]) for row in found]

    async def running_of_user(self, user_id: UUID) -> list[SessionKey]:
        """The running sessions of a user."""
        rows = await _RUNNING_OF_USER.all(self._connection, user_id=user_id)
        return [SessionKey(user_id, row["id"]) for row in rows]

    async def watches(self) -> list[ShardWatch]:
        """The watches of all shards."""
        return [_watch(row) for row in await _WATCHES.all(self._connection)]

    async def lock_watch(self, shard: int) -> ShardWatch | None:
        """Locks a shard's watch until the transaction ends; None while another instance has locked it."""
        row = await _LOCK_WATCH.first(self._connection, for_shard=shard)
        return _watch(row) if row else None

    async def save_watch(self, watched: ShardWatch) -> None:
        """Writes the state of a shard's watch, which the caller has locked."""
        await _SAVE_WATCH.run(
            self._connection,
            for_shard=watched.shard,
            new_ticks=watched.watch.ticks,
            new_seen_at=watched.watch.seen_at,
            new_since=watched.watch.since,
            new_checkpointed_at=watched.checkpointed_at,
            new_swept_at=watched.swept_at,
        )

    async def interrupt(self, now: datetime) -> None:
        """Restarts the watches after missed heartbeats: no session counts as dead for a full time-out from ``now``."""
        await _INTERRUPT.run(self._connection, now=now)


def _key(row: Record) -> SessionKey:
    return SessionKey(row["user_id"], row["id"])


def _watch(row: Record) -> ShardWatch:
    return _SHARD_WATCH.read(row, watch=_WATCH.read(row))


def _columns(beats: Sequence[Beat]) -> dict[str, Any]:
    # In the order of the keys, so that two batches never deadlock.
    ordered = sorted(beats)
    return {
        "user_ids": [beat.key.user_id for beat in ordered],
        "session_ids": [beat.key.session_id for beat in ordered],
        "times": [beat.at for beat in ordered],
    }
