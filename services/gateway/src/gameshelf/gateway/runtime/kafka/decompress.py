"""Decompresses batches of Kafka up to a size: ten kilobytes of Zstandard may be hundreds of megabytes."""

import zlib
from collections.abc import Iterator
from typing import Any

import cramjam

GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
_XERIAL = b"\x82SNAPPY\x00"
"""Begins the blocks of Java's Snappy, each behind its length; other producers send one raw block."""
_XERIAL_HEADER_BYTES = 16
_LENGTH_BYTES = 4
_GZIP_WINDOW = 31
_USUAL_RATIO = 16
_LEAST_BUFFER = 64 * 1024
_NO_ROOM = "whole buffer"
"""A part of the error's text when the buffer is too small."""


class TooLarge(ValueError):
    """The decompressed bytes are more than they may be."""


def decompress(codec: int, packed: bytes, most: int) -> bytes:
    """Returns the decompressed bytes. Raises TooLarge for more than ``most``, which it never holds, and ValueError for
    what no codec has made.
    """
    try:
        match codec:
            case 1:
                return _gzip(packed, most)
            case 2:
                return b"".join(_snappy(packed, most))
            case 3:
                return _into(cramjam.lz4, packed, most)
            case 4:
                return _into(cramjam.zstd, packed, most)
    except cramjam.DecompressionError as error:
        if _NO_ROOM in str(error):
            raise TooLarge(f"more than {most} bytes") from None
        raise ValueError(str(error)) from None
    raise ValueError(f"no codec has the number {codec}")


def _gzip(packed: bytes, most: int) -> bytes:
    unpacking = zlib.decompressobj(wbits=_GZIP_WINDOW)
    try:
        plain = unpacking.decompress(packed, most + 1)
    except zlib.error as error:
        raise ValueError(f"gzip: {error}") from None
    if len(plain) > most:
        raise TooLarge(f"more than {most} bytes")
    # No producer sends several members, and a million of empty ones would take a while.
    if not unpacking.eof or unpacking.unused_data:
        raise ValueError("gzip: no complete stream")
    return plain


def _snappy(packed: bytes, most: int) -> Iterator[bytes]:
    room = most
    for block in _snappy_blocks(packed):
        room -= cramjam.snappy.decompress_raw_len(block)
        if room < 0:
            raise TooLarge(f"more than {most} bytes")
        yield bytes(cramjam.snappy.decompress_raw(block))


def _snappy_blocks(packed: bytes) -> Iterator[bytes]:
    if not packed.startswith(_XERIAL):
        yield packed
        return
    at = _XERIAL_HEADER_BYTES
    while at < len(packed):
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(packed[at:start], "big")
        yield packed[start:at]


def _into(codec: Any, packed: bytes, most: int) -> bytes:
    """Decompresses into a buffer, in which the codec has no more room than may be: first one of the usual ratio."""
    usual = min(most, max(_USUAL_RATIO * len(packed), _LEAST_BUFFER))
    try:
        return _into_room(codec, packed, usual)
    except cramjam.DecompressionError:
        if usual == most:
            raise
    return _into_room(codec, packed, most)


def _into_room(codec: Any, packed: bytes, size: int) -> bytes:
    buffer = bytearray(size)
    return bytes(memoryview(buffer)[: codec.decompress_into(packed, buffer)])
