"""Retention of history (contract, section 3.6). Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

DAILY_DAYS = 3
"""For so many days, including today, one version per day is kept besides the newest versions."""
UNPINNED_AT_LEAST = 2
"""So many versions of a slot cannot be pinned; otherwise a new version would have no place."""


@dataclass(frozen=True, slots=True)
class KeptVersion:
    """A version whose bytes are stored."""

    version: int
    uploaded_at: datetime
    is_pinned: bool
    is_side: bool = False
    """Whether an open conflict is about it."""


def prunable(versions: Sequence[KeptVersion], protected: Collection[int], maximum: int, now: datetime) -> set[int]:
    """Returns the versions to prune: those beyond the ``maximum`` newest, which include pinned ones, that are not the
    newest of a recent day.

    The ``protected`` ones (the head, the sides of open conflicts) and pinned ones are never pruned. Days are in UTC.
    The newest version is the one that was uploaded last: its number was assigned at the request, which may be older.
    """
    free = sorted((one for one in versions if not one.is_pinned), key=_age, reverse=True)
    pinned = len(versions) - len(free)
    newest = {one.version for one in free[: max(maximum - pinned, UNPINNED_AT_LEAST)]}
    daily = _newest_of_days(versions, _first_day(now))
    return {one.version for one in free} - newest - daily - set(protected)


def prune_at(versions: Sequence[KeptVersion], maximum: int, now: datetime) -> datetime | None:
    """Returns when the end of a day makes more versions prunable; None where no version is kept for its day."""
    recent = [one.uploaded_at for one in versions if one.uploaded_at >= _first_day(now)]
    if len(versions) <= maximum or not recent:
        return None
    return _midnight(min(recent)) + timedelta(days=DAILY_DAYS)


def max_pinned(maximum: int) -> int:
    """Returns how many versions of a slot may be pinned."""
    return max(maximum - UNPINNED_AT_LEAST, 0)


def _first_day(now: datetime) -> datetime:
    return _midnight(now) - timedelta(days=DAILY_DAYS - 1)


def _midnight(moment: datetime) -> datetime:
    return datetime.combine(moment.astimezone(UTC).date(), time(), UTC)


def _age(one: KeptVersion) -> tuple[datetime, int]:
    return one.uploaded_at, one.version


def _newest_of_days(versions: Iterable[KeptVersion], since: datetime) -> set[int]:
    newest = {_midnight(one.uploaded_at): one.version for one in sorted(versions, key=_age)}
    return {version for day, version in newest.items() if day >= since}


@dataclass(frozen=True, slots=True)
class HistoryVersion:
    """A version that may be pruned when room is needed, and its content."""

    slot_id: UUID
    version: int
    contents: Mapping[UUID, int]
    """The contents that it holds, with their sizes: of a set several."""


def to_make_room(needed: int, history: Sequence[HistoryVersion], uses: dict[UUID, int]) -> list[HistoryVersion] | None:
    """Returns the oldest versions whose pruning frees ``needed`` bytes; None when all of them would not suffice.

    ``history`` is in the order of pruning. ``uses`` counts the versions and uploads that hold each content: its bytes
    are free once none does. A content that it does not count uses no room. A version whose pruning would free nothing
    is not returned.
    """
    left, freed, gone = dict(uses), 0, []
    for one in history:
        if freed >= needed:
            break
        gone.append(one)
        for content_id, size in one.contents.items():
            if content_id in left:
                left[content_id] -= 1
                freed += 0 if left[content_id] else size
    if freed < needed:
        return None
    return [one for one in gone if any(size and left.get(content_id) == 0 for content_id, size in one.contents.items())]
