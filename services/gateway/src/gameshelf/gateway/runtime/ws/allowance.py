"""A token bucket that limits how many messages a connection may send."""

from collections.abc import Callable
from time import monotonic


class Allowance:
    """Allows a burst of ``count`` messages, and ``count`` per minute in the long run."""

    def __init__(self, count: int, clock: Callable[[], float] = monotonic) -> None:
        self._count = count
        self._clock = clock
        self._left = float(count)
        self._at = clock()

    def take(self) -> bool:
        """Takes one message from the allowance; returns False if none is left."""
        now = self._clock()
        self._left = min(self._left + (now - self._at) * self._count / 60, self._count)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
