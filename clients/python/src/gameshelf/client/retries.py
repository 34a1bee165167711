"""When a request is repeated, and how long a client waits before. Decisions only; nothing here waits."""

import random
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_AWAY = frozenset((429, 502, 503, 504))
_YEAR = 365 * 86_400.0
_SAFE_TO_REPEAT = frozenset(("GET", "PUT", "DELETE"))


@dataclass(frozen=True, slots=True)
class RetryRules:
    """How long a call is tried."""

    tries: int = 6
    tries_to_connect: int = 3
    """A machine without a network is most often offline for long, and somebody waits for the game."""
    longest_pause: float = 60.0
    """A service that asks for more patience than these seconds is left alone: the caller decides."""
    total_seconds: float = 120.0
    """No try begins later than this after the first."""


def is_temporary(status: int, method: str, is_harmless: bool) -> bool:
    """Whether an answer means that the same request may succeed later, and may be sent again without harm.

    ``is_harmless``: it has a key, by which it counts once, or changes nothing.
    """
    return status in _AWAY or (status == 500 and (is_harmless or method in _SAFE_TO_REPEAT))


def pause_before(tried: int, said: float | None = None) -> float:
    """Seconds to wait after a number of failures: longer each time, and not as long as all other clients wait."""
    waits = min(20.0, 0.5 * 2.0**tried)
    return (said or 0.0) + random.uniform(0.0, waits)  # noqa: S311 - it spreads requests, and hides nothing


def retry_after(headers: Mapping[str, str]) -> float | None:
    """For how many seconds an answer asks for patience, at most a year; it may name the time instead."""
    said = headers.get("Retry-After", "")
    if said.isascii() and said.isdigit():
        return min(float(said), _YEAR)
    with suppress(ValueError, TypeError, OverflowError):
        until, now = _date_of(said), date_of(headers) or datetime.now(UTC)
        return min(max(0.0, (until - now).total_seconds()), _YEAR)
    return None


def date_of(headers: Mapping[str, str]) -> datetime | None:
    """When an answer was given, by the clock of the one who gave it."""
    with suppress(ValueError, TypeError, OverflowError):
        return _date_of(headers.get("Date", ""))
    return None


def _date_of(text: str) -> datetime:
    """A date of a header; one without a zone is in UTC."""
    date = parsedate_to_datetime(text)
    return date if date.tzinfo else date.replace(tzinfo=UTC)


class Attempts:
    """The tries of one call: counts them, and decides whether there is another one."""

    def __init__(self, rules: RetryRules, began: float) -> None:
        self._rules, self._began = rules, began
        self.tried = 0
        self.may_be_applied = False
        """Whether a try may have been applied though its answer is missing."""

    def failed(self, now: float, said: float | None = None, *, is_connection: bool = False) -> float | None:
        """Notes a failure. Returns for how long to wait before the next try; None: there is none."""
        self.tried += 1
        self.may_be_applied |= not is_connection
        tries = self._rules.tries_to_connect if is_connection else self._rules.tries
        if self.tried >= tries or (said or 0.0) > self._rules.longest_pause:
            return None
        pause = pause_before(self.tried, said)
        return None if now + pause - self._began > self._rules.total_seconds else pause
