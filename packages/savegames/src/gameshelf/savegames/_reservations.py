"""What requests for uploads of both kinds do alike."""

from datetime import datetime
from uuid import UUID, uuid4

from gameshelf.kernel.clock import Clock
from gameshelf.kernel.events import RecordEvent
from gameshelf.savegames import _outcomes
from gameshelf.savegames._commands import NewUpload
from gameshelf.savegames._errors import SavegameSlotNotFound, UserQuotaExceeded
from gameshelf.savegames._events import SavegameDeleted, UploadRequested
from gameshelf.savegames._limits import CONFIRM_FOR, MAX_OPEN_UPLOADS, MAX_SLOTS, REMEMBER_FOR, Limits
from gameshelf.savegames._lineage import NOTHING, Relation
from gameshelf.savegames._models import ConflictPolicy
from gameshelf.savegames._outcomes import UploadOutcome, UploadResult
from gameshelf.savegames._set_commands import NewSet
from gameshelf.savegames._store import SavegameStore
from gameshelf.savegames._store.set_contexts import SetContext
from gameshelf.savegames._store.slots import Slot
from gameshelf.savegames._store.upload_contexts import TrashedSave, UploadContext
from gameshelf.savegames._timeline import Timeline


class Reservations:
    """Parts of a request, inside the user's transaction."""

    def __init__(
        self, store: SavegameStore, timeline: Timeline, record: RecordEvent, clock: Clock, limits: Limits
    ) -> None:
        self._store = store
        self._timeline = timeline
        self._record = record
        self._clock = clock
        self._limits = limits

    async def named(self, user_id: UUID, new: NewUpload | NewSet) -> Slot | None:
        """Returns the save that a request names by its id. Raises SavegameSlotNotFound."""
        if new.savegame_id is None:
            return None
        slot = await self._store.slots.find_slot(user_id, new.savegame_id)
        if slot is None or slot.product_id != new.product_id or slot.head_version is None:
            raise SavegameSlotNotFound(pointer="savegame_id")
        return slot

    async def deleted(
        self,
        user_id: UUID,
        new: NewUpload | NewSet,
        deleted: TrashedSave,
        size: int,
        content: bytes,
        file_count: int | None = None,
    ) -> UUID:
        """Reserves an upload whose content is in the trash: no bytes are needed, and the confirmation returns the
        outcome ``deleted``. Repeated requests get the same upload, and only the first one emits an event.
        """
        now = self._clock()
        outcome = _outcomes.as_text(UploadOutcome(UploadResult.DELETED, deleted.slot_id, deleted.head_version))
        until = now + REMEMBER_FOR
        upload_id = await self._store.uploads.extend_ended(
            user_id, deleted.slot_id, content, file_count, UploadResult.DELETED, outcome, until
        )
        if upload_id:
            return upload_id
        upload_id = uuid4()
        await self._store.uploads.add_ended(
            user_id,
            upload_id=upload_id,
            slot_id=deleted.slot_id,
            version=deleted.head_version,
            size=size,
            content=content,
            file_count=file_count,
            conflict_policy=new.conflict_policy or ConflictPolicy.MANUAL,
            device_id=new.device_id,
            now=now,
            expires_at=until,
            new_outcome=outcome,
        )
        self._record(
            SavegameDeleted(
                user_id=user_id,
                occurred_at=now,
                product_id=new.product_id,
                slot_id=deleted.slot_id,
                slot_name=deleted.slot_name,
                version=deleted.head_version,
            )
        )
        return upload_id

    async def diverges(self, user_id: UUID, slot_id: UUID, head: int | None, base: int, identity: bytes) -> bool:
        """Whether content would become a branch. It needs no round trip where the content grew from the head."""
        if base == (head or NOTHING):
            return False
        return await self._timeline.relation(user_id, slot_id, head, base, identity) is Relation.DIVERGED

    def requested(
        self, user_id: UUID, product_id: UUID, slot_id: UUID, slot_name: str, upload_id: UUID, *, is_required: bool
    ) -> None:
        """Records a new upload. ``is_required``: whether bytes have to be sent."""
        self._record(
            UploadRequested(
                user_id=user_id,
                occurred_at=self._clock(),
                product_id=product_id,
                slot_id=slot_id,
                slot_name=slot_name,
                upload_id=upload_id,
                is_required=is_required,
            )
        )

    def confirm_until(self, now: datetime) -> datetime:
        """Returns until when an upload that is requested now can be confirmed."""
        return now + self._limits.url_lives + CONFIRM_FOR


def require_places(context: UploadContext | SetContext) -> None:
    """Requires that the user may have one more upload, and the product one more save. Raises UserQuotaExceeded."""
    if context.open_uploads >= MAX_OPEN_UPLOADS:
        raise UserQuotaExceeded(limit="open_uploads", max=MAX_OPEN_UPLOADS)
    if context.slot_id is None and context.slot_count >= MAX_SLOTS:
        raise UserQuotaExceeded(limit="slots", max=MAX_SLOTS)
