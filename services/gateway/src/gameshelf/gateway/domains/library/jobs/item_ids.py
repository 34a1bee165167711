"""Ids of items that a release before has written become UUIDs of version 8."""

import time
from dataclasses import replace
from datetime import timedelta

from gameshelf.gateway.runtime.database import hardly_wait
from gameshelf.gateway.runtime.transaction import Transactions
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.library import BEGINNING, ItemIdRewrites, RewriteProgress

_ITEMS_AT_ONCE = 200
_ROUND_SECONDS = 45.0
"""For how long a round rewrites at most; the next one, of whichever instance, goes on."""
_AGAIN_AFTER = timedelta(hours=1)
"""When users who were passed over are looked for again."""


class ItemIdRewriting:
    """Rewrites ids a day after the migration, when the rollout is over: the release before looks ids up as they are.

    A transaction looks at so many items and rewrites those of their users whom nobody holds, under their locks, so that
    no change finds an item under another id than it was read with. How far it is stands in the database. A user who is
    held is passed over, and looked for again in a later round; who is being erased is no more then.
    """

    def __init__(self, transactions: Transactions, clock: Clock = utc_now, at_once: int = _ITEMS_AT_ONCE) -> None:
        self._transactions = transactions
        self._clock = clock
        self._at_once = at_once

    async def run_once(self) -> None:
        """Goes on for a bounded time with what is left to do."""
        until = time.monotonic() + _ROUND_SECONDS
        while await self._step() and time.monotonic() < until:
            pass

    async def _step(self) -> bool:
        """Rewrites the next part; False when there is nothing to do, or another instance is at it."""
        async with self._transactions.begin_with_nobody() as transaction:
            await hardly_wait(transaction.connection)
            rewrites = ItemIdRewrites(transaction.connection, transaction.serialise)
            progress = await rewrites.take()
            now = self._clock()
            if progress is None or progress.finished_at is not None or progress.not_before > now:
                return False
            part = await rewrites.scan(progress, self._at_once)
            if part.last is None:
                await rewrites.keep(self._ended(progress))
                return False
            locked = await transaction.lock_free(part.user_ids) if part.user_ids else frozenset()
            for user_id in sorted(locked):
                await rewrites.rewrite(user_id)
            has_skipped = progress.has_skipped or len(locked) < len(part.user_ids)
            user_id, item_id = part.last
            await rewrites.keep(replace(progress, user_id=user_id, item_id=item_id, has_skipped=has_skipped))
        return True

    def _ended(self, progress: RewriteProgress) -> RewriteProgress:
        """All items were looked at: it is finished, or begins anew for those who were passed over."""
        now = self._clock()
        if progress.has_skipped:
            return RewriteProgress(now + _AGAIN_AFTER, BEGINNING, BEGINNING, has_skipped=False, finished_at=None)
        # Nobody's id stays behind.
        return RewriteProgress(progress.not_before, BEGINNING, BEGINNING, has_skipped=False, finished_at=now)
