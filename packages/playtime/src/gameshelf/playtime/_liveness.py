"""Signs of life of running sessions: the values, and the shards that instances share.

Heartbeats are kept in a fast store and may be lost there; ``store/liveness.py`` writes checkpoints, which survive it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from gameshelf.playtime._models import SHARDS
from gameshelf.playtime._watch import Watch

_SHARD_BITS = 128 - (SHARDS - 1).bit_length()


# Tuples, since there may be tens of thousands per second, and they are sorted.
class SessionKey(NamedTuple):
    """A session and its user."""

    user_id: UUID
    session_id: UUID


class SessionEnd(NamedTuple):
    """The end of a session, and its reason."""

    end_time: datetime
    end_reason: str


class Beat(NamedTuple):
    """A sign of life of a session at ``at`` (aware)."""

    key: SessionKey
    at: datetime


@dataclass(frozen=True, slots=True)
class ShardWatch:
    """The state of the watch over one shard of the running sessions."""

    shard: int
    watch: Watch
    checkpointed_at: datetime
    """Signs of life up to this time are written to the sessions."""
    swept_at: datetime
    """When every running session was last written to the fast store."""


def shard_of(session_id: UUID) -> int:
    """The one of the ``SHARDS`` parts that a session belongs to: the first digit of its id."""
    return session_id.int >> _SHARD_BITS


def before_shard(shard: int) -> UUID:
    """The id that precedes all ids of a shard."""
    return UUID(int=max((shard << _SHARD_BITS) - 1, 0))
