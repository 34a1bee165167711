"""When a game was really played: the stretches between the sleeps of its machine. Plain values; nothing here waits."""

from datetime import datetime, timedelta

SHORTEST = timedelta(seconds=1)
"""What is shorter is no session for the service, which counts whole seconds."""
_LONGEST_TURN = timedelta(seconds=150)
_INTERVALS = 3

Stretch = tuple[datetime, datetime]


class PlayedStretches:
    """Stretches of one session, by the clock of its machine."""

    def __init__(self, began: datetime, heartbeat_seconds: float) -> None:
        self._longest_gap = max(_INTERVALS * timedelta(seconds=heartbeat_seconds), _LONGEST_TURN)
        self._past: list[Stretch] = []
        self.began = self._seen = began
        """When the current stretch began."""

    @property
    def current(self) -> Stretch:
        """From its begin to the last turn."""
        return self.began, self._seen

    @property
    def unacknowledged(self) -> tuple[Stretch, ...]:
        """What the service has perhaps not counted."""
        return *self._past, self.current

    def advance(self, now: datetime) -> bool:
        """A turn of the game. Returns whether a new stretch begins with it, since the machine has slept.

        A gap that is not much longer than the interval of the heartbeats is none: a turn may wait for the network or
        for a disk. A clock that was set back begins a new stretch as well: what it showed before stays played.
        """
        gap = now - self._seen
        is_new = not timedelta() <= gap <= self._longest_gap
        if is_new:
            self._past.append(self.current)
            self.began = now
        self._seen = now
        return is_new

    def acknowledge(self) -> None:
        """The service has received a heartbeat: it counts all that was before."""
        self._past.clear()
