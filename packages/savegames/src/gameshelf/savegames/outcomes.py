"""What comes of an upload. It is kept with the reservation, so that asking again gets the same answer."""

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
    """It was not what had been announced, and is forgotten."""


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


_FORM = TypeAdapter(Outcome)


def as_text(outcome: Outcome) -> str:
    """The JSON that is kept."""
    return _FORM.dump_json(outcome).decode()


def from_text(text: str) -> Outcome:
    """The outcome in kept JSON."""
    return _FORM.validate_json(text)
