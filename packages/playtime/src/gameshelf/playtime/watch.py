"""When silence counts as death: a decision on what two witnesses say, on plain values.

Heartbeats are kept in a fast store that may be lost. The database keeps a count beside it, and as long as the two agree
nothing was missed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Watch:
    """How long heartbeats have been kept without a break, for one part of the sessions."""

    ticks: int
    """How often it was looked; the fast store's count falls behind when it is emptied or rolled back."""
    seen_at: datetime
    since: datetime
    """Since when nothing was missed."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the fast store says now."""

    ticks: int | None
    """Its count; None when it has none."""
    accepted_at: datetime | None
    """When some process last said that it takes heartbeats."""


def longest_gap(timeout: timedelta) -> timedelta:
    """How long nobody may look, or take heartbeats, before it counts as a break.

    A quarter of the time-out: a player whose heartbeats failed for that long has the rest of it to be heard again.
    """
    return timeout / 4


def next_watch(seen: Seen, kept: Watch, now: datetime, gap: timedelta) -> Watch:
    """The watch after one more look.

    After any break (the store away, emptied or rolled back, nobody looking or nobody taking heartbeats) it begins anew:
    a session may be taken for dead only once heartbeats have been kept for a full time-out (contract, section 3.3).
    """
    is_unbroken = (
        seen.ticks == kept.ticks
        and now - kept.seen_at <= gap
        and seen.accepted_at is not None
        and now - seen.accepted_at <= gap
    )
    return Watch(kept.ticks + 1, now, kept.since if is_unbroken else now)


def may_end(watch: Watch, now: datetime, timeout: timedelta) -> bool:
    """Whether a session that showed no sign of life for a time-out may be taken for dead."""
    return now - watch.since >= timeout and now - watch.seen_at <= longest_gap(timeout)
