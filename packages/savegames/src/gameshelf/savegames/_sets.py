"""Uploads of sets: request, send the files to the store, verify. Nothing here commits, and nothing calls the store."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.savegames._set_signing import MissingFile


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """A file that the policy leaves out, since it is too large."""

    path: str
    size: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class SetReservation:
    """A reserved upload of a set, or of a single file that was requested like one."""

    upload_id: UUID
    slot_id: UUID
    product_id: UUID
    slot_name: str
    """The name of the save, which may be spelt otherwise than the requested one."""
    created_at: datetime
    is_set: bool
    file_count: int | None
    """None: a single file."""
    base_version: int
    missing: tuple[MissingFile, ...]
    """The contents that have to be sent, or sent again, in the order of their hashes."""
    skipped: tuple[SkippedFile, ...]
    conflict_expected: bool
    """Whether the upload would become a branch if it were committed now."""
    expires_at: datetime
    arrived_through: bytes = b""
    """Every file up to this hash has arrived, as an earlier request has found."""
    is_deleted: bool = False
    """Whether the save is in the trash: nothing has to be sent, and the commit says so."""
