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
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


async def serve_patiently(app: Asgi, scope: Any, receive: Any, send: Any) -> None:
    """Runs ``app``, which goes on receiving while it answers."""
    if scope["method"] not in _WITH_BODY:
        await app(scope, receive, send)
        return
    all_read = asyncio.Event()

    async def watched_receive() -> Any:
        message = await receive()
        if not message.get("more_body", False):
            all_read.set()
        return message

    async def patient_send(message: Any) -> None:
        if message["type"] == "http.response.start":
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_SECONDS):
                    await all_read.wait()
        await send(message)

    await app(scope, watched_receive, patient_send)
