"""Decodes requests only after the caller is identified: until then they are bytes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from gameshelf.gateway.runtime.errors import PayloadTooLarge
from gameshelf.kernel.errors import InvalidInput, Problem
from google.protobuf.message import DecodeError

MAX_BYTES = 1024 * 1024
"""Size limit of a message: a decoded message of many small elements takes twenty times its size in memory."""

Decode = Callable[[bytes], Any]
"""Decodes the bytes of a message. Raises PayloadTooLarge, InvalidInput."""


def decoding(deserialize: Decode, max_bytes: int = MAX_BYTES) -> Decode:
    """Wraps ``deserialize`` so that invalid or too large messages are refused.

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
    """Yields the decoded messages of a stream; ``before`` is awaited for each of them."""
    async for request in requests:
        if before:
            await before()
        yield decode(request)
