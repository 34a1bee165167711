"""Requests as they come from the wire: bytes, which are decoded only once the caller is known."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from gameshelf.gateway.runtime.errors import PayloadTooLarge
from gameshelf.kernel.errors import InvalidInput, Problem
from google.protobuf.message import DecodeError

MAX_BYTES = 1024 * 1024
"""How large a message may be: one of two-byte elements takes twenty times its size in memory."""

Decode = Callable[[bytes], Any]
"""Makes a message of bytes. Raises PayloadTooLarge, InvalidInput."""


def decoding(deserialize: Decode, max_bytes: int = MAX_BYTES) -> Decode:
    """``deserialize``, with refusals for what is no message of its kind.

    Left to gRPC itself, a message that can't be decoded would be answered UNKNOWN and logged with a traceback.
    """

    def decode(sent: bytes) -> Any:
        if len(sent) > max_bytes:
            raise PayloadTooLarge(max_bytes=max_bytes)
        try:
            return deserialize(sent)
        except (DecodeError, ValueError, RecursionError):
            raise InvalidInput(Problem("malformed_message")) from None

    return decode


async def each_decoded(
    requests: AsyncIterator[bytes], decode: Decode, before: Callable[[], Awaitable[None]] | None = None
) -> AsyncIterator[Any]:
    """The messages of a stream; ``before`` is awaited for each of them."""
    async for request in requests:
        if before:
            await before()
        yield decode(request)
