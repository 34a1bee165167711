"""The events that the package emits."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from gameshelf.kernel.events import Event


class FailureReason(StrEnum):
    """The reason why an upload failed."""

    MISMATCH = "mismatch"
    """The uploaded bytes are not the announced ones."""
    EXPIRED = "expired"
    """The upload was not confirmed in time."""
    CANCELLED = "cancelled"
    """The upload was cancelled. Uploads to a save that is deleted end without an event of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfSlot(Event):
    product_id: UUID
    slot_id: UUID
    slot_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRequested(_OfSlot):
    """An upload was reserved, and its bytes may be sent."""

    upload_id: UUID
    is_required: bool
    """False where the content is stored already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadFailed(_OfSlot):
    """An upload failed, and no version was created."""

    upload_id: UUID
    reason: FailureReason


@dataclass(frozen=True, slots=True, kw_only=True)
class SavegameDeleted(_OfSlot):
    """A save was deleted, or a device uploaded one again, unchanged, that had been deleted."""

    version: int
    """The head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavegameUploaded(_OfSlot):
    """A version was created from bytes that a client sent now or earlier; it may be a branch."""

    version: int
    s3_path: str
    """The object of the version: ``s3://bucket/key``."""
    file_size_bytes: int
    client_modified_at: datetime | None
    is_branch: bool
    sent_bytes: int
    """How many bytes were sent; 0 where the content was stored already."""
    file_count: int | None = None
    """The number of files of a set; None: a single file."""
    new_bytes: int | None = None
    """The bytes of the contents of a set that the user did not have before; None: a single file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadUnneeded(_OfSlot):
    """An upload has the content of the head, or of a version that the head grew from. There is no new version."""

    upload_id: UUID
    version: int
    """The head's."""
    result: str
    """``identical`` or ``behind``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavegameConflicted(_OfSlot):
    """A conflict was opened, or its branch has a new version."""

    conflict_id: UUID
    head_version: int
    branch_version: int
    differences_count: int | None = None
    """The number of files that differ between two sets; None: a side is a single file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavegameConflictResolved(_OfSlot):
    """A conflict was resolved; the slot's head is ``head_version`` now."""

    conflict_id: UUID
    resolution: str
    copy_slot_id: UUID | None
    head_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SavegameConflictDropped(_OfSlot):
    """A conflict ended because its save was deleted for good."""

    conflict_id: UUID
    head_version: int
    """The last head of the save."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavegameHeadMoved(_OfSlot):
    """A slot has a new head without an upload, which every device may download."""

    version: int
