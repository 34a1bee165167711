"""Isolates the items of a job: one that fails, or that another transaction locks, does not delay the others.

A failed item is set aside in this process with a growing pause, logged once with its traceback, and counted; the job
continues with the other items. A failure that concerns all items (the database is away or denies a permission, the
object store is away) ends the run instead, and ``schedule.py`` reports it.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

import asyncpg
from gameshelf.gateway.runtime.failures import is_contention, is_passing
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.observability.states import StateLog
from gameshelf.gateway.runtime.streams import UserErased

K = TypeVar("K", bound=Hashable)

_log = logging.getLogger(__name__)

_MOST = 10_000
"""How many items are set aside at most; beyond that the oldest ones are tried again at once."""
_FIRST_SECONDS = 1.0
_BUSY_SECONDS, _FAILED_SECONDS = 30.0, 300.0
"""The longest pauses for items that were locked, and for items that failed."""
_TRACEBACKS = 20
"""A traceback is logged only while at most this many items are set aside."""

# The server raises these errors regardless of the item.
_OF_EVERYBODY = (
    asyncpg.InsufficientPrivilegeError,
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedFunctionError,
)


def concerns_everybody(error: BaseException) -> bool:
    """Returns whether work on any other item would fail in the same way."""
    if isinstance(error, asyncpg.QueryCanceledError):  # the statement timed out: this item is too large
        return False
    return isinstance(error, _OF_EVERYBODY) or (is_passing(error) and not is_contention(error))


@dataclass(slots=True)
class _Aside:
    retry_at: float
    pause: float


class Isolation(Generic[K]):
    """The items of one job in one process, by their keys."""

    def __init__(self, job: str, metrics: Metrics | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._job = job
        self._metrics = metrics
        self._clock = clock
        self._aside: dict[K, _Aside] = {}
        self._states = StateLog(_log)

    def __len__(self) -> int:
        return len(self._aside)

    def is_due(self, key: K) -> bool:
        """Returns whether an item may be tried: it is not set aside, or its pause is over."""
        aside = self._aside.get(key)
        return aside is None or self._clock() >= aside.retry_at

    @contextmanager
    def attempt(self, key: K) -> Iterator[None]:
        """Wraps the work on one item. Raises failures that concern everybody; others set the item aside."""
        try:
            yield
        except UserErased:
            self._done(key)  # nothing is left to be done for an erased user
        except Exception as error:
            if concerns_everybody(error):
                raise
            self.set_aside(key, error)
        else:
            self._done(key)

    async def each(
        self,
        find: Callable[[int], Awaitable[Sequence[K]]],
        work: Callable[[K], Awaitable[None]],
        chunk: int,
    ) -> None:
        """Works on all items that ``find`` returns, each one once.

        ``find`` returns at most a number of items, and the same ones first until they are done. So it is called with a
        limit that grows by the number of items that are set aside or that the work did not remove.
        """
        seen: set[K] = set()
        passed_over = len(self._aside)
        while True:
            limit = chunk + passed_over
            found = await find(limit)
            fresh = [one for one in found if one not in seen and self.is_due(one)]
            for one in fresh:
                seen.add(one)
                with self.attempt(one):
                    await work(one)
            if len(found) < limit or (not fresh and limit > _MOST):
                break
            passed_over = min(sum(one in seen or one in self._aside for one in found), _MOST + 1)
        for one in [one for one in seen if one in self._aside and self._aside[one].pause == 0]:
            del self._aside[one]  # the transaction that locked it has most likely ended by now
            with self.attempt(one):
                await work(one)

    def _done(self, key: K) -> None:
        if self._aside.pop(key, None):
            self._states.end(repr(key), "job %s: an item that had failed is done", self._job)

    def set_aside(self, key: K, error: Exception) -> None:
        """Sets an item aside after this error: it is not due until its pause is over."""
        is_busy = is_contention(error)
        before = self._aside.pop(key, None)
        longest = _BUSY_SECONDS if is_busy else _FAILED_SECONDS
        if before is None:
            pause = 0.0 if is_busy else _FIRST_SECONDS  # most locks are held for a moment only
        else:
            pause = min(max(before.pause * 2, _FIRST_SECONDS), longest)
        while len(self._aside) >= _MOST:
            del self._aside[next(iter(self._aside))]
        self._aside[key] = _Aside(self._clock() + pause, pause)
        if self._metrics:
            self._metrics.jobs.set_aside(self._job, busy=is_busy)
        if not is_busy:
            cause = error if len(self._aside) <= _TRACEBACKS else None
            message = "job %s: an item failed, it is set aside and tried again: %s"
            self._states.begin(repr(key), message, self._job, type(error).__name__, error=cause)
