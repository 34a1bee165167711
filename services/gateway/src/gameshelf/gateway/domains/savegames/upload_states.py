"""The state of an upload as responses of every kind show it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.gateway.domains.savegames.sets import SignedSet
from gameshelf.savegames import (
    MissingFile,
    OpenUpload,
    SetReservation,
    SignedFile,
    SignedRequest,
    SkippedFile,
    UploadStatus,
)


@dataclass(frozen=True, slots=True)
class UploadState:
    """An upload of either kind, and the requests that send what has not arrived."""

    id: UUID
    product_id: UUID
    slot_name: str
    slot_id: UUID
    status: UploadStatus
    conflict_expected: bool
    created_at: datetime
    expires_at: datetime
    base_version: int
    file_count: int | None
    missing_bytes: int
    missing_count: int
    uploads: Sequence[SignedFile]
    skipped: Sequence[SkippedFile] = ()


def upload_state(of: OpenUpload, signed: SignedRequest | None = None, *, has_arrived: bool = False) -> UploadState:
    """Returns the state of an upload of one content, or of a set in a list, where its files are not read."""
    is_missing = of.is_required and not has_arrived
    missing = [SignedFile(MissingFile(of.content, of.size, of.key), signed)] if is_missing else []
    return _state(
        of,
        missing_bytes=of.size if is_missing else 0,
        missing_count=(of.file_count or 1) if is_missing else 0,
        uploads=missing if of.file_count is None else (),
    )


def signed_upload(of: OpenUpload, signed: SignedSet) -> UploadState:
    """Returns the state of an upload of files, with the requests that send the next of them."""
    return _state(of, missing_bytes=signed.missing_bytes, missing_count=signed.missing_count, uploads=signed.files)


def reserved_upload(of: SetReservation, signed: SignedSet) -> UploadState:
    """Returns the state of an upload that was just reserved, with the requests that send the first of its files."""
    return UploadState(
        of.upload_id,
        of.product_id,
        of.slot_name,
        of.slot_id,
        UploadStatus.COMMITTED if of.is_deleted else UploadStatus.OPEN,
        of.conflict_expected,
        of.created_at,
        of.expires_at,
        of.base_version,
        of.file_count,
        signed.missing_bytes,
        signed.missing_count,
        signed.files,
        of.skipped,
    )


def _state(of: OpenUpload, **more: Any) -> UploadState:
    return UploadState(
        of.id,
        of.product_id,
        of.slot_name,
        of.slot_id,
        of.status,
        of.conflict_expected,
        of.created_at,
        of.expires_at,
        of.base_version,
        of.file_count,
        **more,
    )
