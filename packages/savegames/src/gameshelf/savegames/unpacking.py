"""Hashing packed bytes as they are once unpacked, in bounded memory and steps."""

import zlib
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Protocol

from gameshelf.savegames.ports import Packing

_STEP_BYTES = 64 * 1024
"""How much is unpacked and hashed in one step, whatever comes in: nobody else waits longer than for that."""
_ZSTD_WINDOW = 8 * 1024**2
"""How far back a frame may refer: what every decoder is to support (RFC 8878, section 3.1.1.1.2), and no more."""
_ZSTD_SLICE = 64
"""So many bytes come in at a time, since four of them can be 128 KiB once unpacked."""
_GZIP = 16 + zlib.MAX_WBITS


class _Unpacker(Protocol):
    def unpack(self, data: bytes) -> Iterator[bytes]:
        """What more is there of the unpacked bytes. Raises ValueError for what is not packed so."""
        ...

    @property
    def is_whole(self) -> bool:
        """Whether all that was packed has come."""
        ...


class Unpacking:
    """Takes an object piece by piece, and says at its end what it is once unpacked."""

    def __init__(self, packing: Packing) -> None:
        self._unpacker: _Unpacker = _UNPACKERS[packing.encoding]()
        self._max_bytes = packing.max_bytes
        self._hash = sha256()
        self._size = 0
        self._failed = False

    def feed(self, data: bytes) -> Iterator[None]:
        """Takes a piece, in steps: between two of them others may go on. What can't be unpacked, or becomes too large,
        is not looked at any further.
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
        """SHA-256 and size of the unpacked bytes; None where there are none."""
        if self._failed or not self._unpacker.is_whole:
            return None, None
        return self._hash.digest(), self._size


class _Identity:
    is_whole = True

    def unpack(self, data: bytes) -> Iterator[bytes]:
        yield data


class _Gzip:
    """Members one after the other are one file (RFC 1952, section 2.2)."""

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
    """Frames one after the other are one file (RFC 8878, section 3.1)."""

    def __init__(self) -> None:
        # Not at the top: few processes ever see such a save, and each that imports it pays with a megabyte.
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
