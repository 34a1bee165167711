"""Time is passed in, so that rules can be tested on plain values."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError

Clock = Callable[[], datetime]
"""Gives the current time, aware and in UTC."""

MAX_CLOCK_LEAD = timedelta(minutes=5)
"""How far another service's clock may run ahead of ours (contract, section 6)."""

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""Times of users and other services lie from the one up to, and not including, the other (contract, section 3)."""


def utc_now() -> datetime:
    """The current time in UTC; the clock of production."""
    return datetime.now(UTC)


def _accepted(moment: datetime) -> datetime:
    try:
        utc = moment.astimezone(UTC)
    except OverflowError:
        utc = LATEST
    if not EARLIEST <= utc < LATEST:
        raise PydanticCustomError("datetime_out_of_range", "a time from 1970 to 2199 is expected")
    return utc


Moment = Annotated[AwareDatetime, AfterValidator(_accepted)]
"""A time in a request, with its offset; in UTC. One outside of 1970 to 2199 is refused: it is a clock that was never
set, or a type's end of time, which PostgreSQL would keep as infinity.
"""

# Years of other platforms that Python has no dates for, such as JavaScript's last one, +275760.
_FOREIGN_YEAR = re.compile(r"([+-]\d{1,12}|0000|\d{5,12})-\d")
_MAX_MILLISECONDS = 253_402_300_799_999
"""The last millisecond of the year 9999 since 1970."""


def _none_if_no_time(value: object) -> object:
    if isinstance(value, str):
        year = _FOREIGN_YEAR.match(value)
        is_none = not value.strip() or (year is not None and not EARLIEST.year <= int(year[1]) < LATEST.year)
        return None if is_none else value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value if value and -_MAX_MILLISECONDS <= value <= _MAX_MILLISECONDS else None
    return None if value in ([], {}) else value


def event_time(moment: datetime | None) -> datetime | None:
    """A time in an event in UTC, or None where it was not said: outside of 1970 to 2199 it stands for nothing (Go's
    ``0001-01-01``, .NET's ``9999-12-31``, which PostgreSQL would keep as infinity). Without an offset it is UTC.
    """
    if moment is None:
        return None
    try:
        utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        return None
    return utc if EARLIEST <= utc < LATEST else None


EventTime = Annotated[datetime | None, BeforeValidator(_none_if_no_time), AfterValidator(event_time)]
"""A time in an event of another service, in UTC; None where none was said (see ``event_time``). A number counts seconds
or milliseconds since 1970, and 0 was not said.
"""


def not_in_future(moment: datetime, now: datetime) -> datetime:
    """``moment``, or ``now`` when it lies more than five minutes ahead of it.

    Both are aware. Without this bound one event from a broken clock would win every later last-writer-wins decision.
    """
    return now if moment - now > MAX_CLOCK_LEAD else moment
