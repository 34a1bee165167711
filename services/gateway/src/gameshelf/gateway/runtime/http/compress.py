"""Compresses responses for clients that ask for it (gzip), outside of Quart.

The ETag stays unchanged: it identifies the state of a resource, which ``If-Match`` compares, and no shared cache stores
personal responses. There are no cookies, so no attacker can make a browser send secrets together with chosen text.
"""

import asyncio
import gzip
import re
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

MIN_BYTES = 1024
"""Smaller responses are not compressed."""
_LEVEL = 1
_INLINE_BYTES = 256 * 1024
"""Larger responses are compressed in a thread."""
_COMPRESSIBLE = (b"application/json", b"text/", b"image/svg+xml", b"application/javascript")
_REFUSED = re.compile(rb";\s*q=0(?:\.0*)?\s*$")

Send = Callable[[Any], Awaitable[None]]


def accepts_gzip(accept_encoding: bytes) -> bool:
    """Returns whether ``Accept-Encoding`` contains gzip or ``*`` with a weight above zero."""
    weights = {}
    for part in accept_encoding.lower().split(b","):
        coding = part.partition(b";")[0].strip()
        weights[coding] = _REFUSED.search(part) is None
    return weights.get(b"gzip", weights.get(b"*", False))


def compressing(send: Send) -> Send:
    """Wraps ``send`` for a client that accepts gzip: compresses responses that are compressible and large enough."""
    response = _Response(send)
    return response.send


class _Response:
    """One response on its way out."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Any = None
        self._stream: Any = None

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            if _is_compressible(message):
                self._start = message  # held back until the first part of the body shows the size
            else:
                await self._send(message)
        elif self._start is not None:
            await self._begin(self._start, message)
        elif self._stream is not None:
            await self._continue(message)
        else:
            await self._send(message)

    async def _begin(self, start: Any, message: Any) -> None:
        self._start = None
        body: bytes = message.get("body", b"")
        if message.get("more_body", False):
            self._stream = zlib.compressobj(_LEVEL, wbits=zlib.MAX_WBITS | 16)
            await self._send({**start, "headers": _encoded(start["headers"], None)})
            await self._continue(message)
            return
        if len(body) >= MIN_BYTES:
            packed = await asyncio.to_thread(_packed, body) if len(body) > _INLINE_BYTES else _packed(body)
            if len(packed) < len(body):
                start = {**start, "headers": _encoded(start["headers"], len(packed))}
                message = {**message, "body": packed}
        await self._send(start)
        await self._send(message)

    async def _continue(self, message: Any) -> None:
        has_more = message.get("more_body", False)
        packed = self._stream.compress(message.get("body", b"")) + (b"" if has_more else self._stream.flush())
        await self._send({**message, "body": packed})


def _packed(body: bytes) -> bytes:
    return gzip.compress(body, _LEVEL, mtime=0)


def _is_compressible(start: Any) -> bool:
    if start["status"] < 200 or start["status"] in (204, 206, 304):
        return False
    given = {name.lower(): value for name, value in start["headers"]}
    if b"content-encoding" in given or int(given.get(b"content-length", MIN_BYTES)) < MIN_BYTES:
        return False
    content_type: bytes = given.get(b"content-type", b"")
    return content_type.lower().startswith(_COMPRESSIBLE)


def _encoded(headers: Any, length: int | None) -> list[tuple[bytes, bytes]]:
    kept = [(name, value) for name, value in headers if name.lower() != b"content-length"]
    if length is not None:
        kept.append((b"content-length", b"%d" % length))
    return [*kept, (b"content-encoding", b"gzip")]
