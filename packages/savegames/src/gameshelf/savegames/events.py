"""What happens with saves."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from gameshelf.kernel.events import Event


class FailureReason(StrEnum):
    """Why nothing came of an upload."""

    MISMATCH = "mismatch"
    """What was uploaded is not what was announced."""
    EXPIRED = "expired"
    """It was not confirmed in time."""
    CANCELLED = "cancelled"
    """It was given up. Uploads to a save that is deleted end without an event of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfSlot(Event):
    product_id: UUID
    slot_id: UUID
    slot_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRequested(_OfSlot):
    """Somebody may upload bytes now."""

    upload_id: UUID
    is_required: bool
    """False where the content is there already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadFailed(_OfSlot):
    """Nothing came of an upload."""

    upload_id: UUID
    reason: FailureReason


@dataclass(frozen=True, slots=True, kw_only=True)
class SavegameDeleted(_OfSlot):
    """A save was deleted, or a device uploaded one again, unchanged, that had been deleted."""

    version: int
    """The head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavegameUploaded(_OfSlot):
    """A version was made of bytes that a client sent, or had sent before; of a branch too."""

    version: int
    s3_path: str
    """Where the store has it: ``s3://bucket/key``."""
    file_size_bytes: int
    client_modified_at: datetime | None
    is_branch: bool
    sent_bytes: int
    """How many were sent for it; 0 where the content was there already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadUnneeded(_OfSlot):
    """What a client has sent is what the head holds, or has grown from. There is no new version."""

    upload_id: UUID
    version: int
    """The head's."""
    result: str
    """``identical`` or ``behind``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavegameConflicted(_OfSlot):
    """A branch stands beside the head, or has grown."""

    conflict_id: UUID
    head_version: int
    branch_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SavegameConflictResolved(_OfSlot):
    """It was said what becomes of a branch; the slot's head is ``head_version`` now."""

    conflict_id: UUID
    resolution: str
    copy_slot_id: UUID | None
    head_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SavegameConflictDropped(_OfSlot):
    """A conflict ended because its save was deleted for good."""

    conflict_id: UUID
    head_version: int
    """The head that the save had last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavegameHeadMoved(_OfSlot):
    """A slot has another head that nobody uploaded just now: every device may want to download it."""

    version: int
