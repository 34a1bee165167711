"""How many messages a connection may send."""

from collections.abc import Callable
from time import monotonic


class Allowance:
    """At most ``count`` in a burst, and then as many as come back at ``count`` per minute."""

    def __init__(self, count: int, clock: Callable[[], float] = monotonic) -> None:
        self._count = count
        self._clock = clock
        self._left = float(count)
        self._at = clock()

    def take(self) -> bool:
        """Uses one up; False where none is left."""
        now = self._clock()
        self._left = min(self._left + (now - self._at) * self._count / 60, self._count)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
