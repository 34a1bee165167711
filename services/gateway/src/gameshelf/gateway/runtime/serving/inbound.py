"""What comes in for the application, without the two ways in which Hypercorn's queue holds a connection for ever.

Its queue is bounded, which is right. But an application that has ended takes nothing out of it any more, and then
neither what the client still sends nor the word that the connection is over can be put into it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

_DISCONNECTS = frozenset({"http.disconnect", "websocket.disconnect"})


class Inbound:
    """The queue behind ``put``, which is the method of an ``asyncio.Queue``."""

    def __init__(self, put: Callable[[Any], Awaitable[None]]) -> None:
        self._queue: asyncio.Queue[Any] = put.__self__  # type: ignore[attr-defined]
        self._ended = asyncio.Event()

    def end(self) -> None:
        """The application has ended: nothing waits for it any more."""
        self._ended.set()

    async def put(self, message: Any) -> None:
        """Waits for room, unless the application has ended. A disconnect takes the place of what was not read yet."""
        if message["type"] in _DISCONNECTS:
            while not self._queue.empty():
                self._queue.get_nowait()
            self._queue.put_nowait(message)
        elif not self._queue.full():
            self._queue.put_nowait(message)
        elif not self._ended.is_set():
            waits = [asyncio.ensure_future(self._queue.put(message)), asyncio.ensure_future(self._ended.wait())]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for one in waits:
                    one.cancel()
