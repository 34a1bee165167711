"""What comes of an upload. It is kept with the reservation, so that asking again gets the same answer."""

import json
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from pydantic import TypeAdapter


class Result(StrEnum):
    """What an upload turned out to be."""

    HEAD = "head"
    """It is the new head."""
    IDENTICAL = "identical"
    """The head holds these bytes already; there is no new version."""
    BEHIND = "behind"
    """The head grew from these bytes; there is no new version, and the client is to download."""
    CONFLICT = "conflict"
    """It is a branch, and the player is to say what becomes of it."""
    RESOLVED = "resolved"
    """It was a branch, and the policy said at once what becomes of it."""
    MISMATCH = "mismatch"
    """It was not what had been announced."""
    DELETED = "deleted"
    """It is what a deleted save held; nothing was made."""
    CANCELLED = "cancelled"
    """It was given up."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an upload. ``version`` is what the client is told of: its own one, or the head."""

    result: Result
    slot_id: UUID
    version: int
    head_version: int | None = None
    """The head beside which a branch stands."""
    branch_version: int | None = None
    conflict_id: UUID | None = None
    resolution: str | None = None
    regresses_to: int | None = None
    """The version of the head's history that had the same content, where an upload went back to it."""


_FORM = TypeAdapter(Outcome)
# The release before knows neither result. It reads what answers most alike: the save as it stands, or that it is over.
_READ_BEFORE = {Result.DELETED: Result.BEHIND, Result.CANCELLED: Result.MISMATCH}


def as_text(outcome: Outcome) -> str:
    """The JSON that is kept."""
    kept = _FORM.dump_python(outcome, mode="json", exclude_none=True)
    if outcome.result in _READ_BEFORE:
        kept |= {"result": _READ_BEFORE[outcome.result].value, "ended_as": outcome.result.value}
    return json.dumps(kept)


def from_text(text: str) -> Outcome:
    """The outcome in kept JSON."""
    kept = json.loads(text)
    if "ended_as" in kept:
        kept["result"] = kept.pop("ended_as")
    return _FORM.validate_python(kept)
