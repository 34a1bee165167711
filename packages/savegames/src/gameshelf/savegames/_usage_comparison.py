"""Comparison of a user's objects in the store with the contents that the database counts. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from gameshelf.savegames._models import ContentState
from gameshelf.savegames._ports import StoredObject


class UsageDifferenceKind(StrEnum):
    """How an object differs from the content that is counted."""

    MISSING = "missing"
    """The content is counted, and the object does not exist."""
    UNKNOWN = "unknown"
    """The object exists, and the database does not know it."""
    OTHER_SIZE = "other_size"
    DROPPED = "dropped"
    """The content is no longer counted; its object is kept for the grace period."""
    PENDING = "pending"
    """An upload is being confirmed, or its confirmation was abandoned and the object will be deleted."""


@dataclass(frozen=True, slots=True)
class UsageDifference:
    """An object whose size in the store is not the size that is counted. None: it is not stored, or not counted."""

    key: str
    stored_bytes: int | None
    counted_bytes: int | None
    kind: UsageDifferenceKind


@dataclass(frozen=True, slots=True)
class CountedContent:
    """A content of a user as the database has it."""

    key: str
    size: int
    state: ContentState


@dataclass(frozen=True, slots=True)
class UsageComparison:
    """The comparison of one range of a user's object keys."""

    stored_objects: int
    stored_bytes: int
    counted_objects: int
    counted_bytes: int
    differences: Sequence[UsageDifference]
    through: str | None
    """The last key of the range; None: the range ends with the last object."""


def compare_usage(stored: Sequence[StoredObject], contents: Sequence[CountedContent], limit: int) -> UsageComparison:
    """Compares both sides. Each is sorted by key, begins at the same key and is cut at ``limit`` entries.

    The comparison ends where one of the sides was cut, since beyond it that side is not known.
    """
    ends = [one[-1].key for one in (stored, contents) if len(one) >= limit]
    through = min(ends, default=None)
    stored_sizes = {one.key: one.size for one in stored if through is None or one.key <= through}
    known = {one.key: one for one in contents if through is None or one.key <= through}
    counted = {key: one.size for key, one in known.items() if one.state is ContentState.LIVE}
    differences = [
        UsageDifference(key, stored_sizes.get(key), counted.get(key), kind)
        for key in sorted(stored_sizes.keys() | counted.keys())
        if (kind := _kind(stored_sizes.get(key), known.get(key)))
    ]
    return UsageComparison(
        len(stored_sizes), sum(stored_sizes.values()), len(counted), sum(counted.values()), differences, through
    )


def _kind(stored: int | None, known: CountedContent | None) -> UsageDifferenceKind | None:
    if known is None:
        return UsageDifferenceKind.UNKNOWN
    if known.state is not ContentState.LIVE:
        return UsageDifferenceKind.DROPPED if known.state is ContentState.DROPPED else UsageDifferenceKind.PENDING
    if stored is None:
        return UsageDifferenceKind.MISSING
    return None if stored == known.size else UsageDifferenceKind.OTHER_SIZE


def confirmed_differences(found: UsageComparison, again: Sequence[StoredObject]) -> Sequence[UsageDifference]:
    """The differences that a second listing of the store, made after the database was read, still shows.

    An object that is created or deleted between the two listings is in one of them only, and is no difference.
    """
    listed = {one.key for one in again}
    passing = {UsageDifferenceKind.MISSING: True, UsageDifferenceKind.UNKNOWN: False}
    return [one for one in found.differences if passing.get(one.kind) is not (one.key in listed)]
