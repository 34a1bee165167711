"""Decodes requests only after the caller is identified: until then they are bytes."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from gameshelf.gateway.runtime.errors import PayloadTooLarge
from gameshelf.kernel.errors import InvalidInput, Problem
from google.protobuf.message import DecodeError

MAX_BYTES = 1024 * 1024
"""Size limit of a message: a decoded message of many small elements takes twenty times its size in memory."""

Decode = Callable[[bytes], Any]
"""Decodes the bytes of a message. Raises PayloadTooLarge, InvalidInput."""
_VARINT, _BYTES = 0, 2
_FIXED = {1: 8, 5: 4}
_MAX_VARINT = 10


@dataclass(frozen=True, slots=True)
class LargeRequest:
    """The bounds of a method whose messages may be larger. The number of elements is bounded before they are decoded:
    an empty one takes two bytes on the wire, and fifty times that in memory.
    """

    max_bytes: int
    max_elements: int
    """Of all lists of the message together, and its other fields."""
    max_element_bytes: int


def decoding(deserialize: Decode, max_bytes: int = MAX_BYTES, large: LargeRequest | None = None) -> Decode:
    """Wraps ``deserialize`` so that invalid or too large messages are refused.

    Left to gRPC itself, a message that can't be decoded would be answered UNKNOWN and logged with a traceback.
    """
    most = large.max_bytes if large else max_bytes

    def decode(sent: bytes) -> Any:
        if len(sent) > most:
            raise PayloadTooLarge(max_bytes=most)
        try:
            if large and len(sent) > MAX_BYTES:
                _require_few_elements(sent, large)
            return deserialize(sent)
        except (DecodeError, ValueError, RecursionError):
            raise InvalidInput(Problem("malformed_message")) from None

    return decode


def _require_few_elements(sent: bytes, large: LargeRequest) -> None:
    """Raises InvalidInput for too many or too large fields at the top of a message, ValueError if it is none."""
    for count, size in enumerate(_field_sizes(sent), 1):
        if count > large.max_elements:
            raise InvalidInput(Problem("too_long", params={"max_length": large.max_elements}))
        if size > large.max_element_bytes:
            raise InvalidInput(Problem("element_too_large", params={"max_bytes": large.max_element_bytes}))


def _field_sizes(sent: bytes) -> Iterator[int]:
    """Yields the size of each field of a message in the order of the wire."""
    at, end = 0, len(sent)
    while at < end:
        tag, at = _varint(sent, at)
        kind = tag & 7
        if kind == _BYTES:
            size, at = _varint(sent, at)
        elif kind == _VARINT:
            size = _varint(sent, at)[1] - at
        elif kind in _FIXED:
            size = _FIXED[kind]
        else:
            raise ValueError("a group")
        at += size
        if at > end:
            raise ValueError("cut off")
        yield size


def _varint(sent: bytes, at: int) -> tuple[int, int]:
    """Returns a number of the wire and where it ends. Raises ValueError."""
    value = 0
    for place, byte in enumerate(sent[at : at + _MAX_VARINT]):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    raise ValueError("no number")


async def each_decoded(
    requests: AsyncIterator[bytes], decode: Decode, before: Callable[[], Awaitable[None]] | None = None
) -> AsyncIterator[Any]:
    """Yields the decoded messages of a stream; ``before`` is awaited for each of them."""
    async for request in requests:
        if before:
            await before()
        yield decode(request)
