"""Uploading: ask, send the bytes to the store, confirm. Nothing here commits, and nothing talks to the store.

A confirmation has two transactions with the work on the object between them: ``begin`` notes which object is about to
be made, so that whatever happens it can be found and removed; ``finish`` decides what becomes of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.kernel.events import Record
from gameshelf.savegames import outcomes
from gameshelf.savegames.branches import Branches
from gameshelf.savegames.commands import NewUpload
from gameshelf.savegames.errors import (
    SavegameFileTooLarge,
    SavegameUploadIncomplete,
    SavegameVersionNotFound,
    UserQuotaExceeded,
)
from gameshelf.savegames.events import SavegameUploaded, UploadFailed, UploadRequested, UploadUnneeded
from gameshelf.savegames.limits import (
    ATTEMPT_FOR,
    CONFIRM_FOR,
    MAX_OPEN_UPLOADS,
    MAX_SLOTS,
    REMEMBER_FOR,
    Limits,
)
from gameshelf.savegames.lineage import NOTHING, Relation
from gameshelf.savegames.models import Resolution
from gameshelf.savegames.naming import Marks, object_key, object_metadata, staging_key
from gameshelf.savegames.outcomes import Outcome, Result
from gameshelf.savegames.ports import Access, Digest
from gameshelf.savegames.quota import Quota
from gameshelf.savegames.store import SavegameStore
from gameshelf.savegames.store.contents import Stored
from gameshelf.savegames.store.slots import Slot
from gameshelf.savegames.store.uploads import Ask, Upload
from gameshelf.savegames.timeline import Bytes, Timeline


@dataclass(frozen=True, slots=True)
class Reservation:
    """Leave to upload bytes."""

    upload_id: UUID
    key: str
    """The only key that they may be written to."""
    size: int
    is_required: bool
    """False where the bytes are there already: then there is nothing to upload, only to confirm."""
    conflict_expected: bool
    """Whether it would become a branch as things stand now."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One confirmation on its way: the object that it is to make of what was uploaded."""

    upload_id: UUID
    content_id: UUID
    source: str
    target: str
    size: int
    content: bytes
    metadata: Mapping[str, str]


class SavegameUploads:
    """One user's uploads, over one connection that is inside the user's transaction.

    ``access`` answers who may play what; ``record`` takes the events, which name the ``bucket`` where the bytes are.
    """

    def __init__(
        self,
        connection: Connection,
        record: Record,
        access: Access,
        clock: Clock = utc_now,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        bucket: str = "",
    ) -> None:
        self._bucket = bucket
        self._store = SavegameStore(connection)
        self._record = record
        self._access = access
        self._clock = clock
        self._limits = limits
        self._timeline = Timeline(self._store, limits, clock)
        self._quota = Quota(self._store, self._timeline, limits)
        self._branches = Branches(self._store, self._timeline, record, clock)

    async def request(self, user_id: UUID, new: NewUpload) -> Reservation:
        """Leave to upload: room is kept for the bytes and a version number given.

        Raises SavegameFileTooLarge, UserQuotaExceeded, SavegameVersionNotFound for a base that never was, InvalidInput,
        and what ``access`` refuses.
        """
        if new.file_size_bytes > self._limits.max_bytes:
            raise SavegameFileTooLarge(
                pointer="/data/attributes/file_size_bytes",
                size_bytes=new.file_size_bytes,
                max_bytes=self._limits.max_bytes,
            )
        await self._access.require(user_id, new.product_id)
        ask = await self._ask(user_id, new)
        if ask.has_expired:
            # What nobody can confirm any more takes no room, whether a job has been there or not.
            await self.expire(user_id)
            ask = await self._ask(user_id, new)
        _require_places(ask)
        _require_size(ask, new)
        base = await self._base(user_id, ask, new.base_version)
        await self._quota.make_room(user_id, new.product_id, new.file_size_bytes, ask)
        now = self._clock()
        upload_id = uuid4()
        slot_id, _ = await self._store.uploads.reserve(
            user_id,
            upload_id=upload_id,
            slot_id=ask.slot_id or uuid4(),
            product_id=new.product_id,
            slot_name=new.save_slot_name,
            base_version=base,
            size=new.file_size_bytes,
            content=new.content,
            content_id=ask.content_id,
            conflict_policy=new.conflict_policy,
            now=now,
            expires_at=self._confirm_until(now),
            client_modified_at=new.client_modified_at,
            device_id=new.device_id,
            comment=new.comment,
            playtime_seconds=new.playtime_seconds,
            content_encoding=new.content_encoding,
            encryption=new.encryption.model_dump_json() if new.encryption else None,
        )
        self._record(
            UploadRequested(
                user_id=user_id,
                occurred_at=now,
                product_id=new.product_id,
                slot_id=slot_id,
                slot_name=new.save_slot_name,
                upload_id=upload_id,
                is_required=ask.content_id is None,
            )
        )
        return Reservation(
            upload_id,
            staging_key(upload_id),
            new.file_size_bytes,
            ask.content_id is None,
            await self._diverges(user_id, slot_id, ask.head_version, base, new.content),
        )

    async def renew(self, user_id: UUID, upload_id: UUID) -> Reservation | None:
        """The same leave again, as long as if it had been asked for now; None when it is over.

        Raises what ``access`` refuses.
        """
        upload = await self._store.uploads.find(user_id, upload_id)
        now = self._clock()
        if upload is None or upload.outcome is not None or upload.expires_at <= now:
            return None
        await self._access.require(user_id, upload.product_id)
        await self._store.uploads.extend(user_id, upload_id, self._confirm_until(now))
        is_joined = await self._is_joined(user_id, upload)
        slot = await self._slot(user_id, upload)
        return Reservation(
            upload_id,
            staging_key(upload_id),
            upload.size,
            not is_joined,
            await self._diverges(user_id, slot.id, slot.head_version, upload.base_version, upload.content),
        )

    async def begin(self, user_id: UUID, upload_id: UUID) -> Attempt | None:
        """What a confirmation has to do to the object store; None where there is nothing to do but to ``finish``.

        Raises SavegameVersionNotFound for an upload that is unknown, expired or somebody else's.
        """
        upload = await self._open(user_id, upload_id)
        if upload.outcome is not None or await self._is_joined(user_id, upload):
            return None
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
                *about, upload.base_version, upload.content, Marks(upload.content_encoding, upload.encryption)
            ),
        )
        await self._store.contents.begin(
            user_id, content_id, attempt.target, upload.size, upload.content, now=now, delete_after=now + ATTEMPT_FOR
        )
        return attempt

    async def give_up(self, user_id: UUID, attempt: Attempt) -> None:
        """There was nothing to make the object of."""
        await self._store.contents.forget(user_id, attempt.content_id)

    async def finish(self, user_id: UUID, upload_id: UUID, attempt: Attempt | None, digest: Digest | None) -> Outcome:
        """What becomes of an upload; ``digest`` is that of the object that ``attempt`` has made. Asked again, the same.

        A conflict and a mismatch are results, to be committed. Raises SavegameVersionNotFound as ``begin``;
        SavegameUploadIncomplete when the object took longer than anybody waits, or is gone: then ``begin`` anew.
        """
        upload = await self._open(user_id, upload_id)
        if upload.outcome is not None:
            await self._abandon(user_id, attempt)
            return outcomes.from_text(upload.outcome)
        if upload.content_id is None and (attempt is None or digest is None):
            raise SavegameUploadIncomplete
        slot = await self._slot(user_id, upload)
        if attempt and digest != Digest(attempt.size, attempt.content):
            return await self._reject(user_id, upload, attempt)
        there = await self._there(user_id, upload, attempt)
        found = await self._timeline.relation(user_id, slot.id, slot.head_version, upload.base_version, upload.content)
        if found in (Relation.IDENTICAL, Relation.BEHIND):
            outcome = await self._same(user_id, upload, slot, found)
        else:
            stored = there or await self._adopted(user_id, attempt)
            outcome = await self._place(user_id, upload, slot, stored, found, upload.size if attempt else 0)
        await self._abandon(user_id, attempt)  # what became a content is none any more
        until = self._clock() + REMEMBER_FOR
        await self._store.uploads.close(user_id, upload_id, outcomes.as_text(outcome), until)
        if upload.content_id:  # nobody drops what an upload has joined, not even where its version is pruned at once
            await self._timeline.drop(user_id, [upload.content_id])
        return outcome

    async def expire(self, user_id: UUID) -> None:
        """Forgets the uploads whose time is over."""
        gone = await self._store.uploads.expire(user_id, self._clock())
        await self._timeline.drop(user_id, {row["content_id"] for row in gone if row["content_id"]})
        for slot_id in {row["slot_id"] for row in gone if row["was_open"]}:
            await self._store.slots.remove_empty(user_id, slot_id)

    async def _ask(self, user_id: UUID, new: NewUpload) -> Ask:
        return await self._store.uploads.ask(
            user_id, new.product_id, new.save_slot_name, new.content, new.device_id, self._clock()
        )

    async def _base(self, user_id: UUID, ask: Ask, named: int | None) -> int:
        if named is None:
            return ask.device_version or ask.head_version or NOTHING
        if named not in (NOTHING, ask.head_version) and (
            ask.slot_id is None or await self._store.versions.find(user_id, ask.slot_id, named) is None
        ):
            raise SavegameVersionNotFound(pointer="/data/attributes/base_version", base_version=named)
        return named

    async def _diverges(self, user_id: UUID, slot_id: UUID, head: int | None, base: int, content: bytes) -> bool:
        """Whether content would become a branch. No round trip where it grew from the head."""
        if base == (head or NOTHING):
            return False
        return await self._timeline.relation(user_id, slot_id, head, base, content) is Relation.DIVERGED

    async def _open(self, user_id: UUID, upload_id: UUID) -> Upload:
        upload = await self._store.uploads.find(user_id, upload_id)
        if upload is None or (upload.outcome is None and upload.expires_at <= self._clock()):
            raise SavegameVersionNotFound
        return upload

    async def _slot(self, user_id: UUID, upload: Upload) -> Slot:
        slot = await self._store.slots.find(user_id, upload.slot_id)
        assert slot is not None  # a foreign key holds it
        return slot

    async def _reject(self, user_id: UUID, upload: Upload, attempt: Attempt) -> Outcome:
        await self._store.uploads.remove(user_id, upload.id)
        await self._store.slots.remove_empty(user_id, upload.slot_id)
        await self._abandon(user_id, attempt)
        self._record(UploadFailed(**self._about(user_id, upload), upload_id=upload.id))
        return Outcome(Result.MISMATCH, upload.slot_id, upload.version)

    async def _same(self, user_id: UUID, upload: Upload, slot: Slot, found: Relation) -> Outcome:
        """The head has these bytes, or had them and went on."""
        assert slot.head_version is not None
        result = Result.BEHIND if found is Relation.BEHIND else Result.IDENTICAL
        if result is Result.IDENTICAL:
            await self._device_has(user_id, upload, slot.head_version)
        about = self._about(user_id, upload)
        self._record(UploadUnneeded(**about, upload_id=upload.id, version=slot.head_version, result=result.value))
        return Outcome(result, slot.id, slot.head_version)

    async def _is_joined(self, user_id: UUID, upload: Upload) -> bool:
        """Whether nothing is to be sent. Bytes that the store was found without meanwhile are, after all."""
        if upload.content_id is None:
            return False
        there = await self._store.contents.live(user_id, upload.content)
        if there and not there.is_missing:
            return True
        await self._store.uploads.unjoin(user_id, upload.content_id)
        await self._timeline.drop(user_id, [upload.content_id])
        return False

    async def _there(self, user_id: UUID, upload: Upload, attempt: Attempt | None) -> Stored | None:
        """The user's content with these bytes: what was joined, or what another upload has made meanwhile.

        One that the store has been found without gets the object that was made now.
        """
        there = await self._store.contents.live(user_id, upload.content)
        if there is None or not there.is_missing:
            return there
        if attempt is None or not await self._store.contents.supersede(
            user_id, attempt.content_id, there, self._clock()
        ):
            raise SavegameUploadIncomplete
        await self._store.contents.mend(user_id, there.id, attempt.target)
        return Stored(there.id, attempt.target, False)

    async def _adopted(self, user_id: UUID, attempt: Attempt | None) -> Stored:
        if attempt is None or not await self._store.contents.adopt(user_id, attempt.content_id):
            raise SavegameUploadIncomplete
        return Stored(attempt.content_id, attempt.target, False)

    async def _place(
        self, user_id: UUID, upload: Upload, slot: Slot, stored: Stored, found: Relation, sent_bytes: int
    ) -> Outcome:
        """Puts a new version into the tree: on top of the head, or beside it."""
        held = Bytes.of_upload(upload, stored.id)
        is_branch = found is Relation.DIVERGED
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
            outcome = await self._branches.open(user_id, upload, slot, held)
            # Where it wins at once, the new head has the device's very bytes: the next upload is to grow from that.
            won = outcome.resolution == Resolution.KEEP_LOCAL
            await self._device_has(user_id, upload, outcome.version if won else upload.version)
            return outcome
        await self._timeline.grow(user_id, slot.id, upload.version, upload.base_version, held, version_id=upload.id)
        await self._device_has(user_id, upload, upload.version)
        return Outcome(Result.HEAD, slot.id, upload.version)

    async def _device_has(self, user_id: UUID, upload: Upload, version: int) -> None:
        if upload.device_id:
            await self._store.slots.device_has(user_id, upload.slot_id, upload.device_id, version, self._clock())

    async def _abandon(self, user_id: UUID, attempt: Attempt | None) -> None:
        if attempt:
            await self._store.contents.abandon(user_id, attempt.content_id, self._clock())

    def _about(self, user_id: UUID, upload: Upload) -> dict[str, Any]:
        return {
            "user_id": user_id,
            "occurred_at": self._clock(),
            "product_id": upload.product_id,
            "slot_id": upload.slot_id,
            "slot_name": upload.slot_name,
        }

    def _confirm_until(self, now: datetime) -> datetime:
        return now + self._limits.url_lives + CONFIRM_FOR


def _require_places(ask: Ask) -> None:
    if ask.open_uploads >= MAX_OPEN_UPLOADS:
        raise UserQuotaExceeded(limit="open_uploads", max=MAX_OPEN_UPLOADS)
    if ask.slot_id is None and ask.slot_count >= MAX_SLOTS:
        raise UserQuotaExceeded(limit="slots", max=MAX_SLOTS)


def _require_size(ask: Ask, new: NewUpload) -> None:
    if ask.content_id and ask.content_size != new.file_size_bytes:
        raise InvalidInput(Problem("size_of_known_content", pointer="/data/attributes/file_size_bytes"))
