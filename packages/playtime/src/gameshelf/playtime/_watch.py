"""Decides when a silent session counts as dead, on plain values.

Heartbeats are kept in a fast store that may be lost. The database keeps a count beside it: as long as the two agree, no
heartbeat was missed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Watch:
    """How long heartbeats have been kept without a break, for one part of the sessions."""

    ticks: int
    """The number of looks; the fast store's count falls behind when it is emptied or rolled back."""
    seen_at: datetime
    since: datetime
    """The time since which no heartbeat was missed."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The state of the fast store now."""

    ticks: int | None
    """Its count; None when it has none."""
    accepted_at: datetime | None
    """When a process last reported that it accepts heartbeats."""


def longest_gap(timeout: timedelta) -> timedelta:
    """The longest time without a look or accepted heartbeats that does not count as a break.

    A quarter of the time-out: a player whose heartbeats failed for that long has the rest of it to send one again.
    """
    return timeout / 4


def next_watch(seen: Seen, kept: Watch, now: datetime, gap: timedelta) -> Watch:
    """The watch after one more look.

    After any break (the store is down, emptied or rolled back, no process looks or accepts heartbeats) it restarts: a
    session counts as dead only once heartbeats have been kept for a full time-out (contract, section 3.3).
    """
    is_unbroken = (
        seen.ticks == kept.ticks
        and now - kept.seen_at <= gap
        and seen.accepted_at is not None
        and now - seen.accepted_at <= gap
    )
    return Watch(kept.ticks + 1, now, kept.since if is_unbroken else now)


def may_end(watch: Watch, now: datetime, timeout: timedelta) -> bool:
    """Whether a session without a sign of life for a time-out counts as dead."""
    return now - watch.since >= timeout and now - watch.seen_at <= longest_gap(timeout)
