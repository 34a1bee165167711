"""Confirmation of uploads: which object is created from the uploaded bytes, and which version it becomes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from gameshelf.kernel.clock import Clock
from gameshelf.kernel.events import RecordEvent
from gameshelf.savegames import _outcomes
from gameshelf.savegames._branches import Branches
from gameshelf.savegames._errors import SavegameUploadIncomplete, SavegameVersionNotFound
from gameshelf.savegames._events import FailureReason, SavegameUploaded, UploadFailed, UploadUnneeded
from gameshelf.savegames._limits import ATTEMPT_FOR, MAX_RATIO, REMEMBER_FOR, Limits
from gameshelf.savegames._lineage import Relation
from gameshelf.savegames._merging import SetMerges
from gameshelf.savegames._models import Resolution
from gameshelf.savegames._naming import Marks, object_key, object_metadata, staging_key
from gameshelf.savegames._outcomes import UploadOutcome, UploadResult
from gameshelf.savegames._ports import Digest, Packing
from gameshelf.savegames._quota import StorageQuota
from gameshelf.savegames._store import SavegameStore
from gameshelf.savegames._store.contents import LiveContent
from gameshelf.savegames._store.slots import Slot
from gameshelf.savegames._store.uploads import Upload
from gameshelf.savegames._timeline import Standing, StoredContent, Timeline


@dataclass(frozen=True, slots=True)
class Attempt:
    """A confirmation in progress: the object that has to be created from the uploaded bytes."""

    upload_id: UUID
    content_id: UUID
    source: str
    target: str
    size: int
    content: bytes
    metadata: Mapping[str, str]
    packing: Packing | None = None
    """The packing of the bytes, whose unpacked form has to be verified; None: there is nothing to unpack."""


class Confirmations:
    """Confirms a user's uploads, inside the user's transaction."""

    def __init__(
        self,
        store: SavegameStore,
        timeline: Timeline,
        quota: StorageQuota,
        record: RecordEvent,
        clock: Clock,
        limits: Limits,
        bucket: str,
    ) -> None:
        self._store = store
        self._timeline = timeline
        self._quota = quota
        self._record = record
        self._clock = clock
        self._limits = limits
        self._bucket = bucket
        self._branches = Branches(store, timeline, SetMerges(store, limits, clock), record, clock)

    async def begin_confirmation(self, user_id: UUID, upload_id: UUID) -> Attempt | None:
        """As ``SavegameUploads.begin_confirmation``."""
        upload = await self._open(user_id, upload_id)
        if upload.outcome is not None or await self.is_joined(user_id, upload):
            return None
        live = await self._store.contents.find_live(user_id, upload.content)
        await self._quota.require_now(user_id, upload.product_id, upload.id, upload.size, live.id if live else None)
        content_id, now = uuid4(), self._clock()
        about = (user_id, upload.product_id, upload.slot_name, upload.version)
        attempt = Attempt(
            upload_id,
            content_id,
            staging_key(upload_id),
            object_key(*about, content_id, now),
            upload.size,
            upload.content,
            object_metadata(
                *about,
                upload.base_version,
                upload.content,
                Marks(upload.content_encoding, upload.encryption),
                upload.kept_identity,
            ),
            self._packing(upload),
        )
        await self._store.contents.add_pending(
            user_id, content_id, attempt.target, upload.size, upload.content, now=now, delete_after=now + ATTEMPT_FOR
        )
        return attempt

    async def finish_confirmation(
        self, user_id: UUID, upload_id: UUID, attempt: Attempt | None, digest: Digest | None
    ) -> UploadOutcome:
        """As ``SavegameUploads.finish_confirmation``."""
        upload = await self._open(user_id, upload_id)
        if upload.outcome is not None:
            await self._abandon(user_id, attempt)
            return _outcomes.from_text(upload.outcome)
        if upload.content_id is None and (attempt is None or digest is None):
            raise SavegameUploadIncomplete
        slot = await self._slot(user_id, upload)
        if attempt and digest and not _is_as_announced(upload, digest):
            return await self._reject(user_id, upload, attempt)
        live = await self._live_content(user_id, upload, attempt)
        standing = await self._timeline.standing(
            user_id, slot.id, slot.head_version, upload.base_version, upload.identity
        )
        found = standing.relation
        if found in (Relation.IDENTICAL, Relation.BEHIND):
            outcome = await self._record_unneeded(user_id, upload, slot, found)
        else:
            await self._quota.make_room(user_id, slot.product_id, upload.id, upload.size, live.id if live else None)
            stored = live or await self._make_live(user_id, upload, attempt, digest)
            sent_bytes = upload.size if attempt else 0
            outcome = await self._add_version(user_id, upload, slot, stored, standing, sent_bytes)
        await self._abandon(user_id, attempt)  # a content that became live is not pending, and stays
        await self._close(user_id, upload, outcome)
        if upload.content_id:  # a joined content is kept until here, even where its version is pruned at once
            await self._timeline.drop(user_id, [upload.content_id])
        return outcome

    async def is_joined(self, user_id: UUID, upload: Upload) -> bool:
        """Whether the upload needs no bytes. It needs them again if the store has lost the joined content since."""
        if upload.content_id is None:
            return False
        live = await self._store.contents.find_live(user_id, upload.content)
        if live and not live.is_missing:
            return True
        await self._store.uploads.detach_uploads(user_id, upload.content_id)
        await self._timeline.drop(user_id, [upload.content_id])
        return False

    def _packing(self, upload: Upload) -> Packing | None:
        if upload.raw_sha256 is None or upload.content_encoding is None:
            return None
        # The request may have had a higher limit, by the policy of its product.
        most = max(self._limits.max_bytes, upload.raw_size or 0)
        return Packing(upload.content_encoding, min(MAX_RATIO * upload.size, most))

    async def _open(self, user_id: UUID, upload_id: UUID) -> Upload:
        upload = await self._store.uploads.find_upload(user_id, upload_id)
        if upload is None or (upload.outcome is None and upload.expires_at <= self._clock()):
            raise SavegameVersionNotFound
        if upload.outcome is not None and _outcomes.from_text(upload.outcome).result is UploadResult.CANCELLED:
            raise SavegameVersionNotFound
        return upload

    async def _slot(self, user_id: UUID, upload: Upload) -> Slot:
        slot = await self._store.slots.find_slot(user_id, upload.slot_id)
        assert slot is not None  # a foreign key holds it
        return slot

    async def _close(self, user_id: UUID, upload: Upload, outcome: UploadOutcome) -> None:
        until = self._clock() + REMEMBER_FOR
        await self._store.uploads.close_upload(user_id, upload.id, _outcomes.as_text(outcome), until)

    async def _reject(self, user_id: UUID, upload: Upload, attempt: Attempt) -> UploadOutcome:
        """Closes the upload as a mismatch, so that a client that lost the response gets the same one again."""
        outcome = UploadOutcome(UploadResult.MISMATCH, upload.slot_id, upload.version)
        await self._close(user_id, upload, outcome)
        if upload.content_id:
            await self._timeline.drop(user_id, [upload.content_id])
        await self._abandon(user_id, attempt)
        about = self._about(user_id, upload)
        self._record(UploadFailed(**about, upload_id=upload.id, reason=FailureReason.MISMATCH))
        return outcome

    async def _record_unneeded(self, user_id: UUID, upload: Upload, slot: Slot, found: Relation) -> UploadOutcome:
        """Closes an upload whose bytes the head holds or grew from."""
        assert slot.head_version is not None
        result = UploadResult.BEHIND if found is Relation.BEHIND else UploadResult.IDENTICAL
        if result is UploadResult.IDENTICAL:
            await self._device_has(user_id, upload, slot.head_version)
        about = self._about(user_id, upload)
        self._record(UploadUnneeded(**about, upload_id=upload.id, version=slot.head_version, result=result.value))
        return UploadOutcome(result, slot.id, slot.head_version)

    async def _live_content(self, user_id: UUID, upload: Upload, attempt: Attempt | None) -> LiveContent | None:
        """Returns the user's live content with these bytes, which the upload joined or another one has created since.

        A content whose object is missing in the store gets the object of this attempt.
        """
        live = await self._store.contents.find_live(user_id, upload.content)
        if live is None or not live.is_missing:
            return live
        if attempt is None or not await self._store.contents.supersede(
            user_id, attempt.content_id, live, self._clock()
        ):
            raise SavegameUploadIncomplete
        await self._store.contents.set_key(user_id, live.id, attempt.target)
        return LiveContent(live.id, attempt.target, False)

    async def _make_live(
        self, user_id: UUID, upload: Upload, attempt: Attempt | None, digest: Digest | None
    ) -> LiveContent:
        contents = self._store.contents
        if attempt is None or not await contents.make_live(
            user_id,
            attempt.content_id,
            upload.id,
            upload.raw_sha256,
            upload.content_encoding,
            digest.raw_size if digest else None,
            self._clock(),
        ):
            raise SavegameUploadIncomplete
        return LiveContent(attempt.content_id, attempt.target, False)

    async def _add_version(
        self,
        user_id: UUID,
        upload: Upload,
        slot: Slot,
        stored: LiveContent,
        standing: Standing,
        sent_bytes: int,
    ) -> UploadOutcome:
        """Adds a new version to the tree, as the new head or as a branch."""
        held = StoredContent.of_upload(upload, stored.id)
        is_branch = standing.relation is Relation.DIVERGED
        self._record(
            SavegameUploaded(
                **self._about(user_id, upload),
                version=upload.version,
                s3_path=f"s3://{self._bucket}/{stored.key}",
                file_size_bytes=upload.size,
                client_modified_at=upload.client_modified_at,
                is_branch=is_branch,
                sent_bytes=sent_bytes,
            )
        )
        if is_branch:
            outcome = await self._branches.add_upload(user_id, upload, slot, held)
            # Where the policy picks the branch, the new head has the device's bytes: its next upload grows from it.
            won = outcome.resolution == Resolution.KEEP_LOCAL
            await self._device_has(user_id, upload, outcome.version if won else upload.version)
            return outcome
        merged = await self._branches.end_equal(user_id, slot, standing.equal, upload.version)
        numbers = (upload.version, upload.base_version)
        await self._timeline.grow(user_id, slot, *numbers, held, merged=merged, version_id=upload.id)
        await self._device_has(user_id, upload, upload.version)
        return UploadOutcome(UploadResult.HEAD, slot.id, upload.version, regresses_to=standing.regresses_to)

    async def _device_has(self, user_id: UUID, upload: Upload, version: int) -> None:
        if upload.device_id:
            about = (user_id, upload.slot_id, upload.device_id, version, self._clock())
            await self._store.slots.device_has(*about, committed_to=upload.product_id)

    async def _abandon(self, user_id: UUID, attempt: Attempt | None) -> None:
        if attempt:
            await self._store.contents.drop_pending(user_id, attempt.content_id, self._clock())

    def _about(self, user_id: UUID, upload: Upload) -> dict[str, Any]:
        return {
            "user_id": user_id,
            "occurred_at": self._clock(),
            "product_id": upload.product_id,
            "slot_id": upload.slot_id,
            "slot_name": upload.slot_name,
        }


def _is_as_announced(upload: Upload, digest: Digest) -> bool:
    if (digest.size, digest.sha256) != (upload.size, upload.content):
        return False
    if upload.raw_sha256 is None:
        return True
    return digest.raw_sha256 == upload.raw_sha256 and upload.raw_size in (None, digest.raw_size)
