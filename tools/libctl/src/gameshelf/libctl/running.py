"""Running a coroutine so that Ctrl-C and SIGTERM end it in an orderly way."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

from gameshelf.libctl.errors import Terminated

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs ``work`` and returns its result. Either signal cancels it, so that it cleans up at a point where it waits.

    Raises KeyboardInterrupt, as ``asyncio.run`` does, and Terminated.
    """
    terminated = False

    async def guarded() -> T:
        nonlocal terminated
        task, loop = asyncio.current_task(), asyncio.get_running_loop()

        def end() -> None:
            nonlocal terminated
            terminated = True
            if task:
                task.cancel()

        loop.add_signal_handler(signal.SIGTERM, end)
        return await work

    before = signal.getsignal(signal.SIGTERM)
    try:
        return asyncio.run(guarded())
    except asyncio.CancelledError:
        if terminated:
            raise Terminated from None
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
