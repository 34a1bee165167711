"""Logs a lasting state once when it begins and once when it ends, however often it is noticed meanwhile.

``StateLog`` is for code of the service that finds the same failure repeatedly (a broker that is away, a topic that is
refused, a job that fails). ``OncePerState`` does the same for lines of libraries.
"""

import logging
import time
from collections.abc import Callable

_MOST_STATES = 10_000
"""Beyond this number of states the oldest ones are dropped, and may be logged again."""
_QUIET_SECONDS = 60.0
"""A library's line that was not repeated for this time belongs to a new state."""
_MOST_LINES = 1_000


class StateLog:
    """The current states, by name. Not thread-safe.

    >>> states = StateLog(logging.getLogger(__name__))
    >>> states.begin("kafka", "Kafka is away: %s", "KafkaConnectionError")  # logs a warning
    True
    >>> states.begin("kafka", "Kafka is away: %s", "KafkaConnectionError")  # logs nothing
    False
    >>> states.end("kafka", "Kafka is back")  # logs how long it lasted; nothing if the state did not hold
    True
    """

    def __init__(self, logger: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self._logger = logger
        self._clock = clock
        self._since: dict[str, float] = {}

    def __contains__(self, state: str) -> bool:
        return state in self._since

    def begin(self, state: str, message: str, *arguments: object, error: BaseException | None = None) -> bool:
        """Begins a state: logs a warning with the traceback of ``error`` unless it began before. Returns whether it
        logged.
        """
        if state in self._since:
            return False
        while len(self._since) >= _MOST_STATES:
            del self._since[next(iter(self._since))]
        self._since[state] = self._clock()
        self._logger.warning(message, *arguments, exc_info=error)
        return True

    def end(self, state: str, message: str, *arguments: object) -> bool:
        """Ends a state: logs its duration if it had begun. Returns whether it logged."""
        since = self._since.pop(state, None)
        if since is None:
            return False
        seconds = round(self._clock() - since, 3)
        self._logger.info(message, *arguments, extra={"fields": {"state.seconds": seconds}})
        return True


class OncePerState(logging.Filter):
    """Lets a line of a logger pass once and drops its repetitions, until it was not written for a minute.

    Lines are identified by logger and text before the arguments are filled in, so that "can't connect to node 1" and
    the same for node 2 are one state. It is attached to the handler, since a logger's filters don't get its children's
    lines.
    """

    def __init__(self, *prefixes: str, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._prefixes = prefixes
        self._clock = clock
        self._last: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Returns whether the line is written."""
        if not record.name.startswith(self._prefixes):
            return True
        now, line = self._clock(), (record.name, str(record.msg))
        last = self._last.pop(line, None)  # keeps the lines in the order of their last repetition
        while len(self._last) >= _MOST_LINES:
            del self._last[next(iter(self._last))]
        self._last[line] = now
        return last is None or now - last > _QUIET_SECONDS
