"""Erasing a deleted account: a bounded part at a time, resumed after a crash, until only a keyed hash is left."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from gameshelf.gateway.database import Acquire
from gameshelf.gateway.tables import DeadLetter, FeedEntry, IdempotencyRecord, InboxEntry, OutboxRecord, UserStream
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection, Statement
from sqlalchemy import DateTime, Integer, Uuid, bindparam, delete, select, tuple_
from sqlmodel import col

_CHUNK = 1000
SEEN_FOR = timedelta(seconds=30)
"""How long the tombstone stays at least, so that every instance sees it and closes the user's connections."""

EraseDomain = Callable[[Connection, UUID, int], Awaitable[bool]]
"""Deletes at most so many rows of a user; True while there may be more."""

_ERASED_USERS = Statement(
    select(col(UserStream.user_id), col(UserStream.erased_at))
    .where(col(UserStream.erased_at).is_not(None))
    .order_by(col(UserStream.erased_at))
    .limit(bindparam("limit", type_=Integer))
)
_USER = bindparam("user_id", type_=Uuid)


def _erase(table: Any, *key: Any, user: Any) -> Statement:
    chunk = select(*key).where(user == _USER).limit(bindparam("limit", type_=Integer))
    return Statement(delete(table).where(tuple_(*key).in_(chunk)))


_OWN_TABLES = (
    _erase(OutboxRecord, col(OutboxRecord.id), user=col(OutboxRecord.user_id)),
    _erase(FeedEntry, col(FeedEntry.user_id), col(FeedEntry.sequence), user=col(FeedEntry.user_id)),
    _erase(
        IdempotencyRecord,
        col(IdempotencyRecord.user_id),
        col(IdempotencyRecord.endpoint),
        col(IdempotencyRecord.key),
        user=col(IdempotencyRecord.user_id),
    ),
    _erase(
        InboxEntry,
        col(InboxEntry.subject_id),
        col(InboxEntry.source),
        col(InboxEntry.event_id),
        user=col(InboxEntry.subject_id),
    ),
    _erase(DeadLetter, col(DeadLetter.id), user=col(DeadLetter.user_id)),
)
_FORGET = Statement(
    delete(UserStream).where(
        col(UserStream.user_id) == _USER, col(UserStream.erased_at) < bindparam("before", type_=DateTime(timezone=True))
    )
)


class Erasure:
    """Erases the users whose account was deleted. ``domains`` is each domain's way to delete a part."""

    def __init__(self, acquire: Acquire, domains: Sequence[EraseDomain], clock: Clock = utc_now) -> None:
        self._acquire = acquire
        self._domains = domains
        self._clock = clock

    async def run_once(self) -> None:
        """Erases everything that can be erased now."""
        async with self._acquire() as connection:
            users = await _ERASED_USERS.all(connection, limit=100)
        for user in users:
            await self._erase(user["user_id"])

    async def _erase(self, user_id: UUID) -> None:
        while await self._erase_part(user_id):
            pass
        async with self._acquire() as connection:
            await _FORGET.run(connection, user_id=user_id, before=self._clock() - SEEN_FOR)

    async def _erase_part(self, user_id: UUID) -> bool:
        async with self._acquire() as connection, connection.transaction():
            for erase in self._domains:
                if await erase(connection, user_id, _CHUNK):
                    return True
            for statement in _OWN_TABLES:
                if await statement.run(connection, user_id=user_id, limit=_CHUNK):
                    return True
        return False
