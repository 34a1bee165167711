"""The queue of messages to the application, which never blocks once the application has ended.

Hypercorn's queue is bounded. An application that has ended takes nothing out of it any more, so both further messages
of the client and the disconnect would wait for ever, and with them the connection.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

_DISCONNECTS = frozenset({"http.disconnect", "websocket.disconnect"})


class Inbound:
    """Wraps the queue whose bound method ``put`` is given."""

    def __init__(self, put: Callable[[Any], Awaitable[None]]) -> None:
        self._queue: asyncio.Queue[Any] = put.__self__  # type: ignore[attr-defined]
        self._ended = asyncio.Event()

    def end(self) -> None:
        """Must be called when the application has ended; messages are discarded from now on."""
        self._ended.set()

    async def put(self, message: Any) -> None:
        """Waits for room unless the application has ended. A disconnect replaces all messages that were not read."""
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
                for wait in waits:
                    wait.cancel()
