"""Time is passed in, so that rules can be tested on plain values."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Gives the current time, aware and in UTC."""

MAX_CLOCK_LEAD = timedelta(minutes=5)
"""How far another service's clock may run ahead of ours (contract, section 6)."""


def utc_now() -> datetime:
    """The current time in UTC; the clock of production."""
    return datetime.now(UTC)


def not_in_future(moment: datetime, now: datetime) -> datetime:
    """``moment``, or ``now`` when it lies more than five minutes ahead of it.

    Both are aware. Without this bound one event from a broken clock would win every later last-writer-wins decision.
    """
    return now if moment - now > MAX_CLOCK_LEAD else moment
