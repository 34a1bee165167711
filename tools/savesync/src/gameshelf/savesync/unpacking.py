"""Contents that another client has packed: unpacked in a stream, never beyond the size that the list says."""

import gzip
from collections.abc import Iterator
from importlib import import_module
from io import IOBase
from typing import IO, Any, BinaryIO
from zlib import error as ZlibError

from gameshelf.savesync.errors import ContentUnusable
from gameshelf.savesync.files import CloudFile

_BLOCK = 1 << 20
_MAX_WINDOW = 2**27
"""How much memory a content of zstd may ask for."""


def unpacked(path: str, file: CloudFile, packed: BinaryIO) -> Iterator[bytes]:
    """The raw bytes of a file. Raises ContentUnusable, which names its path."""
    if file.raw_size is None:
        raise ContentUnusable(path, "its size without packing is unknown")
    left = file.raw_size
    try:
        with _reader(path, file, packed) as reader:
            # One byte more than there should be shows a content that would fill the disk.
            while block := reader.read(min(_BLOCK, left + 1)):
                left -= len(block)
                if left < 0:
                    raise ContentUnusable(path, f"unpacked it has more than {file.raw_size} bytes")
                yield block
    except (EOFError, gzip.BadGzipFile, ZlibError) as error:
        raise ContentUnusable(path, f"it cannot be unpacked: {error}") from error
    if left:
        raise ContentUnusable(path, f"unpacked it has {left} bytes less than {file.raw_size}")


def _reader(path: str, file: CloudFile, packed: BinaryIO) -> IO[bytes] | IOBase | Any:
    if file.content_encoding == "gzip":
        return gzip.GzipFile(fileobj=packed)
    try:
        zstandard = import_module("zstandard")
    except ImportError:
        raise ContentUnusable(path, "it is packed with zstd: install gameshelf-savesync[zstd]") from None
    decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)
    return _Zstd(decompressor.stream_reader(packed, read_across_frames=True), zstandard.ZstdError)


class _Zstd:
    """A reader whose errors are those of the others."""

    def __init__(self, reader: Any, error: type[Exception]) -> None:
        self._reader, self._error = reader, error

    def __enter__(self) -> "_Zstd":
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()

    def read(self, size: int) -> bytes:
        try:
            return self._reader.read(size)  # type: ignore[no-any-return]
        except self._error as error:
            raise EOFError(str(error)) from error
