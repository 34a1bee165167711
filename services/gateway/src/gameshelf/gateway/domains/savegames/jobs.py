"""Jobs that expire uploads, trash and history of saves, and delete orphaned objects from the store.

Every instance may run them concurrently. A user's rows are changed in that user's transaction; an object is deleted
only after a commit has marked it for deletion.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar
from uuid import UUID

from gameshelf.gateway.domains.savegames.metrics import SavegameMetrics
from gameshelf.gateway.domains.savegames.use_cases import Saves
from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.jobs.isolation import Isolation
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.restores import last_reconciled
from gameshelf.gateway.runtime.transaction import Transaction, Transactions
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.savegames import (
    FOLDED_NAME_SCAN,
    INCOMING,
    STAGING,
    Limits,
    OpenMultipart,
    SavegameService,
    SavegameSweeps,
    SavegameUploads,
    StoreUnavailable,
    is_version_key,
    user_prefix,
)

T = TypeVar("T", bound=Hashable)
R = TypeVar("R")

_CHUNK = 200
_NAME_CHUNKS = 20
"""How many chunks of saves get their folded names in a round."""
_UPLOADS, _TRASH, _HISTORY, _LOST, _NAMES = "uploads", "trash", "history", "lost contents", "names"
_PAGE = 50
"""How many objects are handled together: parsing a listing of a thousand would block the event loop for 0.2 s."""
_COMPARE_SECONDS = 20.0
"""Maximum length of a comparison in one round; the next one continues."""
_FAILURES_OF_A_STORE = 3
"""After this number of consecutive failed deletions the store itself is considered unavailable."""


class SaveKeeper:
    """Expires uploads and saves in the trash, and prunes the history."""

    def __init__(
        self,
        acquire: Acquire,
        transactions: Transactions,
        limits: Limits,
        clock: Clock = utc_now,
        metrics: Metrics | None = None,
    ) -> None:
        self._acquire = acquire
        self._transactions = transactions
        self._limits = limits
        self._clock = clock
        self._isolations: dict[str, Isolation[Any]] = {
            name: Isolation("saves", metrics) for name in (_UPLOADS, _TRASH, _HISTORY, _LOST, _NAMES)
        }

    async def run_once(self) -> None:
        """Handles everything that has expired. A change that fails is repeated in the next run, and does not delay
        others.
        """
        await self._each(_UPLOADS, lambda sweeps, limit: sweeps.users_with_expired_uploads(limit), _expire)
        await self._each(_TRASH, lambda sweeps, limit: sweeps.long_in_trash(limit), self._purge)
        await self._each(_HISTORY, lambda sweeps, limit: sweeps.to_prune(limit), _prune)
        await self._each(_LOST, lambda sweeps, limit: sweeps.lost_contents(limit), _lose)
        await self._fill_keys()

    async def _fill_keys(self) -> None:
        """Fills the folded names of saves that the release before has written: some in each round, all once a day."""
        isolation: Isolation[tuple[UUID, UUID]] = self._isolations[_NAMES]
        for _ in range(_NAME_CHUNKS):
            async with self._acquire() as connection:
                sweeps = SavegameSweeps(connection, self._clock, self._limits)
                scan = await sweeps.due_scan(FOLDED_NAME_SCAN)
                if scan is None:
                    return
                found, cursor = await sweeps.without_keys(scan.cursor, _CHUNK)
            for one in filter(isolation.is_due, found):
                with isolation.attempt(one):
                    async with self._transactions.begin_background(one[0], wait=True) as transaction:
                        await transaction.of(SavegameService).fill_keys(*one)
            async with self._acquire() as connection:
                sweeps = SavegameSweeps(connection, self._clock, self._limits)
                await sweeps.move_scan(scan, cursor or "", is_end=cursor is None, name=FOLDED_NAME_SCAN)

    async def _each(
        self,
        name: str,
        find: Callable[[SavegameSweeps, int], Awaitable[Sequence[T]]],
        change: Callable[[Transaction, T], Awaitable[None]],
    ) -> None:
        async def look(limit: int) -> Sequence[T]:
            async with self._acquire() as connection:
                return await find(SavegameSweeps(connection, self._clock, self._limits), limit)

        async def work(one: T) -> None:
            user_id = one[0] if isinstance(one, tuple) else one
            async with self._transactions.begin_background(user_id, wait=True) as transaction:  # type: ignore[arg-type]
                await change(transaction, one)

        isolation: Isolation[T] = self._isolations[name]
        await isolation.each(look, work, _CHUNK)

    async def _purge(self, transaction: Transaction, of: tuple[UUID, UUID]) -> None:
        before = self._clock() - self._limits.trash_for
        await transaction.of(SavegameService).purge(*of, before)


async def _expire(transaction: Transaction, user_id: UUID) -> None:
    await transaction.of(SavegameUploads).expire(user_id)


async def _prune(transaction: Transaction, of: tuple[UUID, UUID]) -> None:
    await transaction.of(SavegameService).prune(*of)


async def _lose(transaction: Transaction, of: tuple[UUID, UUID]) -> None:
    await transaction.of(SavegameService).prune_lost(*of)


class ObjectSweeper:
    """Deletes orphaned objects from the store, and compares the store with the database."""

    def __init__(
        self, acquire: Acquire, saves: Saves, metrics: Metrics, limits: Limits, clock: Clock = utc_now
    ) -> None:
        self._acquire = acquire
        self._saves = saves
        self._metrics = metrics.of(SavegameMetrics)
        self._limits = limits
        self._clock = clock
        self._parts = Isolation[str]("objects", metrics)
        self._refused = Isolation[str]("objects", metrics)
        """Keys and multipart uploads that the store refuses to delete: of locked objects, or for lack of a right."""

    async def run_once(self) -> None:
        """Deletes marked objects and leftovers of uploads, and continues the comparison."""
        if not self._saves.has_store:
            return
        away: StoreUnavailable | None = None
        parts = (
            self._count_uploads,
            self._delete_marked,
            self._clear_staging,
            self._clear_incoming,
            self._abort_multiparts,
            self._compare_a_while,
        )
        for part in parts:
            try:
                with self._parts.attempt(part.__name__):
                    await part()
            except StoreUnavailable as error:
                away = error  # it may concern one object only, so the other parts run anyway
        if away:
            raise away

    async def _count_uploads(self) -> None:
        async with self._sweeps() as sweeps:
            self._metrics.uploads_open.set(await sweeps.count_open_uploads())

    async def _compare_a_while(self) -> None:
        until = time.monotonic() + _COMPARE_SECONDS
        while await self._compare() and time.monotonic() < until:
            pass

    async def _delete_marked(self) -> None:
        while True:
            async with self._sweeps() as sweeps:
                found = await sweeps.mark_for_deletion(_PAGE + len(self._refused))
            due = [one for one in found if self._refused.is_due(one.key)][:_PAGE]
            if not due:
                return
            removed = await self._delete([one.key for one in due])
            async with self._sweeps() as sweeps:
                await sweeps.remove_deleted([one for one in due if one.key in removed])
            self._count("removed", len(removed))

    async def _clear_staging(self) -> None:
        await self._clear(STAGING)

    async def _clear_incoming(self) -> None:
        await self._clear(INCOMING)

    async def _clear(self, prefix: str) -> None:
        """Deletes what clients have uploaded below a prefix for uploads that are not open any more."""
        after = ""
        while listed := await self._saves.objects.list(prefix, after, _PAGE):
            async with self._sweeps() as sweeps:
                abandoned = await sweeps.abandoned_objects(listed)
            self._count("staged", len(await self._delete(abandoned)))
            after = listed[-1].key

    async def _abort_multiparts(self) -> None:
        """Ends the multipart uploads that nothing needs; the store keeps their parts, and charges for them."""
        after, limit = "", _PAGE
        # Of all keys, since a copy in parts has one of a version's; some stores list none of a prefix.
        while started := await self._saves.objects.open_parts("", after, limit):
            async with self._sweeps() as sweeps:
                abandoned = await sweeps.abandoned_multiparts(started)
            aborted = await self._one_by_one(
                abandoned,
                lambda one: f"{one.key} {one.multipart_id}",
                lambda one: self._saves.objects.abort_parts(one.key, one.multipart_id),
            )
            self._count("multipart", len(aborted))
            after, limit = _following(started, after, limit)

    async def _delete(self, keys: Sequence[str]) -> set[str]:
        """Deletes objects; returns the keys of deleted ones. An object that the store refuses to delete is set aside.

        Raises StoreUnavailable if it refuses several objects and deletes none.
        """
        keys = [key for key in keys if self._refused.is_due(key)]
        with suppress(StoreUnavailable):
            await self._saves.objects.delete(keys)
            return set(keys)
        return set(await self._one_by_one(keys, lambda key: key, lambda key: self._saves.objects.delete([key])))

    async def _one_by_one(
        self, items: Iterable[R], name: Callable[[R], str], work: Callable[[R], Awaitable[object]]
    ) -> list[R]:
        """Does the work for each item that is not set aside, and returns those for which it was done. One that the
        store refuses is set aside.

        Raises StoreUnavailable if it refuses several in a row.
        """
        done, failures = [], 0
        for one in items:
            if not self._refused.is_due(name(one)):
                continue
            try:
                await work(one)
            except StoreUnavailable as error:
                failures += 1
                if failures == _FAILURES_OF_A_STORE:
                    raise
                self._refused.set_aside(name(one), error)
            else:
                failures = 0
                done.append(one)
        return done

    async def _compare(self) -> bool:
        """Compares a page of the store with the database; returns False if everything was compared today."""
        async with self._sweeps() as sweeps:
            scan = await sweeps.due_scan()
        if scan is None:
            return False
        listed = await self._saves.objects.list("", scan.cursor, _PAGE)
        through = listed[-1].key if len(listed) == _PAGE else None
        async with self._acquire() as connection:
            sweeps = SavegameSweeps(connection, self._clock, self._limits)
            expected = await sweeps.expected_contents(scan.cursor, through, _PAGE)
            ours = [one for one in listed if is_version_key(one.key)]
            orphans = await sweeps.orphaned_objects(ours, await last_reconciled(connection))
        if len(expected) == _PAGE:  # more objects are missing than a page holds: continue after the examined ones
            through = expected[-1].key
        removed = await self._delete(orphans)
        there = {one.key for one in listed}
        missing = [one for one in expected if one.key not in there and await self._is_absent(one.key)]
        found = [one for one in expected if one not in missing]
        async with self._sweeps() as sweeps:
            await sweeps.mark_missing(missing, found)
            await sweeps.move_scan(scan, through or "", is_end=through is None)
        self._count("orphan", len(removed))
        self._count("missing", len(missing))
        return True

    async def _is_absent(self, key: str) -> bool:
        """Requests the single key, since a listing of a busy bucket may be out of date."""
        return await self._saves.objects.digest(key, -1) is None

    @asynccontextmanager
    async def _sweeps(self) -> AsyncIterator[SavegameSweeps]:
        async with self._acquire() as connection:
            yield SavegameSweeps(connection, self._clock, self._limits)

    def _count(self, found: str, number: int) -> None:
        if number:
            self._metrics.objects.labels(found).inc(number)


def erase_objects(saves: Saves) -> Callable[[Connection, UUID, int], Awaitable[bool]]:
    """Makes the part of an erasure that deletes a user's objects, including those that the database does not have."""

    async def erase(connection: Connection, user_id: UUID, limit: int) -> bool:
        if not saves.has_store:
            return False
        listed = await saves.objects.list(user_prefix(user_id), "", min(limit, _PAGE))
        await saves.objects.delete([one.key for one in listed])
        return bool(listed)

    return erase


def _following(started: Sequence[OpenMultipart], after: str, limit: int) -> tuple[str, int]:
    """The key after which the next page begins, and its length. One key may have several uploads, and pages begin at
    keys: a full page may lack some of its last key, which is read again then, in a longer page if it has no other.
    """
    last = started[-1].key
    if len(started) < limit:
        return last, _PAGE
    before = [one.key for one in started if one.key != last]
    return (before[-1], _PAGE) if before else (after, 2 * limit)
