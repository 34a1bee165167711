"""What becomes of saves in the course of time, and of objects in the store that nobody needs.

Every instance may run these side by side. A user's rows are changed in that user's transaction; an object goes only
once a commit has said that nothing can need it any more.
"""

import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar
from uuid import UUID

from gameshelf.gateway.database import Acquire
from gameshelf.gateway.failures import is_passing
from gameshelf.gateway.observability.metrics import Metrics
from gameshelf.gateway.saves import Saves
from gameshelf.gateway.streams import UserErased
from gameshelf.gateway.transaction import Transaction, Transactions
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.savegames import (
    STAGING,
    Limits,
    SavegameService,
    SavegameSweeps,
    SavegameUploads,
    user_prefix,
)

T = TypeVar("T")

_log = logging.getLogger(__name__)

_CHUNK = 200
_PAGE = 50
"""How many objects are looked at together: reading a list of a thousand would hold up everybody else for a fifth of a
second.
"""
_COMPARE_SECONDS = 20.0
"""For how long a round compares at most; the next one goes on."""
_OURS = re.compile(r"[0-9a-f]{4}/[0-9a-f-]{36}/")
"""How the keys of versions begin. What else somebody has put into the bucket is left alone."""


class SaveKeeper:
    """Ends what is over: uploads, trash, history."""

    def __init__(self, acquire: Acquire, transactions: Transactions, limits: Limits, clock: Clock = utc_now) -> None:
        self._acquire = acquire
        self._transactions = transactions
        self._limits = limits
        self._clock = clock

    async def run_once(self) -> None:
        """All that is over now. What does not end here, such as a change that fails, is found again the next time, and
        holds up nobody else's.
        """
        await self._each(lambda sweeps: sweeps.users_with_expired_uploads(_CHUNK), _expire)
        await self._each(lambda sweeps: sweeps.long_in_trash(_CHUNK), self._purge)
        await self._each(lambda sweeps: sweeps.to_prune(_CHUNK), _prune)
        await self._each(lambda sweeps: sweeps.lost(_CHUNK), _lose)

    async def _each(
        self,
        find: Callable[[SavegameSweeps], Awaitable[Sequence[T]]],
        change: Callable[[Transaction, T], Awaitable[None]],
    ) -> None:
        found: Sequence[T] = ()
        while True:
            async with self._acquire() as connection:
                before, found = found, await find(SavegameSweeps(connection, self._clock, self._limits))
            if not set(found) - set(before):  # nothing moves: leave it for the next time
                return
            for one in found:
                user_id = one[0] if isinstance(one, tuple) else one
                try:
                    async with self._transactions.begin(user_id) as transaction:  # type: ignore[arg-type]
                        await change(transaction, one)
                except UserErased:
                    continue  # the erasure takes care of it
                except Exception as error:
                    if is_passing(error):
                        raise
                    _log.exception("saves of a player could not be tidied up; it is tried again")

    async def _purge(self, transaction: Transaction, of: tuple[UUID, UUID]) -> None:
        before = self._clock() - self._limits.trash_for
        await transaction.of(SavegameService).purge(*of, before)


async def _expire(transaction: Transaction, user_id: UUID) -> None:
    await transaction.of(SavegameUploads).expire(user_id)


async def _prune(transaction: Transaction, of: tuple[UUID, UUID]) -> None:
    await transaction.of(SavegameService).prune(*of)


async def _lose(transaction: Transaction, of: tuple[UUID, UUID]) -> None:
    await transaction.of(SavegameService).lose(*of)


class ObjectSweeper:
    """Removes from the store what nothing needs, and compares it with the database."""

    def __init__(
        self, acquire: Acquire, saves: Saves, metrics: Metrics, limits: Limits, clock: Clock = utc_now
    ) -> None:
        self._acquire = acquire
        self._saves = saves
        self._metrics = metrics
        self._limits = limits
        self._clock = clock

    async def run_once(self) -> None:
        """Objects whose time has come, what was left in ``staging/``, and a part of the comparison."""
        if not self._saves.has_store:
            return
        await self._remove_doomed()
        await self._clear_staging()
        until = time.monotonic() + _COMPARE_SECONDS
        while await self._compare() and time.monotonic() < until:
            pass

    async def _remove_doomed(self) -> None:
        while True:
            async with self._sweeps() as sweeps:
                doomed = await sweeps.doom(_PAGE)
            if not doomed:
                return
            await self._saves.objects.delete([one.key for one in doomed])
            async with self._sweeps() as sweeps:
                await sweeps.bury(doomed)
            self._count("removed", len(doomed))

    async def _clear_staging(self) -> None:
        after = ""
        while listed := await self._saves.objects.list(STAGING, after, _PAGE):
            async with self._sweeps() as sweeps:
                abandoned = await sweeps.abandoned(listed)
            await self._saves.objects.delete(abandoned)
            self._count("staged", len(abandoned))
            after = listed[-1].key

    async def _compare(self) -> bool:
        """A page of the store beside what the database has between the same keys; False when all of it was compared
        today.
        """
        async with self._sweeps() as sweeps:
            scan = await sweeps.scan()
        if scan is None:
            return False
        listed = await self._saves.objects.list("", scan.cursor, _PAGE)
        through = listed[-1].key if len(listed) == _PAGE else None
        async with self._sweeps() as sweeps:
            expected = await sweeps.expected(scan.cursor, through, _PAGE)
            orphans = await sweeps.orphans([one for one in listed if _OURS.match(one.key)])
        if len(expected) == _PAGE:  # more is missing than a page holds: go on behind what has been looked at
            through = expected[-1].key
        await self._saves.objects.delete(orphans)
        there = {one.key for one in listed}
        missing = [one for one in expected if one.key not in there and await self._is_absent(one.key)]
        found = [one for one in expected if one not in missing]
        async with self._sweeps() as sweeps:
            await sweeps.note(missing, found)
            await sweeps.move(scan, through or "", is_end=through is None)
        self._count("orphan", len(orphans))
        self._count("missing", len(missing))
        return True

    async def _is_absent(self, key: str) -> bool:
        """Looks at the one key: a listing of a busy bucket may be a moment old."""
        return await self._saves.objects.digest(key, -1) is None

    @asynccontextmanager
    async def _sweeps(self) -> AsyncIterator[SavegameSweeps]:
        async with self._acquire() as connection:
            yield SavegameSweeps(connection, self._clock, self._limits)

    def _count(self, found: str, number: int) -> None:
        if number:
            self._metrics.savegame_objects.labels(found).inc(number)


def erase_objects(saves: Saves) -> Callable[[Connection, UUID, int], Awaitable[bool]]:
    """Removes a part of a deleted user's objects, also those that the database has never heard of."""

    async def erase(connection: Connection, user_id: UUID, limit: int) -> bool:
        if not saves.has_store:
            return False
        listed = await saves.objects.list(user_prefix(user_id), "", min(limit, _PAGE))
        await saves.objects.delete([one.key for one in listed])
        return bool(listed)

    return erase
