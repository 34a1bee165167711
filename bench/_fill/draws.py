"""Numbers and ids at random. None depends on the time of day, so the same seed makes the same rows at any time."""

from hashlib import md5
from random import Random


def between(draw: Random, least: int, end: int) -> int:
    """A number below ``end``, by one draw whatever the limits are: what is drawn next does not depend on them."""
    return least + int(draw.random() * (end - least))


def random_id(draw: Random) -> bytes:
    """An id of version 4, as the service makes them."""
    return _versioned(draw.getrandbits(128))


def named_id(name: str) -> bytes:
    """An id that looks the same, and follows from a name."""
    return _versioned(int.from_bytes(md5(name.encode(), usedforsecurity=False).digest(), "big"))


def _versioned(number: int) -> bytes:
    return (number & ~(0xF << 76 | 0x3 << 62) | 4 << 76 | 2 << 62).to_bytes(16, "big")
