"""Uploads that end without a version: cancelled, expired, or of a save that is deleted."""

from datetime import datetime
from uuid import UUID

from gameshelf.kernel.clock import Clock
from gameshelf.kernel.events import RecordEvent
from gameshelf.savegames import _outcomes
from gameshelf.savegames._errors import SavegameVersionNotFound
from gameshelf.savegames._events import FailureReason, UploadFailed
from gameshelf.savegames._outcomes import UploadOutcome, UploadResult
from gameshelf.savegames._store import SavegameStore
from gameshelf.savegames._timeline import Timeline


class UploadEnds:
    """Ends a user's uploads, inside the user's transaction."""

    def __init__(self, store: SavegameStore, timeline: Timeline, record: RecordEvent, clock: Clock) -> None:
        self._store = store
        self._timeline = timeline
        self._record = record
        self._clock = clock

    async def cancel(self, user_id: UUID, upload_id: UUID) -> None:
        """As ``SavegameUploads.cancel``."""
        upload = await self._store.uploads.find_upload(user_id, upload_id)
        now = self._clock()
        if upload is None:
            raise SavegameVersionNotFound
        if upload.outcome is not None:
            if _outcomes.from_text(upload.outcome).result is not UploadResult.CANCELLED:
                raise SavegameVersionNotFound
            return
        if upload.expires_at <= now:
            raise SavegameVersionNotFound
        outcome = UploadOutcome(UploadResult.CANCELLED, upload.slot_id, upload.version)
        await self._store.uploads.close_upload(user_id, upload_id, _outcomes.as_text(outcome), upload.expires_at)
        if upload.is_set:
            await self._store.upload_files.end(user_id, upload_id, now)
            await self._timeline.release_lists(user_id, upload.slot_id)
        elif upload.content_id:
            await self._timeline.drop(user_id, [upload.content_id])
        self._failed(
            user_id, upload_id, upload.slot_id, upload.product_id, upload.slot_name, now, FailureReason.CANCELLED
        )

    async def expire(self, user_id: UUID) -> None:
        """As ``SavegameUploads.expire``."""
        now = self._clock()
        expired = await self._store.uploads.delete_expired(user_id, now)
        await self._timeline.drop(user_id, {row["content_id"] for row in expired if row["content_id"]})
        for slot_id in {row["slot_id"] for row in expired if row["is_set"] and row["was_open"]}:
            await self._timeline.release_lists(user_id, slot_id)
        for slot_id in {row["slot_id"] for row in expired if row["is_empty"]}:
            await self._store.slots.delete_empty_slot(user_id, slot_id)
        for row in expired:
            if row["was_open"]:
                about = (row["id"], row["slot_id"], row["product_id"], row["slot_name"])
                self._failed(user_id, *about, now, FailureReason.EXPIRED)

    def _failed(
        self,
        user_id: UUID,
        upload_id: UUID,
        slot_id: UUID,
        product_id: UUID,
        slot_name: str,
        now: datetime,
        reason: FailureReason,
    ) -> None:
        self._record(
            UploadFailed(
                user_id=user_id,
                occurred_at=now,
                product_id=product_id,
                slot_id=slot_id,
                slot_name=slot_name,
                upload_id=upload_id,
                reason=reason,
            )
        )
