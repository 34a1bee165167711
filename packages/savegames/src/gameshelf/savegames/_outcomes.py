"""Outcomes of uploads. They are stored with the reservation, so that a repeated confirmation gets the same outcome."""

import json
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from pydantic import TypeAdapter


class UploadResult(StrEnum):
    """The result of an upload."""

    HEAD = "head"
    """The upload is the new head."""
    IDENTICAL = "identical"
    """The head holds these bytes already; there is no new version."""
    BEHIND = "behind"
    """The head grew from these bytes; there is no new version, and the client should download."""
    CONFLICT = "conflict"
    """The upload is a branch, and its conflict is open."""
    RESOLVED = "resolved"
    """The upload was a branch, and its policy resolved the conflict at once."""
    MISMATCH = "mismatch"
    """The uploaded bytes are not the announced ones."""
    DELETED = "deleted"
    """A save in the trash holds these bytes; there is no new version."""
    CANCELLED = "cancelled"
    """The upload was cancelled."""


@dataclass(frozen=True, slots=True)
class UploadOutcome:
    """The outcome of an upload. ``version`` is the version that the client is shown: the uploaded one, or the head."""

    result: UploadResult
    slot_id: UUID
    version: int
    head_version: int | None = None
    """The head at the time of the conflict."""
    branch_version: int | None = None
    conflict_id: UUID | None = None
    resolution: str | None = None
    regresses_to: int | None = None
    """The version of the head's history with the same content, if the upload returned to an older state."""
    new_bytes: int | None = None
    """The bytes of the contents that the user did not have before; None: unknown, or there is no new version."""
    file_count: int | None = None
    """The number of files of a set; None: a single file."""


_FORM = TypeAdapter(UploadOutcome)
# The release before knows neither result, so it reads the most similar one: the current save, or a failed upload.
_READ_BEFORE = {UploadResult.DELETED: UploadResult.BEHIND, UploadResult.CANCELLED: UploadResult.MISMATCH}


def as_text(outcome: UploadOutcome) -> str:
    """Returns the JSON of an outcome, as it is stored."""
    kept = _FORM.dump_python(outcome, mode="json", exclude_none=True)
    if outcome.result in _READ_BEFORE:
        kept |= {"result": _READ_BEFORE[outcome.result].value, "ended_as": outcome.result.value}
    return json.dumps(kept)


def from_text(text: str) -> UploadOutcome:
    """Returns the outcome from its stored JSON."""
    kept = json.loads(text)
    if "ended_as" in kept:
        kept["result"] = kept.pop("ended_as")
    return _FORM.validate_python(kept)
