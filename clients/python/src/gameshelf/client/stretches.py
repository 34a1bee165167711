"""When a game was really played: the stretches between the sleeps of its machine. Plain values; nothing here waits."""

from datetime import datetime, timedelta

SHORTEST = timedelta(seconds=1)
"""What is shorter is no session for the service, which counts whole seconds."""
_LONGEST_TURN = timedelta(seconds=150)
_INTERVALS = 3
_SECOND = timedelta(seconds=1)

Stretch = tuple[datetime, datetime]


class PlayedStretches:
    """Stretches of one session, by the clock of its machine as it is set now."""

    def __init__(self, began: datetime, heartbeat_seconds: float, ahead: timedelta | None = None) -> None:
        self._longest_gap = max(_INTERVALS * timedelta(seconds=heartbeat_seconds), _LONGEST_TURN)
        self._past: list[Stretch] = []
        self.began = self._seen = began
        """When the current stretch began."""
        self.ahead = ahead
        """What the clock of the service is ahead; None if that is not known."""

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
        for a disk.
        """
        self._follow_clock(now)
        is_new = now - self._seen > self._longest_gap
        if is_new:
            self._past.append(self.current)
            self.began = now
        self._seen = now
        return is_new

    def acknowledge(self) -> None:
        """The service has received a heartbeat: it counts all that was before."""
        self._past.clear()

    def compare(self, sent: datetime, service_time: datetime, received: datetime) -> None:
        """An answer with a time of the service, in whole seconds, to a request that was sent and answered then.

        A clock that is set forward looks like a sleep. So what was before the last one keeps its time at the service.
        """
        self._follow_clock(received)
        least, most = service_time - received, service_time + _SECOND - min(sent, received)
        ahead = self.ahead or timedelta()
        if not least <= ahead <= most:
            ahead = (least + most) / 2
        if self.ahead is not None:
            self._past = [(begin + self.ahead - ahead, end + self.ahead - ahead) for begin, end in self._past]
        self.ahead = ahead

    def at_service(self, time: datetime) -> datetime:
        """What the clock of the service has shown then."""
        return time + (self.ahead or timedelta())

    def _follow_clock(self, now: datetime) -> None:
        """A clock that is set back takes all stretches along: they were played before now, whatever it showed."""
        back = self._seen - now
        if back <= timedelta():
            return
        self._past = [(begin - back, end - back) for begin, end in self._past]
        self.began, self._seen = self.began - back, now
        if self.ahead is not None:
            self.ahead += back
