"""Signs of life, for many sessions at once and without the users' locks.

Heartbeats are kept somewhere fast and may be lost there; what this module writes is the checkpoint that outlives it.
The row of a session decides between a heartbeat and the end: both change it only while it runs, and the end only where
no later sign of life was written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.sql import TIME, rows
from gameshelf.playtime.models import SHARDS, PlaytimeSession, PlaytimeWatch
from gameshelf.playtime.watch import Watch
from sqlalchemy import BigInteger, Integer, SmallInteger, Uuid, and_, bindparam, func, literal, select, update
from sqlmodel import col

_S, _W = PlaytimeSession, PlaytimeWatch
_SHARD_BITS = 128 - (SHARDS - 1).bit_length()


# Tuples: there may be tens of thousands a second, and they are sorted.
class SessionKey(NamedTuple):
    """Which session of which user."""

    user_id: UUID
    session_id: UUID


class SessionEnd(NamedTuple):
    """When a session ended, and why."""

    end_time: datetime
    end_reason: str


class Beat(NamedTuple):
    """A sign of life: the session showed one at ``at`` (aware)."""

    key: SessionKey
    at: datetime


@dataclass(frozen=True, slots=True)
class ShardWatch:
    """How one shard of the running sessions is watched."""

    shard: int
    watch: Watch
    checkpointed_at: datetime
    """Signs of life up to here are written to the sessions."""
    swept_at: datetime
    """When every running session was last brought into the fast store."""


def shard_of(session_id: UUID) -> int:
    """Which of the ``SHARDS`` parts a session belongs to: the first digit of its id."""
    return session_id.int >> _SHARD_BITS


def before_shard(shard: int) -> UUID:
    """The id before all ids of a shard."""
    return UUID(int=max((shard << _SHARD_BITS) - 1, 0))


_beats = rows("beat", user_id=("user_ids", Uuid), id=("session_ids", Uuid), at=("times", TIME))
_SAME = and_(col(_S.user_id) == _beats.c.user_id, col(_S.id) == _beats.c.id)
_CHECKPOINT = Statement(
    update(PlaytimeSession)
    .values(last_heartbeat_at=_beats.c["at"])
    .where(_SAME, col(_S.end_time).is_(None), col(_S.last_heartbeat_at) < _beats.c["at"])
)
_free = (
    select(col(_S.user_id), col(_S.id), _beats.c["at"])
    .select_from(_beats)
    .join(PlaytimeSession, and_(_SAME, col(_S.end_time).is_(None)))
    .with_for_update(of=PlaytimeSession, skip_locked=True)
    .cte("free")
)
_CHECKPOINT_FREE = Statement(
    update(PlaytimeSession)
    .values(last_heartbeat_at=_free.c["at"])
    .where(
        col(_S.user_id) == _free.c.user_id,
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
_is_running = select(literal(1)).where(_SAME, col(_S.end_time).is_(None)).correlate(_beats).exists()
_NOT_RUNNING = Statement(select(_beats.c.user_id, _beats.c.id).where(~_is_running))
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
# An instance that is busy with a shard keeps it: here nobody waits.
_TAKE = Statement(select(*_WATCH_COLUMNS).where(_SHARD).with_for_update(skip_locked=True))
_KEEP = Statement(
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
    """Signs of life over one connection. Each method is one statement, or two where it says so."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def checkpoint(self, beats: Sequence[Beat], *, skip_held: bool = False) -> set[SessionKey]:
        """Writes down when sessions last showed a sign of life; those of them that don't run.

        A second statement looks for these, and only when some sign of life was no news. With ``skip_held`` a session
        whose row somebody else has locked is left as it is.
        """
        columns = _columns(beats)
        write = _CHECKPOINT_FREE if skip_held else _CHECKPOINT
        if await write.run(self._connection, **columns) == len(beats):
            return set()
        return {_key(row) for row in await _NOT_RUNNING.all(self._connection, **columns)}

    async def revive(self, beats: Sequence[Beat]) -> set[SessionKey]:
        """Of these sessions those that run; their sign of life is written, so nothing ends them before it."""
        return {_key(row) for row in await _REVIVE.all(self._connection, **_columns(beats))}

    async def known(self, keys: Sequence[SessionKey]) -> dict[SessionKey, SessionEnd | None]:
        """Of these sessions those that there are, each with its end, None while it runs."""
        beats = [Beat(key, _EPOCH) for key in keys]
        rows = await _KNOWN.all(self._connection, **_columns(beats))
        return {
            _key(row): SessionEnd(row["end_time"], row["end_reason"]) if row["end_time"] is not None else None
            for row in rows
        }

    async def running(self, shard: int, after: UUID, limit: int) -> list[Beat]:
        """Running sessions of a shard with ids behind ``after``, by id, each with its newest checkpoint."""
        found = await _RUNNING.all(self._connection, after=after, through=before_shard(shard + 1), limit=limit)
        return [Beat(_key(row), row["last_heartbeat_at"]) for row in found]

    async def running_of(self, user_id: UUID) -> list[SessionKey]:
        """The sessions of a user that run."""
        rows = await _RUNNING_OF_USER.all(self._connection, user_id=user_id)
        return [SessionKey(user_id, row["id"]) for row in rows]

    async def watches(self) -> list[ShardWatch]:
        """How every shard is watched."""
        return [_watch(row) for row in await _WATCHES.all(self._connection)]

    async def take(self, shard: int) -> ShardWatch | None:
        """Locks a shard's watch until the transaction ends; None while another instance has it."""
        row = await _TAKE.first(self._connection, for_shard=shard)
        return _watch(row) if row else None

    async def keep(self, watched: ShardWatch) -> None:
        """Writes down how a shard was watched; the caller has taken it."""
        await _KEEP.run(
            self._connection,
            for_shard=watched.shard,
            new_ticks=watched.watch.ticks,
            new_seen_at=watched.watch.seen_at,
            new_since=watched.watch.since,
            new_checkpointed_at=watched.checkpointed_at,
            new_swept_at=watched.swept_at,
        )

    async def interrupt(self, now: datetime) -> None:
        """Heartbeats were missed: nobody is taken for dead for a full time-out from now on."""
        await _INTERRUPT.run(self._connection, now=now)


def _key(row: Any) -> SessionKey:
    return SessionKey(row[0], row[1])


def _watch(row: Any) -> ShardWatch:
    shard, ticks, seen_at, since, checkpointed_at, swept_at = row
    return ShardWatch(shard, Watch(ticks, seen_at, since), checkpointed_at, swept_at)


def _columns(beats: Sequence[Beat]) -> dict[str, list[object]]:
    # In the order of the keys, so that two batches never wait for each other crosswise.
    ordered = sorted(beats)
    return {
        "user_ids": [beat.key.user_id for beat in ordered],
        "session_ids": [beat.key.session_id for beat in ordered],
        "times": [beat.at for beat in ordered],
    }


_EPOCH = datetime.fromtimestamp(0, UTC)
