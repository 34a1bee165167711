"""Time is passed in, so that rules can be tested on plain values."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime
from pydantic_core import PydanticCustomError

Clock = Callable[[], datetime]
"""Gives the current time, aware and in UTC."""

MAX_CLOCK_LEAD = timedelta(minutes=5)
"""How far another service's clock may run ahead of ours (contract, section 6)."""

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""Times of users and other services lie from the one up to, and not including, the other (contract, section 3)."""


def said_time(moment: datetime | None) -> datetime | None:
    """A time (aware) in an event, or None where it was not said: outside of 1970 to 2199 it stands for nothing (Go's
    ``0001-01-01``, .NET's ``9999-12-31``, which PostgreSQL would keep as infinity).
    """
    return moment if moment is not None and EARLIEST <= moment < LATEST else None


def utc_now() -> datetime:
    """The current time in UTC; the clock of production."""
    return datetime.now(UTC)


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("datetime_out_of_range", "the time is out of range in UTC") from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A time that somebody gives, with its offset; in UTC. At the ends of the calendar there are times that have none."""


def not_in_future(moment: datetime, now: datetime) -> datetime:
    """``moment``, or ``now`` when it lies more than five minutes ahead of it.

    Both are aware. Without this bound one event from a broken clock would win every later last-writer-wins decision.
    """
    return now if moment - now > MAX_CLOCK_LEAD else moment
