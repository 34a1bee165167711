"""Rewrites ids of items that an earlier release has written to UUIDs of version 8."""

import time
from dataclasses import replace
from datetime import timedelta

from gameshelf.gateway.runtime.database import hardly_wait
from gameshelf.gateway.runtime.transaction import Transactions
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.library import BEGINNING, ItemIdRewrites, RewriteProgress

_ITEMS_AT_ONCE = 200
_ROUND_SECONDS = 45.0
"""Maximum length of a round; the next one, on any instance, continues."""
_AGAIN_AFTER = timedelta(hours=1)
"""When skipped users are tried again."""


class ItemIdRewriting:
    """Rewrites ids a day after the migration, when the rollout is over, because the release before needs the old ids.

    A transaction examines a number of items and rewrites those of users whose rows it can lock, so that no concurrent
    change uses an id that was read before. The progress is stored in the database. Users whose rows are locked are
    skipped and tried again in a later round; users who are being erased are gone by then.
    """

    def __init__(self, transactions: Transactions, clock: Clock = utc_now, at_once: int = _ITEMS_AT_ONCE) -> None:
        self._transactions = transactions
        self._clock = clock
        self._at_once = at_once

    async def run_once(self) -> None:
        """Continues the rewrite for a bounded time."""
        until = time.monotonic() + _ROUND_SECONDS
        while await self._step() and time.monotonic() < until:
            pass

    async def _step(self) -> bool:
        """Rewrites the next part; returns False if nothing is left, or if another instance does it."""
        async with self._transactions.begin_with_nobody() as transaction:
            await hardly_wait(transaction.connection)
            rewrites = ItemIdRewrites(transaction.connection, transaction.serialise)
            progress = await rewrites.lock_progress()
            now = self._clock()
            if progress is None or progress.finished_at is not None or progress.not_before > now:
                return False
            part = await rewrites.scan(progress, self._at_once)
            if part.last is None:
                await rewrites.save_progress(self._ended(progress))
                return False
            locked = await transaction.lock_free(part.user_ids) if part.user_ids else frozenset()
            for user_id in sorted(locked):
                await rewrites.rewrite(user_id)
            has_skipped = progress.has_skipped or len(locked) < len(part.user_ids)
            user_id, item_id = part.last
            await rewrites.save_progress(replace(progress, user_id=user_id, item_id=item_id, has_skipped=has_skipped))
        return True

    def _ended(self, progress: RewriteProgress) -> RewriteProgress:
        """Returns the progress after the last item: finished, or a restart for skipped users."""
        now = self._clock()
        if progress.has_skipped:
            return RewriteProgress(now + _AGAIN_AFTER, BEGINNING, BEGINNING, has_skipped=False, finished_at=None)
        # The finished progress contains no user's id.
        return RewriteProgress(progress.not_before, BEGINNING, BEGINNING, has_skipped=False, finished_at=now)
