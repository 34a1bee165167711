"""Background work that runs again and again on every instance; each job is safe beside its twins."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from gameshelf.gateway.failures import is_passing

_log = logging.getLogger(__name__)

_GRACE_SECONDS = 3.0


async def repeat(name: str, work: Callable[[], Awaitable[None]], seconds: float, stopping: asyncio.Event) -> None:
    """Does ``work`` every so many seconds until ``stopping`` is set. One failure is not the end of it.

    What still runs a few seconds later is cut off: its transaction is rolled back, and it is resumed elsewhere.
    """
    stopped = asyncio.ensure_future(stopping.wait())
    try:
        while not stopping.is_set():
            running = asyncio.ensure_future(_once(name, work))
            try:
                await asyncio.wait((running, stopped), return_when=asyncio.FIRST_COMPLETED)
                await asyncio.wait((running,), timeout=_GRACE_SECONDS)
            finally:
                running.cancel()
            await asyncio.wait((stopped,), timeout=seconds)
    finally:
        stopped.cancel()


async def _once(name: str, work: Callable[[], Awaitable[None]]) -> None:
    try:
        await work()
    except Exception as error:
        _log.warning("job %s failed", name, exc_info=None if is_passing(error) else error)
