"""Uploads as their owner sees them, open or finished."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from gameshelf.kernel.database import Connection
from gameshelf.kernel.paging import Slice
from gameshelf.savegames import _outcomes
from gameshelf.savegames._commands import UploadsFilter
from gameshelf.savegames._errors import SavegameVersionNotFound
from gameshelf.savegames._limits import CONFIRM_FOR
from gameshelf.savegames._lineage import Relation, relation
from gameshelf.savegames._missing_files import missing_files
from gameshelf.savegames._multipart_layout import PART_BYTES
from gameshelf.savegames._naming import staging_key
from gameshelf.savegames._outcomes import UploadResult
from gameshelf.savegames._set_signing import MissingFile
from gameshelf.savegames._store.upload_files import UploadFileStore
from gameshelf.savegames._store.uploads import Upload, UploadStore
from gameshelf.savegames._store.versions import Compared, VersionStore


class UploadStatus(StrEnum):
    """Status of an upload: `open`, `committed` (it was confirmed), `failed` (other bytes than announced were sent),
    `expired` (it was not confirmed in time) or `cancelled`.
    """

    OPEN = "open"
    COMMITTED = "committed"
    """The upload was confirmed, with any result."""
    FAILED = "failed"
    """The uploaded bytes are not the announced ones."""
    EXPIRED = "expired"
    """The upload was not confirmed in time."""
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class OpenUpload:
    """An upload, open or not."""

    id: UUID
    slot_id: UUID
    product_id: UUID
    slot_name: str
    status: UploadStatus
    size: int
    content: bytes
    """SHA-256."""
    key: str
    """The only key that the bytes may be written to."""
    is_required: bool
    """False where no bytes have to be sent: they are stored already, or the upload is not open."""
    conflict_expected: bool
    """Whether the upload would become a branch if it were confirmed now."""
    created_at: datetime
    expires_at: datetime
    """The end of the time in which the upload can be confirmed, or is remembered if it is not open."""
    base_version: int
    """The version that the upload grew from; 0: it grew from nothing."""
    device_id: str | None
    identity: bytes
    """The identity that lineage compares; of a set it is not the one that clients see."""
    file_count: int | None
    """The number of files of a set; None: a single file."""
    arrived_through: bytes
    """Every file of the set up to this hash has arrived, as an earlier request has found."""

    @property
    def is_set(self) -> bool:
        return self.file_count is not None


class UploadQueries:
    """Reads of a user's uploads over one connection, which needs no transaction."""

    def __init__(self, connection: Connection) -> None:
        self._uploads = UploadStore(connection)
        self._versions = VersionStore(connection)
        self._files = UploadFileStore(connection)

    async def uploads(self, user_id: UUID, of: UploadsFilter, now: datetime) -> Slice[OpenUpload]:
        """One page of the open uploads, the oldest first; there are at most ``MAX_OPEN_UPLOADS`` in all."""
        found = await self._uploads.list_open(user_id, of.product_id, now)
        page = found[of.slice.offset : of.slice.offset + of.slice.limit]
        return Slice(await self._views(user_id, page, now), len(found))

    async def upload(self, user_id: UUID, upload_id: UUID, now: datetime) -> OpenUpload:
        """Returns an upload. Raises SavegameVersionNotFound if it is unknown, too old or another user's."""
        found = await self._uploads.find_upload(user_id, upload_id)
        if found is None:
            raise SavegameVersionNotFound
        [view] = await self._views(user_id, [found], now)
        return view

    async def extend(self, user_id: UUID, upload_id: UUID, url_seconds: int, now: datetime) -> datetime:
        """Extends an open upload as if it had been requested now, and returns its new end. Needs no lock."""
        until = now + timedelta(seconds=url_seconds) + CONFIRM_FOR
        await self._uploads.extend_upload(user_id, upload_id, until)
        return until

    async def missing_files(self, user_id: UUID, upload: OpenUpload) -> tuple[MissingFile, ...]:
        """Returns the contents of an open upload that have to be sent, or sent again, in the order of their hashes.

        A single file that is sent by one request is not among them.
        """
        if upload.status is not UploadStatus.OPEN or not (
            upload.is_set or (upload.is_required and upload.size > PART_BYTES)
        ):
            return ()
        found = await self._files.unverified_files(user_id, upload.id)
        return missing_files(upload.id, found, None if upload.is_set else upload.key)

    async def parts_of_single(self, user_id: UUID, upload_id: UUID) -> tuple[MissingFile, ...] | None:
        """Returns a single file that is sent in parts; nothing for one that is sent by one request, and None for a set.

        Raises SavegameVersionNotFound for an upload that is unknown, too old or another user's.
        """
        upload = await self._uploads.find_upload(user_id, upload_id)
        if upload is None:
            raise SavegameVersionNotFound
        if upload.is_set:
            return None
        if upload.size <= PART_BYTES or upload.content_id is not None:
            return ()
        return missing_files(upload_id, await self._files.unverified_files(user_id, upload_id), staging_key(upload_id))

    async def keep_multipart(
        self, user_id: UUID, upload_id: UUID, sha256: bytes, old: str | None, new: str
    ) -> str | None:
        """Stores a new multipart upload of a file in place of ``old``, unless another one was stored since; returns the
        one that is stored, or None if the file is not awaited any more. Needs no lock.
        """
        return await self._files.keep_multipart(user_id, upload_id, sha256, old, new)

    async def set_arrived(self, user_id: UUID, upload_id: UUID, through: bytes) -> None:
        """Notes that every file up to this hash has arrived. Needs no lock."""
        await self._files.set_arrived(user_id, upload_id, through)

    async def _views(self, user_id: UUID, uploads: Sequence[Upload], now: datetime) -> list[OpenUpload]:
        branches = await self._branches(user_id, uploads)
        return [_view(one, one.id in branches, now) for one in uploads]

    async def _branches(self, user_id: UUID, uploads: Sequence[Upload]) -> Collection[UUID]:
        """Returns the uploads of these that would become branches, with at most one round trip."""
        beside = {
            one.id: Compared(one.slot_id, one.base_version, one.head_version, one.identity)
            for one in uploads
            if one.outcome is None and one.head_version is not None and one.base_version != one.head_version
        }
        histories = await self._versions.histories(user_id, list(beside.values())) if beside else []
        return {
            upload_id
            for (upload_id, one), history in zip(beside.items(), histories, strict=True)
            if relation(one.base, one.identity, one.head, history) is Relation.DIVERGED
        }


_ENDED = {UploadResult.MISMATCH: UploadStatus.FAILED, UploadResult.CANCELLED: UploadStatus.CANCELLED}


def _view(upload: Upload, is_branch: bool, now: datetime) -> OpenUpload:
    if upload.outcome is not None:
        status = _ENDED.get(_outcomes.from_text(upload.outcome).result, UploadStatus.COMMITTED)
    else:
        status = UploadStatus.OPEN if upload.expires_at > now else UploadStatus.EXPIRED
    return OpenUpload(
        upload.id,
        upload.slot_id,
        upload.product_id,
        upload.slot_name,
        status,
        upload.size,
        upload.content,
        staging_key(upload.id),
        status is UploadStatus.OPEN and (upload.lacks_files if upload.is_set else upload.content_id is None),
        is_branch and status is UploadStatus.OPEN,
        upload.created_at,
        upload.expires_at,
        upload.base_version,
        upload.device_id,
        upload.identity,
        upload.file_count,
        upload.arrived_through or b"",
    )
