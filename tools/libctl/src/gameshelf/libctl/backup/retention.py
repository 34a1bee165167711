"""Which backups in a bucket are kept: a decision on plain values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

BackupState = Literal["good", "damaged", "unreadable", "incomplete"]
"""``good``: its manifest decrypts and all of its objects are there with their sizes; ``damaged``: its manifest
decrypts, and objects are missing or have another size; ``unreadable``: its manifest does not decrypt here;
``incomplete``: it has none, since its upload is under way or was killed."""
_CLOCKS_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Stored:
    """A backup in a bucket."""

    id: str
    point: datetime
    state: BackupState
    bytes: int
    objects: tuple[str, ...]
    """The keys of all its objects, the manifest's at the end: that is the order in which they are deleted."""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """All backups of the last ``days``; beyond, the newest of each of so many weeks (ISO) and months, in UTC."""

    days: int = 30
    weekly: int = 0
    monthly: int = 0


def newest_good(found: Sequence[Stored], now: datetime) -> Stored | None:
    """Returns the one to restore. One that is dated in the future comes last: its clock was wrong."""
    good = [one for one in found if one.state == "good"]
    return max(good, key=lambda one: (one.point <= now + _CLOCKS_DIFFER, one.point), default=None)


def expired(found: Sequence[Stored], policy: Policy, now: datetime) -> list[Stored]:
    """Returns the backups to delete, the oldest first.

    Ages count from the newest good backup or from ``now``, whichever is earlier: where backups have stopped, or the
    clock is ahead, deletions stop too. Only what can be read is deleted: a good one, or a damaged one, which an
    interrupted deletion leaves. Without a good one nothing is.
    """
    newest = newest_good(found, now)
    if newest is None:
        return []
    reference = min(newest.point, now)
    kept = {newest.id} | {one.id for one in found if one.point >= reference - timedelta(days=policy.days)}
    past = sorted((one for one in found if one.state == "good" and one.point <= reference), key=_by_point, reverse=True)
    kept |= _newest_of_each(past, "%G-%V", policy.weekly) | _newest_of_each(past, "%Y-%m", policy.monthly)
    readable = [one for one in found if one.state in ("good", "damaged") and one.id not in kept]
    return sorted(readable, key=_by_point)


def _newest_of_each(past: Sequence[Stored], period: str, count: int) -> set[str]:
    newest: dict[str, str] = {}
    for one in past:
        newest.setdefault(one.point.strftime(period), one.id)
    return set(list(newest.values())[:count])


def _by_point(one: Stored) -> datetime:
    return one.point
