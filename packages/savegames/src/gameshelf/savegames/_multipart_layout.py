"""How a large file is divided into the parts of a multipart upload (contract, section 3.6)."""

PART_BYTES = 8 * 1024**2
"""A file of more bytes may go in parts; every part but the last one has so many bytes at least."""
MAX_PARTS = 1000
"""The highest number of parts; larger files have larger parts."""


def part_bytes(size: int) -> int:
    """Returns the size of each part of a file but the last one."""
    return max(PART_BYTES, -(-size // MAX_PARTS))


def part_sizes(size: int) -> tuple[int, ...]:
    """Returns the sizes of the parts of a file, by their numbers from 1."""
    each = part_bytes(size)
    return tuple(min(each, size - start) for start in range(0, size, each))
