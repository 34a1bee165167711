"""What is kept for a time only, deleted in small transactions: feed and idempotency keys 24 hours, inbox 30 days, dead
letters 90 days, who was told of a sale 400 days, the audit three years.
"""

from datetime import datetime, timedelta
from typing import Any

from gameshelf.gateway import feed
from gameshelf.gateway.admin import audit
from gameshelf.gateway.database import Acquire
from gameshelf.gateway.http import idempotency
from gameshelf.gateway.kafka import dead_letters, inbox
from gameshelf.gateway.tables import AuditRecord, DeadLetter, FeedEntry, IdempotencyRecord, InboxEntry, UserStream
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Statement
from gameshelf.wishlist import SaleFanouts
from sqlalchemy import DateTime, Integer, bindparam, delete, func, select, tuple_, update
from sqlmodel import col

_CHUNK = 2000
_SALES_KEPT = timedelta(days=400)
_BEFORE = bindparam("before", type_=DateTime(timezone=True))


def _older(table: Any, at: Any, *key: Any) -> Any:
    chunk = select(*key).where(at < _BEFORE).order_by(at).limit(bindparam("limit", type_=Integer))
    return delete(table).where(tuple_(*key).in_(chunk))


_FEED_KEY = (col(FeedEntry.user_id), col(FeedEntry.sequence))
_gone = _older(FeedEntry, col(FeedEntry.occurred_at), *_FEED_KEY).returning(*_FEED_KEY).cte("gone")
_through = select(_gone.c.user_id, func.max(_gone.c.sequence).label("sequence")).group_by(_gone.c.user_id).subquery()
# The row remembers how far its feed is gone, in the same statement: a cursor below that must not be continued.
_PRUNE_FEED = Statement(
    update(UserStream)
    .values(pruned_sequence=func.greatest(col(UserStream.pruned_sequence), _through.c.sequence))
    .where(col(UserStream.user_id) == _through.c.user_id)
)
_PRUNE_KEYS = Statement(
    _older(
        IdempotencyRecord,
        col(IdempotencyRecord.created_at),
        col(IdempotencyRecord.user_id),
        col(IdempotencyRecord.endpoint),
        col(IdempotencyRecord.key),
    )
)
_PRUNE_INBOX = Statement(
    _older(
        InboxEntry,
        col(InboxEntry.received_at),
        col(InboxEntry.subject_id),
        col(InboxEntry.source),
        col(InboxEntry.event_id),
    )
)
_PRUNE_DEAD_LETTERS = Statement(_older(DeadLetter, col(DeadLetter.created_at), col(DeadLetter.id)))
_PRUNE_AUDIT = Statement(_older(AuditRecord, col(AuditRecord.happened_at), col(AuditRecord.id)))


class Retention:
    """Deletes what has been kept long enough."""

    def __init__(self, acquire: Acquire, clock: Clock = utc_now) -> None:
        self._acquire = acquire
        self._clock = clock

    async def run_once(self) -> None:
        """Deletes all of it, a few thousand rows a transaction."""
        now = self._clock()
        await self._prune(_PRUNE_FEED, now - feed.KEPT)
        await self._prune(_PRUNE_KEYS, now - idempotency.KEPT)
        await self._prune(_PRUNE_INBOX, now - inbox.KEPT)
        await self._prune(_PRUNE_DEAD_LETTERS, now - dead_letters.KEPT)
        await self._prune(_PRUNE_AUDIT, now - audit.KEPT)
        await self._forget_sales(now - _SALES_KEPT)

    async def _forget_sales(self, before: datetime) -> None:
        forgotten = _CHUNK
        while forgotten == _CHUNK:
            async with self._acquire() as connection:
                forgotten = await SaleFanouts(connection).forget_told(before, _CHUNK)

    async def _prune(self, statement: Statement, before: datetime) -> None:
        while True:
            async with self._acquire() as connection:
                if not await statement.run(connection, before=before, limit=_CHUNK):
                    return
