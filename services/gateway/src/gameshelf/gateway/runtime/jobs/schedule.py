"""Runs periodic jobs. Each job may run on several instances at the same time."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from gameshelf.gateway.runtime.failures import is_passing
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.observability.states import StateLog
from gameshelf.gateway.runtime.settings import ServiceRole

_log = logging.getLogger(__name__)

_GRACE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Job:
    """Work that is repeated while a process runs."""

    name: str
    """The label of its metrics."""
    run: Callable[[], Awaitable[None]]
    """One run. A failure is logged and counted, and the job runs again."""
    seconds: float
    """The pause between two runs."""
    waits_for_restore: bool = False
    """Whether it deletes data, and so is paused after a restore until object store and database are compared."""
    woken: asyncio.Event | None = None
    """Ends a pause early."""
    roles: frozenset[ServiceRole] = frozenset({ServiceRole.JOBS})
    """The roles of processes that run it."""


async def repeat(
    name: str,
    work: Callable[[], Awaitable[None]],
    seconds: float,
    stopping: asyncio.Event,
    woken: asyncio.Event | None = None,
    metrics: Metrics | None = None,
) -> None:
    """Runs ``work`` every ``seconds``, and when it is ``woken``, until ``stopping`` is set.

    One failure is not the end of it: it is logged when it begins and when it ends, and counted by ``metrics``.

    What still runs a few seconds later is cut off: its transaction is rolled back, and it is resumed elsewhere.
    """
    states = StateLog(_log)
    if metrics:
        metrics.jobs.declare(name, seconds)
    stopped = asyncio.ensure_future(stopping.wait())
    try:
        while not stopping.is_set():
            running = asyncio.ensure_future(_once(name, work, states, metrics))
            try:
                await asyncio.wait((running, stopped), return_when=asyncio.FIRST_COMPLETED)
                await asyncio.wait((running,), timeout=_GRACE_SECONDS)
            finally:
                running.cancel()
            await _pause(seconds, stopped, woken)
    finally:
        stopped.cancel()


async def _pause(seconds: float, stopped: "asyncio.Future[Any]", woken: asyncio.Event | None) -> None:
    if woken is None:
        await asyncio.wait((stopped,), timeout=seconds)
        return
    waking = asyncio.ensure_future(woken.wait())
    await asyncio.wait((stopped, waking), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    waking.cancel()
    woken.clear()


async def _once(name: str, work: Callable[[], Awaitable[None]], states: StateLog, metrics: Metrics | None) -> None:
    started = time.perf_counter()
    try:
        await work()
    except Exception as error:
        unknown = None if is_passing(error) else error
        states.begin(name, "job %s fails: %s", name, type(error).__name__, error=unknown)
        succeeded = False
    else:
        states.end(name, "job %s works again", name)
        succeeded = True
    if metrics:
        metrics.jobs.ran(name, time.perf_counter() - started, succeeded=succeeded)
