"""Deletes rows that are kept for a limited time, in small transactions: feed and idempotency keys 24 hours, inbox 30
days, dead letters 90 days, the audit three years, and rows of domains by their retention rules.

Each transaction begins where the one before it ended. Entries of deleted rows stay in the index until no transaction
may need them: if each began at the oldest entry, a run would read them all again for every few thousand rows that it
deletes, and would never end while a backup reads.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.distributed import by_shard, is_distributed
from gameshelf.gateway.runtime.http import idempotency
from gameshelf.gateway.runtime.jobs.isolation import Isolation
from gameshelf.gateway.runtime.jobs.retention_rules import RetentionRule
from gameshelf.gateway.runtime.kafka import dead_letters, inbox
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.outbox import feed
from gameshelf.gateway.runtime.support import audit
from gameshelf.gateway.runtime.tables import (
    AuditRecord,
    DeadLetter,
    FeedEntry,
    IdempotencyRecord,
    InboxEntry,
    UserStream,
)
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Statement
from gameshelf.kernel.sql import array
from sqlalchemy import DateTime, Integer, Uuid, all_, any_, bindparam, delete, func, select, tuple_, update
from sqlmodel import col

_CHUNK = 2000
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_AFTER = bindparam("after", type_=DateTime(timezone=True))
_BEFORE = bindparam("before", type_=DateTime(timezone=True))


def _older(table: Any, at: Any, *key: Any, locks: bool = True) -> Statement:
    """Deletes the oldest rows in a range of time; returns ``deleted``, and the time of the newest one, ``through``."""
    found = select(*key).where(at >= _AFTER, at < _BEFORE).order_by(at).limit(bindparam("limit", type_=Integer))
    # Locked rows are skipped, so that instances share the work.
    chunk = (found.with_for_update(skip_locked=True) if locks else found).cte("chunk")
    gone = delete(table).where(tuple_(*key).in_(select(*chunk.c))).returning(at.label("at")).cte("gone")
    return Statement(select(func.count().label("deleted"), func.max(gone.c.at).label("through")).select_from(gone))


_F, _U = FeedEntry, UserStream
_oldest = (
    select(col(_F.user_id), col(_F.occurred_at))
    .where(
        col(_F.occurred_at) >= _AFTER,
        col(_F.occurred_at) < _BEFORE,
        col(_F.user_id) != all_(array("passed_over", Uuid)),
    )
    .order_by(col(_F.occurred_at))
    .limit(bindparam("limit", type_=Integer))
    .subquery("oldest")
)
_FEED_USERS = Statement(
    select(_oldest.c.user_id, func.max(_oldest.c.occurred_at).label("through")).group_by(_oldest.c.user_id)
)
_USERS = any_(array("user_ids", Uuid))
_KNOWN_USERS = Statement(select(col(_U.user_id)).where(col(_U.user_id) == _USERS))
_FREE_USERS = Statement(select(col(_U.user_id)).where(col(_U.user_id) == _USERS).with_for_update(skip_locked=True))
# Found by the index of the time, which the server does not choose by itself: it would read all messages of these users.
_expired = (
    select(col(_F.user_id), col(_F.sequence), col(_F.occurred_at))
    .where(
        col(_F.occurred_at) >= _AFTER,
        col(_F.occurred_at) <= bindparam("through", type_=DateTime(timezone=True)),
    )
    .cte("expired")
    .prefix_with("MATERIALIZED")
)
_some_of_feed = (
    select(_expired.c.user_id, _expired.c.sequence)
    .where(_expired.c.user_id == _USERS)
    .order_by(_expired.c.occurred_at, _expired.c.sequence)
    .limit(bindparam("limit", type_=Integer))
)
_gone = (
    delete(FeedEntry)
    .where(tuple_(col(_F.user_id), col(_F.sequence)).in_(_some_of_feed))
    .returning(col(_F.user_id), col(_F.sequence))
    .cte("gone")
)
_through = (
    select(_gone.c.user_id, func.max(_gone.c.sequence).label("sequence"), func.count().label("entries"))
    .group_by(_gone.c.user_id)
    .cte("through")
)
# The same statement stores how far the feed is pruned: a client must not continue from a cursor below that number.
_PRUNE_FEED = Statement(
    select(func.coalesce(func.sum(_through.c.entries), 0).label("deleted")).add_cte(
        update(UserStream)
        .values(pruned_sequence=func.greatest(col(_U.pruned_sequence), _through.c.sequence))
        .where(col(_U.user_id) == _through.c.user_id)
        .cte("pruned")
    )
)
_K, _I, _D, _A = IdempotencyRecord, InboxEntry, DeadLetter, AuditRecord
_keys = (_K, col(_K.created_at), col(_K.user_id), col(_K.endpoint), col(_K.key))
_inbox = (_I, col(_I.received_at), col(_I.subject_id), col(_I.source), col(_I.event_id))
_letters = (_D, col(_D.created_at), col(_D.user_id), col(_D.id))
_entries = (_A, col(_A.happened_at), col(_A.user_hash), col(_A.id))
_PRUNE_KEYS, _PRUNE_INBOX = _older(*_keys), _older(*_inbox)
_PRUNE_DEAD_LETTERS, _PRUNE_AUDIT = _older(*_letters), _older(*_entries)
# Rows of several shards can't be locked: an instance that finds the rows of another one waits for it, and ends.
_WITHOUT_LOCKS = {
    locking: _older(*of, locks=False)
    for locking, of in (
        (_PRUNE_KEYS, _keys),
        (_PRUNE_INBOX, _inbox),
        (_PRUNE_DEAD_LETTERS, _letters),
        (_PRUNE_AUDIT, _entries),
    )
}


class Retention:
    """Deletes expired rows; ``rules`` are those of the domains."""

    def __init__(
        self,
        acquire: Acquire,
        rules: Sequence[RetentionRule] = (),
        clock: Clock = utc_now,
        metrics: Metrics | None = None,
    ) -> None:
        self._acquire = acquire
        self._rules = rules
        self._clock = clock
        self._isolation = Isolation[str]("retention", metrics)

    async def run_once(self) -> None:
        """Deletes all expired rows, a few thousand per transaction. A table that fails does not delay the others."""
        now = self._clock()
        work: dict[str, Callable[[], Awaitable[None]]] = {
            "feed": partial(self._prune_feed, now - feed.KEPT),
            "idempotency keys": partial(self._prune, _PRUNE_KEYS, now - idempotency.KEPT),
            "inbox": partial(self._prune, _PRUNE_INBOX, now - inbox.KEPT),
            "dead letters": partial(self._prune, _PRUNE_DEAD_LETTERS, now - dead_letters.KEPT),
            "audit": partial(self._prune, _PRUNE_AUDIT, now - audit.KEPT),
            **{rule.name: partial(self._apply, rule, now - rule.kept) for rule in self._rules},
        }
        for name, prune in work.items():
            if self._isolation.is_due(name):
                with self._isolation.attempt(name):
                    await prune()

    async def _apply(self, rule: RetentionRule, before: datetime) -> None:
        while True:
            async with self._acquire() as connection:
                if not await rule.prune(connection, before, _CHUNK):
                    return

    async def _prune(self, statement: Statement, before: datetime) -> None:
        after: datetime | None = _BEGINNING
        while after:
            async with self._acquire() as connection:
                suited = _WITHOUT_LOCKS[statement] if is_distributed(connection) else statement
                chunk = await suited.first(connection, after=after, before=before, limit=_CHUNK)
                after = chunk["through"] if chunk else None

    async def _prune_feed(self, before: datetime) -> None:
        """Prunes feeds; skips users whose rows are locked."""
        passed_over: set[UUID] = set()
        after = _BEGINNING
        while True:
            async with self._acquire() as connection, connection.transaction():
                rows = await _FEED_USERS.all(
                    connection, after=after, before=before, passed_over=list(passed_over), limit=_CHUNK
                )
                users = {row["user_id"] for row in rows}
                if not users:
                    return
                known = {row["user_id"] for row in await _KNOWN_USERS.all(connection, user_ids=list(users))}
                free = {
                    row["user_id"]
                    for group in await by_shard(connection, users)
                    for row in await _FREE_USERS.all(connection, user_ids=group)
                }
                passed_over |= known - free
                ready = list(users - passed_over)
                through = max(row["through"] for row in rows)
                if ready:
                    pruned = await _PRUNE_FEED.first(
                        connection, user_ids=ready, after=after, through=through, limit=2 * _CHUNK
                    )
                    if pruned is None or not pruned["deleted"]:
                        return  # another instance was faster
                    if pruned["deleted"] == 2 * _CHUNK:
                        continue  # many rows have the time of the last one
                after = through
