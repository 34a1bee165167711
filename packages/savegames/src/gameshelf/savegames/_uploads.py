"""Uploads: request, send the bytes to the store, confirm. Nothing here commits, and nothing calls the store.

A confirmation has two transactions, with the work on the object between them. ``begin_confirmation`` stores which
object is about to be created, so that it can always be found and deleted; ``finish_confirmation`` decides which version
it becomes.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from gameshelf.kernel.access import ProductAccess, require_access
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import BoundStatement, Connection
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.kernel.events import RecordEvent
from gameshelf.kernel.serialise import Serialise, by_advisory_lock
from gameshelf.savegames._bases import base_of, may_be_deleted
from gameshelf.savegames._commands import NewUpload
from gameshelf.savegames._confirmations import Attempt, Confirmations
from gameshelf.savegames._limits import Limits
from gameshelf.savegames._lineage import NOTHING
from gameshelf.savegames._lists import decode
from gameshelf.savegames._models import ConflictPolicy
from gameshelf.savegames._naming import slot_key, staging_key
from gameshelf.savegames._outcomes import UploadOutcome
from gameshelf.savegames._packing import require_packing, require_sizes
from gameshelf.savegames._policies import DEFAULT_POLICY
from gameshelf.savegames._policy_store import parse_stored
from gameshelf.savegames._ports import Digest
from gameshelf.savegames._quota import StorageQuota
from gameshelf.savegames._reservations import Reservations, require_places
from gameshelf.savegames._set_requests import require_removals
from gameshelf.savegames._store import SavegameStore
from gameshelf.savegames._store.upload_contexts import TrashedSave, UploadContext, lookup_context
from gameshelf.savegames._timeline import Timeline
from gameshelf.savegames._upload_ends import UploadEnds


@dataclass(frozen=True, slots=True)
class Reservation:
    """A reserved upload."""

    upload_id: UUID
    key: str
    """The only key that the bytes may be written to."""
    size: int
    is_required: bool
    """False where the bytes are stored already: then nothing has to be uploaded before the confirmation."""
    conflict_expected: bool
    """Whether the upload would become a branch if it were confirmed now."""


class SavegameUploads:
    """A user's uploads, over one connection inside a transaction.

    ``access`` decides who may play what; ``record`` receives the events, which name the ``bucket`` where the bytes are.
    ``serialise`` admits one transaction at a time per user. By default it takes an advisory lock, which costs one round
    trip per call.
    """

    def __init__(
        self,
        connection: Connection,
        record: RecordEvent,
        access: ProductAccess,
        clock: Clock = utc_now,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        bucket: str = "",
        serialise: Serialise | None = None,
    ) -> None:
        self._serialise = serialise or by_advisory_lock(connection)
        self._store = SavegameStore(connection)
        self._access = access
        self._clock = clock
        self._limits = limits
        self._timeline = Timeline(self._store, limits, clock)
        self._quota = StorageQuota(self._store, self._timeline, limits)
        self._requests = Reservations(self._store, self._timeline, record, clock, limits)
        self._ends = UploadEnds(self._store, self._timeline, record, clock)
        self._confirmations = Confirmations(self._store, self._timeline, self._quota, record, clock, limits, bucket)

    @staticmethod
    def lookup_of_request(user_id: UUID, new: NewUpload, now: datetime) -> BoundStatement:
        """What ``request`` reads besides the port, if it gets the same ``now``."""
        return lookup_context(user_id, new, now)

    async def request(self, user_id: UUID, new: NewUpload, now: datetime | None = None) -> Reservation:
        """Reserves quota and a version number for an upload. The same request, while that upload is open, returns the
        same reservation and updates its properties. ``now`` is when the caller began, by default the time of the call.

        Raises SavegameFileTooLarge, UserQuotaExceeded, SavegameSlotNotFound for a named save that does not exist,
        SavegameVersionNotFound for a base that never existed, SavegameShrinks where the file would replace a set,
        InvalidInput, and the refusals of ``access``.
        """
        require_packing(new)
        await self._serialise(user_id)
        await require_access(self._access, user_id, new.product_id)
        context = await self._context(user_id, new, now or self._clock())
        require_sizes(new, context.product_max_file_bytes or self._limits.max_bytes)
        named = await self._requests.named(user_id, new)
        base = base_of(new, context, named)
        if may_be_deleted(new, context, named, base, new.identity) and (
            deleted := await self._store.upload_contexts.find_trashed(user_id, new, new.identity, new.content)
        ):
            return await self._deleted(user_id, new, deleted)
        _require_size(context, new)
        now = self._clock()
        if (upload_id := context.same.get(base)) is not None and context.slot_id:
            if not context.is_verified:
                signed = self._quota.require_allowance(context, new.file_size_bytes, now)
                await self._require_bytes(user_id, upload_id, signed)
            await self._store.uploads.update_upload(
                user_id,
                upload_id,
                self._requests.confirm_until(now),
                content_id=context.joins,
                **_properties(new, context),
            )
            slot_id = context.slot_id
        else:
            await self._require_removals(user_id, new, context, base)
            require_places(context)
            signed = self._quota.require_allowance(context, new.file_size_bytes, now)
            await self._quota.require_room(user_id, new.product_id, new.file_size_bytes, new.content, context)
            upload_id = uuid4()
            slot_id = await self._reserve(user_id, new, context, upload_id, base, signed)
        return Reservation(
            upload_id,
            staging_key(upload_id),
            new.file_size_bytes,
            context.joins is None,
            await self._requests.diverges(user_id, slot_id, context.head_version, base, new.identity),
        )

    async def renew(self, user_id: UUID, upload_id: UUID) -> Reservation | None:
        """Returns an open reservation, extended as if it had been requested now; None when it is no longer open.

        Raises the refusals of ``access``.
        """
        await self._serialise(user_id)
        upload = await self._store.uploads.find_upload(user_id, upload_id)
        now = self._clock()
        if upload is None or upload.outcome is not None or upload.expires_at <= now:
            return None
        await require_access(self._access, user_id, upload.product_id)
        await self._store.uploads.extend_upload(user_id, upload_id, self._requests.confirm_until(now))
        is_joined = await self._confirmations.is_joined(user_id, upload)
        return Reservation(
            upload_id,
            staging_key(upload_id),
            upload.size,
            not is_joined,
            await self._requests.diverges(
                user_id, upload.slot_id, upload.head_version, upload.base_version, upload.identity
            ),
        )

    async def begin_confirmation(self, user_id: UUID, upload_id: UUID) -> Attempt | None:
        """Returns the object that the caller has to create in the store; None where it only has to call
        ``finish_confirmation``.

        Raises SavegameVersionNotFound for an upload that is unknown, expired, cancelled or another user's;
        UserQuotaExceeded where the reserved room is no longer available. Then the upload stays open.
        """
        await self._serialise(user_id)
        return await self._confirmations.begin_confirmation(user_id, upload_id)

    async def abandon_confirmation(self, user_id: UUID, attempt: Attempt) -> None:
        """Ends an attempt whose object could not be created, since nothing was uploaded."""
        await self._serialise(user_id)
        await self._store.contents.delete_pending(user_id, attempt.content_id)

    async def finish_confirmation(
        self, user_id: UUID, upload_id: UUID, attempt: Attempt | None, digest: Digest | None
    ) -> UploadOutcome:
        """Decides the outcome of an upload. ``digest`` is that of the object that was created for ``attempt``. A
        repeated call returns the same outcome.

        A conflict and a mismatch are outcomes too, and have to be committed. Raises SavegameVersionNotFound and
        UserQuotaExceeded as ``begin_confirmation``; SavegameUploadIncomplete when the object was created too late or is
        lost: then start again with ``begin_confirmation``.
        """
        await self._serialise(user_id)
        return await self._confirmations.finish_confirmation(user_id, upload_id, attempt, digest)

    async def cancel(self, user_id: UUID, upload_id: UUID) -> None:
        """Cancels an upload, and frees its reserved room at once. Cancelling it again changes nothing.

        Raises SavegameVersionNotFound for an upload that is not open.
        """
        await self._serialise(user_id)
        await self._ends.cancel(user_id, upload_id)

    async def expire(self, user_id: UUID) -> None:
        """Deletes the expired uploads of a user."""
        await self._serialise(user_id)
        await self._ends.expire(user_id)

    async def _require_removals(self, user_id: UUID, new: NewUpload, context: UploadContext, base: int) -> None:
        """Requires that the user has confirmed that the file replaces a set."""
        if not context.head_version or context.head_manifest_id is None or base != context.head_version:
            return
        body = (await self._store.lists.read_bodies(user_id, [context.head_manifest_id]))[context.head_manifest_id]
        policy = DEFAULT_POLICY if context.policy is None else parse_stored(context.policy)
        await asyncio.to_thread(
            lambda: require_removals(decode(body), (), policy, new.confirm_removals, context.head_version or NOTHING)
        )

    async def _context(self, user_id: UUID, new: NewUpload, now: datetime) -> UploadContext:
        context = await self._store.upload_contexts.read_context(user_id, new, now)
        if context.has_expired:
            # Expired uploads use no quota, whether the job has deleted them yet or not.
            await self.expire(user_id)
        elif context.slot_id is not None or not context.lacks_keys:
            return context
        # The requested save may be one that has no folded name yet.
        if context.lacks_keys:
            await self._store.slots.fill_keys(user_id, new.product_id)
        return await self._store.upload_contexts.read_context(user_id, new, self._clock())

    async def _require_bytes(self, user_id: UUID, upload_id: UUID, signed: int) -> None:
        """Detaches an upload from its joined content: the new hash of the unpacked bytes has to be verified, so the
        bytes have to be sent. ``signed`` bytes count for today.
        """
        upload = await self._store.uploads.find_upload(user_id, upload_id)
        if upload and upload.content_id:
            await self._store.uploads.count_signed(user_id, signed, self._clock().astimezone(UTC).date())
            await self._store.uploads.detach_upload(user_id, upload_id)
            await self._timeline.drop(user_id, [upload.content_id])

    async def _deleted(self, user_id: UUID, new: NewUpload, deleted: TrashedSave) -> Reservation:
        size = new.file_size_bytes
        upload_id = await self._requests.deleted(user_id, new, deleted, size, new.content)
        return Reservation(upload_id, staging_key(upload_id), size, False, False)

    async def _reserve(
        self, user_id: UUID, new: NewUpload, context: UploadContext, upload_id: UUID, base: int, signed: int
    ) -> UUID:
        """Stores a new upload, and returns its slot. That is known before: nobody else makes one meanwhile."""
        now, name = self._clock(), context.slot_name or new.save_slot_name
        slot_id = context.slot_id or uuid4()
        await self._store.uploads.add_upload(
            user_id,
            upload_id=upload_id,
            slot_id=slot_id,
            product_id=new.product_id,
            slot_name=name,
            slot_key=slot_key(name),
            base_version=base,
            size=new.file_size_bytes,
            content=new.content,
            content_id=context.joins,
            now=now,
            day=now.astimezone(UTC).date(),
            signed=signed,
            expires_at=self._requests.confirm_until(now),
            device_id=new.device_id,
            **_properties(new, context),
        )
        is_required = context.joins is None
        self._requests.requested(user_id, new.product_id, slot_id, name, upload_id, is_required=is_required)
        return slot_id


def _properties(new: NewUpload, context: UploadContext) -> dict[str, Any]:
    """The properties that a client gives, and may change until the upload is confirmed."""
    return {
        "client_modified_at": new.client_modified_at,
        "comment": new.comment,
        "playtime_seconds": new.playtime_seconds,
        "content_encoding": new.content_encoding,
        "encryption": new.encryption.model_dump_json(exclude_none=True) if new.encryption else None,
        "identity": None if new.identity == new.content else new.identity,
        "raw_sha256": new.raw,
        "raw_size_bytes": new.raw_size_bytes,
        "conflict_policy": new.conflict_policy or context.product_conflict_policy or ConflictPolicy.MANUAL,
    }


def _require_size(context: UploadContext, new: NewUpload) -> None:
    if context.content_id and context.content_size != new.file_size_bytes:
        raise InvalidInput(Problem("size_of_known_content", pointer="file_size_bytes"))
