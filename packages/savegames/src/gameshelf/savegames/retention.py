"""What history is kept (contract, section 3.6). Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

DAILY_DAYS = 3
"""For so many days, today among them, one version a day is kept beside the newest ones."""
UNPINNED_AT_LEAST = 2
"""How many of the versions of a slot can't be pinned: else nothing new would find a place."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A version whose bytes are there."""

    version: int
    uploaded_at: datetime
    is_pinned: bool


def prunable(versions: Sequence[Kept], protected: Collection[int], maximum: int, now: datetime) -> set[int]:
    """The versions whose bytes go: beyond the ``maximum`` newest, pinned ones counted among them, and not one of a
    day's.

    ``protected`` (the head, the sides of open conflicts) and pinned ones never go. Days are those of UTC. The newest is
    what was uploaded last: numbers are given when somebody asks to upload, and that may be long before.
    """
    free = sorted((one for one in versions if not one.is_pinned), key=_age, reverse=True)
    pinned = len(versions) - len(free)
    newest = {one.version for one in free[: max(maximum - pinned, UNPINNED_AT_LEAST)]}
    daily = _newest_of_days(versions, _first_day(now))
    return {one.version for one in free} - newest - daily - set(protected)


def prune_at(versions: Sequence[Kept], maximum: int, now: datetime) -> datetime | None:
    """When the end of a day lets more of this history go; None where nothing is kept for a day's sake."""
    recent = [one.uploaded_at for one in versions if one.uploaded_at >= _first_day(now)]
    if len(versions) <= maximum or not recent:
        return None
    return _midnight(min(recent)) + timedelta(days=DAILY_DAYS)


def max_pinned(maximum: int) -> int:
    """How many versions of a slot may be pinned."""
    return max(maximum - UNPINNED_AT_LEAST, 0)


def _first_day(now: datetime) -> datetime:
    return _midnight(now) - timedelta(days=DAILY_DAYS - 1)


def _midnight(moment: datetime) -> datetime:
    return datetime.combine(moment.astimezone(UTC).date(), time(), UTC)


def _age(one: Kept) -> tuple[datetime, int]:
    return one.uploaded_at, one.version


def _newest_of_days(versions: Iterable[Kept], since: datetime) -> set[int]:
    newest = {_midnight(one.uploaded_at): one.version for one in sorted(versions, key=_age)}
    return {version for day, version in newest.items() if day >= since}


@dataclass(frozen=True, slots=True)
class History:
    """A version that may go when room is needed, and the content that it holds."""

    slot_id: UUID
    version: int
    content_id: UUID
    size: int


def to_make_room(needed: int, history: Sequence[History], uses: dict[UUID, int]) -> list[History] | None:
    """The oldest versions whose going frees ``needed`` bytes; None when all of them would not do.

    ``history`` is in the order in which it may go. ``uses`` counts what holds each content: bytes are free once nothing
    does. A version whose going would free nothing stays.
    """
    left, freed, gone = dict(uses), 0, []
    for one in history:
        if freed >= needed:
            break
        left[one.content_id] -= 1
        gone.append(one)
        if left[one.content_id] == 0:
            freed += one.size
    if freed < needed:
        return None
    return [one for one in gone if one.size and left[one.content_id] == 0]
