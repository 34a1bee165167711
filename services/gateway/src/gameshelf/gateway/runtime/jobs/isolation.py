"""Work on many items, of which one that fails or is held by somebody holds up no other.

What fails is set aside in this process with a growing pause, logged once with its traceback, and counted; a job goes on
with the rest. What concerns all items alike (the database is away or refuses a right, the object store is away) ends
the run instead: it is the job that waits then, and ``schedule.py`` that reports it.
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
"""How many items are remembered; beyond that the oldest ones are tried again at once."""
_FIRST_SECONDS = 1.0
_BUSY_SECONDS, _FAILED_SECONDS = 30.0, 300.0
"""The longest pauses: of what somebody held, and of what failed."""
_TRACEBACKS = 20
"""Of so many items that are aside at a time the traceback is logged."""

# The server refuses these whatever the item is.
_OF_EVERYBODY = (
    asyncpg.InsufficientPrivilegeError,
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedFunctionError,
)


def concerns_everybody(error: BaseException) -> bool:
    """Whether work on any other item would fail in the same way."""
    if isinstance(error, asyncpg.QueryCanceledError):  # by the time-out of a statement: this item is too large
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
        """Whether an item may be tried: it is not aside, or its pause is over."""
        aside = self._aside.get(key)
        return aside is None or self._clock() >= aside.retry_at

    @contextmanager
    def attempt(self, key: K) -> Iterator[None]:
        """Around the work on one item. Raises what concerns everybody; anything else sets the item aside."""
        try:
            yield
        except UserErased:
            self._done(key)  # there is nothing left to be done for them here
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
        """Works on everything that ``find`` gives, each item once. ``find`` gives at most so many items, the same ones
        first until they are done: so it is asked for as many more as are aside or were of no avail.
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
            del self._aside[one]  # whoever was busy with it, another instance perhaps, mostly is done by now
            with self.attempt(one):
                await work(one)

    def _done(self, key: K) -> None:
        if self._aside.pop(key, None):
            self._states.end(repr(key), "job %s: an item that had failed is done", self._job)

    def set_aside(self, key: K, error: Exception) -> None:
        """Work on the item failed by this error: it is not due for a while."""
        is_busy = is_contention(error)
        before = self._aside.pop(key, None)
        longest = _BUSY_SECONDS if is_busy else _FAILED_SECONDS
        if before is None:
            pause = 0.0 if is_busy else _FIRST_SECONDS  # who is busy mostly is so for a moment
        else:
            pause = min(max(before.pause * 2, _FIRST_SECONDS), longest)
        while len(self._aside) >= _MOST:
            del self._aside[next(iter(self._aside))]
        self._aside[key] = _Aside(self._clock() + pause, pause)
        if self._metrics:
            self._metrics.job_items_set_aside.labels(self._job, "busy" if is_busy else "failed").inc()
        if not is_busy:
            cause = error if len(self._aside) <= _TRACEBACKS else None
            message = "job %s: an item failed, it is set aside and tried again: %s"
            self._states.begin(repr(key), message, self._job, type(error).__name__, error=cause)
