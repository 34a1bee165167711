"""Background work that runs again and again on every instance; each job is safe beside its twins."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from gameshelf.gateway.failures import is_passing

_log = logging.getLogger(__name__)


async def repeat(name: str, work: Callable[[], Awaitable[None]], seconds: float, stopping: asyncio.Event) -> None:
    """Does ``work`` every so many seconds until ``stopping`` is set. One failure is not the end of it."""
    while not stopping.is_set():
        try:
            await work()
        except Exception as error:
            _log.warning("job %s failed", name, exc_info=None if is_passing(error) else error)
        try:
            await asyncio.wait_for(stopping.wait(), seconds)
        except TimeoutError:
            continue
