"""Clocks and validated times. Code gets its clock from its caller, so that rules can be tested on plain values."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError

Clock = Callable[[], datetime]
"""Returns the current time, aware and in UTC."""

MAX_CLOCK_LEAD = timedelta(minutes=5)
"""The maximum time that another service's clock may run ahead of ours (contract, section 6)."""

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""Times of users and other services are at least ``EARLIEST`` and less than ``LATEST`` (contract, section 3)."""


def utc_now() -> datetime:
    """Returns the current time in UTC: the clock of production."""
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
"""A time in a request, which has an offset, in UTC. A time outside of 1970 to 2199 is refused: it comes from a clock
that was never set, or is the largest value of a type, which PostgreSQL would store as infinity.
"""

# Years of other platforms that Python's dates do not support, such as the last one of JavaScript, +275760.
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
    """Returns the time of an event in UTC, or None where it is outside of 1970 to 2199. Such a value stands for no time
    (``0001-01-01`` of Go, ``9999-12-31`` of .NET, which PostgreSQL would store as infinity). A time without an offset
    counts as UTC.
    """
    if moment is None:
        return None
    try:
        utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        return None
    return utc if EARLIEST <= utc < LATEST else None


EventTime = Annotated[datetime | None, BeforeValidator(_none_if_no_time), AfterValidator(event_time)]
"""A time in an event of another service, in UTC; None where there is none (see ``event_time``). A number counts seconds
or milliseconds since 1970, and 0 means that there is none.
"""


def not_in_future(moment: datetime, now: datetime) -> datetime:
    """Returns ``moment``, or ``now`` where ``moment`` is more than five minutes later. Both are aware.

    Without this bound an event with a time far in the future would stay the newest one for ever.
    """
    return now if moment - now > MAX_CLOCK_LEAD else moment
