"""Delivers an early answer to a client that is still sending its body, and keeps the connection open.

A server that answers before it has read the whole body closes the connection: the client then sees only the end of the
connection, and a client with a superfluous body, for example of a heartbeat, loses its next request. So an early answer
waits for the rest of the body, which is discarded.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

Asgi = Callable[[Any, Any, Any], Awaitable[None]]

LONGEST_SECONDS = 5.0
"""How long an answer waits for the rest of the body; then the connection is closed."""
MOST_BYTES = 16 * 1024 * 1024
"""An answer waits only for bodies up to this size."""
FREE_PIECES = 256
LEAST_PIECE_BYTES = 512
"""A body may have a fixed number of pieces, and one more for each of these bytes. A chunk of one byte takes six on the
wire and costs as much as one of 64 KB, so a small body in tiny chunks could keep the process busy for seconds.
"""
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


async def serve_patiently(app: Asgi, scope: Any, receive: Any, send: Any) -> str | None:
    """Runs ``app``, and receives the rest of the body while it answers.

    Returns the rule that the body broke, in which case the application got a disconnect; else None.
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
            await asyncio.Event().wait()  # for ever: the answer that is being sent ends the request
        self.broken_rule = "too_many_pieces"
        return {"type": "http.disconnect"}
