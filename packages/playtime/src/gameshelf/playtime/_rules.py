"""Decisions about time on plain values: no I/O, no clock.

Time is counted in whole seconds. A session's start and end are cut to the second when they are stored, so every sum of
lengths is exact, in any order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from uuid import UUID

from gameshelf.kernel.clock import MAX_CLOCK_LEAD

MAX_IMPORT_LENGTH = timedelta(hours=24)
"""The longest imported session (contract, section 3.3)."""

RECENT = timedelta(days=14)
"""The window of ``last_2_weeks_seconds``: 14 times 24 hours."""


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A stretch of time, from ``start`` to before ``end``."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> int:
        return int((self.end - self.start).total_seconds())

    def overlap_seconds(self, other: "Interval") -> int:
        """The length of the time that lies in both."""
        return max(0, Interval(max(self.start, other.start), min(self.end, other.end)).seconds)


def to_second(moment: datetime) -> datetime:
    """The whole second that a moment lies in."""
    return moment.replace(microsecond=0)


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time as disjoint intervals that do not touch, in order; empty ones are left out."""
    merged: list[Interval] = []
    for interval in sorted(intervals):
        if interval.end <= interval.start:
            continue
        if merged and interval.start <= merged[-1].end:
            last = merged.pop()
            interval = Interval(last.start, max(last.end, interval.end))
        merged.append(interval)
    return merged


def union_seconds(intervals: Iterable[Interval]) -> int:
    """The length of the union: what overlaps counts once."""
    return sum(interval.seconds for interval in union(intervals))


@dataclass(frozen=True, slots=True)
class Extension:
    """The result of adding time to a union: its removed and added intervals, and how much longer it is."""

    removed: Sequence[Interval]
    added: Sequence[Interval]
    seconds: int


def extend(existing: Sequence[Interval], new: Iterable[Interval]) -> Extension:
    """Adds intervals to a union. ``existing`` must hold all of its intervals that overlap new ones or touch them."""
    merged = union([*existing, *new])
    kept = set(merged) & set(existing)
    return Extension(
        [interval for interval in existing if interval not in kept],
        [interval for interval in merged if interval not in kept],
        sum(interval.seconds for interval in merged) - sum(interval.seconds for interval in existing),
    )


def clip(interval: Interval, within: Interval) -> Interval | None:
    """The part of an interval inside another one."""
    start, end = max(interval.start, within.start), min(interval.end, within.end)
    return Interval(start, end) if start < end else None


def by_day(intervals: Iterable[Interval], zone: tzinfo) -> dict[date, int]:
    """Seconds per calendar day of ``zone``. A day may have 23 or 25 hours; every second is in exactly one."""
    days: dict[date, int] = {}
    for interval in intervals:
        start = interval.start
        while start < interval.end:
            day = start.astimezone(zone).date()
            end = min(_next_midnight(day, zone), interval.end)
            days[day] = days.get(day, 0) + int((end - start).total_seconds())
            start = end
    return days


def utc_days(intervals: Iterable[Interval]) -> list[Interval]:
    """The days of UTC that these intervals lie in, in order."""
    days = set()
    for interval in union(intervals):
        day = interval.start.astimezone(UTC).replace(hour=0, minute=0, second=0)
        while day < interval.end:
            days.add(day)
            day += timedelta(days=1)
    return [Interval(day, day + timedelta(days=1)) for day in sorted(days)]


def _next_midnight(day: date, zone: tzinfo) -> datetime:
    following = day + timedelta(days=1)
    midnight = datetime(following.year, following.month, following.day, tzinfo=zone)
    return midnight.astimezone(UTC)


class ImportRefusal(StrEnum):
    """Codes of the reasons why an imported session is rejected."""

    NO_ACCESS = "PERMISSION_DENIED"
    BAD_TIME = "VALIDATION_ERROR"
    KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    SEAT_BUSY = "FAMILY_SEAT_BUSY"


def judge_import(
    played: Interval, now: datetime, first_access: datetime | None, max_age: timedelta
) -> ImportRefusal | None:
    """Whether a session that was played offline may be imported; None when it may (contract, section 3.3).

    ``first_access`` is when the user first had access to the product, None when they have none now. A client's clock
    may be five minutes ahead of ours, and so may the clock of the service that gave the access.
    """
    if first_access is None:
        return ImportRefusal.NO_ACCESS
    if not timedelta(0) < played.end - played.start <= MAX_IMPORT_LENGTH:
        return ImportRefusal.BAD_TIME
    if played.end > now + MAX_CLOCK_LEAD:
        return ImportRefusal.BAD_TIME
    if played.start < max(to_second(first_access) - MAX_CLOCK_LEAD, now - max_age):
        return ImportRefusal.BAD_TIME
    return None


def free_copy(played: Interval, owners: Sequence[UUID], others: Mapping[UUID, Sequence[Interval]]) -> UUID | None:
    """The first of these owners whose copy nobody else played then; ``others`` has the play of others by owner."""
    for owner_id in owners:
        if all(clip(played, other) is None for other in others.get(owner_id, ())):
            return owner_id
    return None


def end_of_lost_session(start: datetime, lost_at: datetime, last_heartbeat: datetime, silence: timedelta) -> datetime:
    """When a session without its seat or access ends: then, or at its last sign of life if it was silent before."""
    return end_of_session(start, lost_at if lost_at - last_heartbeat <= silence else last_heartbeat)


def end_of_session(start: datetime, requested: datetime) -> datetime:
    """When a session ends: never before its start, even if clocks differ."""
    return max(start, to_second(requested))
