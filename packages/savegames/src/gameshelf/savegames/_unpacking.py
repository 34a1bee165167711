"""Hashes the unpacked form of packed bytes, in bounded memory and in bounded steps."""

import zlib
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Protocol

from gameshelf.savegames._ports import Packing

_STEP_BYTES = 64 * 1024
"""The number of bytes that one step unpacks and hashes. Other tasks wait for one step at most."""
_ZSTD_WINDOW = 8 * 1024**2
"""The largest window of a frame, which every decoder supports (RFC 8878, section 3.1.1.1.2)."""
_ZSTD_SLICE = 64
"""The number of packed bytes per step, since four of them can unpack to 128 KiB."""
_GZIP = 16 + zlib.MAX_WBITS


class _Unpacker(Protocol):
    def unpack(self, data: bytes) -> Iterator[bytes]:
        """Yields the next unpacked bytes. Raises ValueError for data in another encoding."""
        ...

    @property
    def is_whole(self) -> bool:
        """Whether the data was complete."""
        ...


class Unpacking:
    """Unpacks an object piece by piece, and returns hash and size of the unpacked bytes at its end."""

    def __init__(self, packing: Packing) -> None:
        self._unpacker: _Unpacker = _UNPACKERS[packing.encoding]()
        self._max_bytes = packing.max_bytes
        self._hash = sha256()
        self._size = 0
        self._failed = False

    def feed(self, data: bytes) -> Iterator[None]:
        """Unpacks a piece in steps, between which the caller may run other tasks. Data that is invalid or becomes too
        large is not unpacked any further.
        """
        if self._failed:
            return
        waiting = 0
        try:
            for part in self._unpacker.unpack(data):
                self._size += len(part)
                if self._size > self._max_bytes:
                    self._failed = True
                    return
                self._hash.update(part)
                waiting += len(part)
                if waiting >= _STEP_BYTES:
                    waiting = 0
                    yield
        except ValueError:
            self._failed = True

    def result(self) -> tuple[bytes | None, int | None]:
        """Returns SHA-256 and size of the unpacked bytes; None for each if the data was invalid or incomplete."""
        if self._failed or not self._unpacker.is_whole:
            return None, None
        return self._hash.digest(), self._size


class _Identity:
    is_whole = True

    def unpack(self, data: bytes) -> Iterator[bytes]:
        yield data


class _Gzip:
    """Unpacks gzip. Several members in sequence form one file (RFC 1952, section 2.2)."""

    def __init__(self) -> None:
        self._member: zlib._Decompress | None = None
        self._members = 0

    @property
    def is_whole(self) -> bool:
        return self._member is None and self._members > 0

    def unpack(self, data: bytes) -> Iterator[bytes]:
        has_more = False
        while data or has_more:
            if self._member is None:
                self._member = zlib.decompressobj(_GZIP)
            try:
                part = self._member.decompress(data, _STEP_BYTES)
            except zlib.error:
                raise ValueError("this is not gzip") from None
            data, has_more = self._member.unconsumed_tail, len(part) == _STEP_BYTES
            if self._member.eof:
                data, has_more, self._member = self._member.unused_data, False, None
                self._members += 1
            yield part


class _Zstd:
    """Unpacks zstd. Several frames in sequence form one file (RFC 8878, section 3.1)."""

    def __init__(self) -> None:
        # Imported here, since it needs a megabyte and few processes ever unpack such a save.
        from zstandard import ZstdDecompressor, ZstdError

        self._decompressor = ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        self._error = ZstdError
        self._frame: Any = None
        self._frames = 0

    @property
    def is_whole(self) -> bool:
        return self._frame is None and self._frames > 0

    def unpack(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), _ZSTD_SLICE):
            rest = data[start : start + _ZSTD_SLICE]
            while rest:
                if self._frame is None:
                    self._frame = self._decompressor.decompressobj()
                try:
                    part = self._frame.decompress(rest)
                except self._error:
                    raise ValueError("this is not zstd, or needs more memory than is given") from None
                rest = b""
                if self._frame.eof:
                    rest, self._frame = self._frame.unused_data, None
                    self._frames += 1
                yield part


_UNPACKERS: dict[str, type[_Unpacker]] = {"identity": _Identity, "gzip": _Gzip, "zstd": _Zstd}
