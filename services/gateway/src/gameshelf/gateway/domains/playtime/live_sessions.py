"""Running sessions in Redis, with the time of their last heartbeat. All of it may be lost; PostgreSQL has a checkpoint.

There is one sorted set per shard: a member is user and session, its score the time of the newest heartbeat in
milliseconds. A session that is not a member has ended, never existed, or was lost; PostgreSQL knows which. Each set
also counts the checks of it, by which a watch notices that the set was emptied or rolled back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from asyncpg.pgproto.pgproto import UUID as FastUUID
from gameshelf.playtime import SHARDS, Beat, Seen, SessionKey
from redis.asyncio import Redis

Member = bytes
"""16 bytes of the user's id, 16 of the session's."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
SESSION_KEYS = [f"playtime:live:{shard}" for shard in range(SHARDS)]
_ACCEPTED = "playtime:accepted"
_TICKS = b"ticks"
# The count is a negative score, so that no range of times contains it.
_CLAIM = """
if redis.call('ZSCORE', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return nil
end
local claimed = {}
for index = 3, #ARGV, 2 do
  if redis.call('ZSCORE', KEYS[1], ARGV[index]) == ARGV[index + 1] then
    redis.call('ZREM', KEYS[1], ARGV[index])
    claimed[#claimed + 1] = ARGV[index]
  end
end
return claimed
"""


def member(user_id: UUID, session_id: UUID) -> Member:
    return user_id.bytes + session_id.bytes


def session_key(of: Member) -> SessionKey:
    return SessionKey(FastUUID(of[:16]), FastUUID(of[16:]))


def milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


def moment(score: float) -> datetime:
    return datetime.fromtimestamp(score / 1000, UTC)


@dataclass(slots=True)
class SessionChanges:
    """Changes to write together: sessions that began, sessions that ended, and heartbeats, by member."""

    started: dict[Member, int] = field(default_factory=dict)
    ended: set[Member] = field(default_factory=set)
    beats: dict[Member, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.started or self.ended or self.beats)


class LiveSessions:
    """The sorted sets. Every method raises REDIS_ERRORS while Redis is away."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._claim = redis.register_script(_CLAIM)

    async def write(self, changes: SessionChanges) -> set[Member]:
        """Writes changes in one round trip; returns the heartbeats whose session is missing.

        Only if a heartbeat changed nothing, a second round trip checks for missing sessions.
        """
        by_shard = _by_shard(changes.beats)
        async with self._pipeline() as pipe:
            for shard, started in _by_shard(changes.started).items():
                pipe.zadd(SESSION_KEYS[shard], started, gt=True)
            for shard, ended in _by_shard(dict.fromkeys(changes.ended, 0)).items():
                pipe.zrem(SESSION_KEYS[shard], *ended)
            for shard, beats in by_shard.items():
                pipe.execute_command("ZADD", SESSION_KEYS[shard], "XX", "GT", "CH", *_pairs(beats))
            results = await pipe.execute()
        changed = zip(by_shard.items(), results[len(results) - len(by_shard) :], strict=True)
        doubtful = [shard for (shard, beats), count in changed if count < len(beats)]
        if not doubtful:
            return set()
        async with self._pipeline() as pipe:
            for shard in doubtful:
                pipe.execute_command("ZMSCORE", SESSION_KEYS[shard], *by_shard[shard])
            scores = await pipe.execute()
        return {
            one
            for shard, found in zip(doubtful, scores, strict=True)
            for one, score in zip(by_shard[shard], found, strict=True)
            if score is None
        }

    async def add_sessions(self, beats: Iterable[Beat]) -> None:
        """Adds sessions, or raises the times of their last heartbeats to at least these."""
        members = {member(beat.key.user_id, beat.key.session_id): milliseconds(beat.at) for beat in beats}
        await self.write(SessionChanges(started=members))

    async def remove_sessions(self, keys: Iterable[SessionKey]) -> None:
        """Removes sessions that have ended."""
        await self.write(SessionChanges(ended={member(key.user_id, key.session_id) for key in keys}))

    async def accept(self, now: datetime) -> None:
        """Records that this process accepts heartbeats now."""
        await self._redis.set(_ACCEPTED, milliseconds(now))

    async def seen(self, shard: int) -> Seen:
        """Reads the state of a shard that a watch needs."""
        async with self._pipeline() as pipe:
            pipe.zscore(SESSION_KEYS[shard], _TICKS)
            pipe.get(_ACCEPTED)
            ticks, accepted = await pipe.execute()
        return Seen(None if ticks is None else -int(ticks), None if accepted is None else moment(float(accepted)))

    async def heartbeats(self, keys: Iterable[SessionKey]) -> dict[SessionKey, datetime]:
        """Returns the newest heartbeats of sessions, without those that are missing. One round trip."""
        members = {member(key.user_id, key.session_id): 0 for key in keys}
        shards = _by_shard(members)
        async with self._pipeline() as pipe:
            for shard, ones in shards.items():
                pipe.execute_command("ZMSCORE", SESSION_KEYS[shard], *ones)
            found = await pipe.execute()
        return {
            session_key(one): moment(float(score))
            for ones, scores in zip(shards.values(), found, strict=True)
            for one, score in zip(ones, scores, strict=True)
            if score is not None
        }

    async def tick(self, shard: int, ticks: int) -> None:
        """Stores the number of checks of a shard."""
        await self._redis.zadd(SESSION_KEYS[shard], {_TICKS: -ticks})

    async def between(self, shard: int, since: datetime, until: datetime, limit: int) -> list[Beat]:
        """Returns sessions whose last heartbeat lies between two times, both included, the oldest first."""
        found: Any = await self._redis.zrange(
            SESSION_KEYS[shard],
            max(milliseconds(since), 0),
            milliseconds(until),
            byscore=True,
            offset=0,
            num=limit,
            withscores=True,
        )
        return [Beat(session_key(one), moment(score)) for one, score in found]

    async def claim(self, shard: int, ticks: int, silent: Sequence[Beat]) -> list[Beat]:
        """Removes and returns the sessions without a later heartbeat; only one caller gets each.

        Returns none if the shard's count differs: then it was emptied, rolled back, or checked a moment ago.
        """
        by_member = {member(beat.key.user_id, beat.key.session_id): beat for beat in silent}
        scores = [argument for one, beat in by_member.items() for argument in (one, str(milliseconds(beat.at)))]
        claimed = await self._claim(keys=[SESSION_KEYS[shard]], args=[_TICKS, str(-ticks), *scores])
        return [by_member[one] for one in claimed or ()]

    async def count_sessions(self) -> int:
        """Counts the running sessions."""
        async with self._pipeline() as pipe:
            for key in SESSION_KEYS:
                pipe.zcount(key, 0, "+inf")
            return sum(await pipe.execute())

    def _pipeline(self) -> Any:
        return self._redis.pipeline(transaction=False)


def _by_shard(scores: Mapping[Member, int]) -> dict[int, dict[Member, int]]:
    parts: dict[int, dict[Member, int]] = {}
    for one, score in scores.items():
        parts.setdefault(one[16] >> 4, {})[one] = score
    return parts


def _pairs(scores: Mapping[Member, int]) -> list[Any]:
    return [argument for one, score in scores.items() for argument in (score, one)]
