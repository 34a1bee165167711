"""An answer reaches a client that is still sending its body, and the connection outlives it.

A server that answers before it has read everything closes the connection: a client in the middle of a large body sees
nothing but that, and one whose call needs no body, such as a heartbeat, loses its next request. So an early answer
waits for the rest, which is thrown away as it comes.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

Asgi = Callable[[Any, Any, Any], Awaitable[None]]

LONGEST_SECONDS = 5.0
"""How long an answer waits; who sends for longer finds the connection closed."""
MOST_BYTES = 16 * 1024 * 1024
"""How much of a body is received before an answer does not wait for the rest any more."""
FREE_PIECES = 256
LEAST_PIECE_BYTES = 512
"""A body comes in at most so many pieces, and one more for each so many bytes of it. A chunk of one byte takes six on
the wire and costs as much as one of 64 KB, so that a small body could keep the process busy for seconds.
"""
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


async def serve_patiently(app: Asgi, scope: Any, receive: Any, send: Any) -> str | None:
    """Runs ``app``, which goes on receiving while it answers.

    The rule that the body broke, where the application was told for that reason that the client has gone; else None.
    """
    if scope["method"] not in _WITH_BODY:
        await app(scope, receive, send)
        return None
    body = _Body(receive)

    async def patient_send(message: Any) -> None:
        if message["type"] == "http.response.start":
            body.is_answered = True
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_SECONDS):
                    await body.all_read.wait()
        await send(message)

    await app(scope, body.receive, patient_send)
    return body.broken_rule


class _Body:
    """The body of one request on its way to the application."""

    is_answered = False
    broken_rule: str | None = None

    def __init__(self, receive: Any) -> None:
        self.all_read = asyncio.Event()
        self._receive = receive
        self._pieces = 0
        self._bytes = 0

    async def receive(self) -> Any:
        message = await self._receive()
        self._pieces += 1
        self._bytes += len(message.get("body", b""))
        is_too_fine = (self._pieces - FREE_PIECES) * LEAST_PIECE_BYTES > self._bytes
        if is_too_fine or self._bytes > MOST_BYTES or not message.get("more_body", False):
            self.all_read.set()
        if not is_too_fine:
            return message
        if self.is_answered:
            await asyncio.Event().wait()  # for ever: the answer is on its way, and ends the request
        self.broken_rule = "too_many_pieces"
        return {"type": "http.disconnect"}
