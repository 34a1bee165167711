"""Uploads of sets: request, send the files to the store, verify. Nothing here commits, and nothing calls the store.

A commit verifies the files in batches. Each call of ``begin`` is a transaction of its own: it notes what was verified,
and hands out the next objects to create. ``SetCommit`` decides which version the set becomes.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

from gameshelf.kernel.access import ProductAccess, require_access
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.kernel.events import RecordEvent
from gameshelf.kernel.serialise import Serialise, by_advisory_lock
from gameshelf.savegames import _outcomes
from gameshelf.savegames._bases import base_of, may_be_deleted
from gameshelf.savegames._commands import NewUpload
from gameshelf.savegames._errors import SavegameVersionNotFound
from gameshelf.savegames._files import FileList
from gameshelf.savegames._limits import ATTEMPT_FOR, MAX_RATIO, Limits
from gameshelf.savegames._lists import decode
from gameshelf.savegames._missing_files import missing_files
from gameshelf.savegames._naming import incoming_key, part_key, part_metadata, slot_key
from gameshelf.savegames._outcomes import UploadOutcome, UploadResult
from gameshelf.savegames._ports import Packing
from gameshelf.savegames._quota import StorageQuota
from gameshelf.savegames._reservations import Reservations, require_places
from gameshelf.savegames._set_commands import FileEntry, NewSet
from gameshelf.savegames._set_confirmations import IncompleteSet, SetConfirmations
from gameshelf.savegames._set_requests import (
    NeededContents,
    RequestedSet,
    SetRequest,
    SkippedFile,
    entry_problems,
    require_shape,
)
from gameshelf.savegames._set_signing import MissingFile
from gameshelf.savegames._set_verification import VERIFY_BATCH, FileAttempt, FileResult, FilesToVerify
from gameshelf.savegames._store import SavegameStore
from gameshelf.savegames._store.set_contexts import SetContext
from gameshelf.savegames._store.set_reservations import NeededFile
from gameshelf.savegames._store.upload_contexts import TrashedSave
from gameshelf.savegames._store.upload_files import FileToVerify, NewContent, NotedFile
from gameshelf.savegames._store.uploads import Upload
from gameshelf.savegames._timeline import Timeline
from gameshelf.savegames._upload_ends import UploadEnds
from gameshelf.savegames._uploads import Reservation, SavegameUploads

T = TypeVar("T")

_FILES_IN_LOOP = 500
"""Lists of more files are examined in a thread."""


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


class SavegameSets:
    """A user's uploads of sets, over one connection inside a transaction. The parameters are those of
    ``SavegameUploads``.
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
        self._confirmations = SetConfirmations(self._store, self._timeline, self._quota, record, clock, limits, bucket)
        self._ends = UploadEnds(self._store, self._timeline, record, clock)
        self._singles = SavegameUploads(connection, record, access, clock, limits, serialise=self._serialise)

    async def request(self, user_id: UUID, new: NewSet) -> SetReservation:
        """Reserves quota and a version number for an upload of a set, or of a single file whose path is null. The same
        request, while that upload is open, returns the same reservation and brings it up to date.

        Raises what ``SavegameUploads.request`` raises; SavegamePolicyChanged, SavegameBaseNotSynced, SavegameShrinks;
        SavegameHashMismatch for a delta with another result than announced.
        """
        if new.single:
            return await self._request_single(user_id, new, new.single)
        await _run(len(new.entries), lambda: require_shape(new))
        await self._serialise(user_id)
        await require_access(self._access, user_id, new.product_id)
        context = await self._context(user_id, new)
        named = await self._requests.named(user_id, new)
        base = base_of(new, context, named)
        request = SetRequest(new, context, base, self._limits)
        request.require_policy()
        base_list = await self._read_list(user_id, request.base_list_id)
        count = len(new.entries) + len(base_list or ())
        found = await _run(count, lambda: _computed(request.resulting_set(base_list)))
        if may_be_deleted(new, context, named, base, found.key) and (
            deleted := await self._store.upload_contexts.find_trashed(user_id, new, found.key, b"")
        ):
            return await self._deleted(user_id, new, found, deleted)
        upload_id = context.same.get((found.content, base))
        if upload_id is None:
            head = await self._read_list(user_id, context.head_manifest_id) if request.needs_head(found) else None
            await _run(len(found.files) + len(head or ()), lambda: request.require_guards(found, head))
        now = self._clock()
        known = await self._store.set_contexts.known_contents(user_id, found.contents, now)
        needed = request.needed_contents(found, known)
        if upload_id is None:
            upload_id = await self._reserve(user_id, new, context, request, found, needed, base)
        else:
            await self._renew(user_id, upload_id, new, context, request, found, needed)
        upload = await self._store.uploads.find_upload(user_id, upload_id)
        assert upload is not None
        return await self._reservation(user_id, upload, found.skipped)

    async def renew(self, user_id: UUID, upload_id: UUID) -> SetReservation | None:
        """Returns an open reservation of either kind, extended as if it had been requested now; None when it is no
        longer open.

        Raises the refusals of ``access``.
        """
        await self._serialise(user_id)
        upload = await self._store.uploads.find_upload(user_id, upload_id)
        now = self._clock()
        if upload is None or upload.outcome is not None or upload.expires_at <= now:
            return None
        if not upload.is_set:
            reservation = await self._singles.renew(user_id, upload_id)
            return await self._reservation_of_single(user_id, reservation) if reservation else None
        await require_access(self._access, user_id, upload.product_id)
        until = self._requests.confirm_until(now)
        await self._store.uploads.extend_upload(user_id, upload_id, until)
        return await self._reservation(user_id, replace(upload, expires_at=max(upload.expires_at, until)), ())

    async def begin(
        self,
        user_id: UUID,
        upload_id: UUID,
        done: Sequence[FileResult] = (),
        after: bytes = b"",
        limit: int = VERIFY_BATCH,
    ) -> FilesToVerify | None:
        """Notes what was verified, and hands out the next ``limit`` files, those with hashes above ``after``: what has
        failed is not handed out again. With a limit of 0 it hands out nothing. None for a single file.

        Raises SavegameVersionNotFound for an upload that is unknown, expired, cancelled or another user's.
        """
        await self._serialise(user_id)
        now = self._clock()
        upload = await self._store.uploads.find_upload(user_id, upload_id)
        is_open = upload is not None and upload.outcome is None and upload.expires_at > now
        if upload is None or (upload.outcome is None and not is_open):
            raise SavegameVersionNotFound
        if not upload.is_set:
            return None
        if upload.outcome and _outcomes.from_text(upload.outcome).result is UploadResult.CANCELLED:
            raise SavegameVersionNotFound
        until = upload.expires_at + ATTEMPT_FOR
        if done:
            await self._store.upload_files.note(user_id, upload_id, [_noted(one) for one in done], now, until)
        total = upload.file_count or 0
        if not is_open or upload.manifest_id is None:
            return FilesToVerify((), total, total)
        files = []
        if limit:
            files = await self._store.upload_files.next_files(user_id, upload_id, upload.manifest_id, after, limit)
        attempts = tuple(self._attempt(user_id, upload, file) for file in files)
        own = [NewContent(one.content_id, one.target, one.sha256, one.size) for one in attempts if one.source]
        if own:
            await self._store.upload_files.begin_contents(user_id, own, now, until)
        if attempts and after:
            return FilesToVerify(attempts, None, None)  # counting all files with each batch would take ever longer
        counts = await self._store.upload_files.count(user_id, upload_id)
        return FilesToVerify(attempts, counts.total - counts.unverified, counts.total)

    async def finish(self, user_id: UUID, upload_id: UUID) -> UploadOutcome | IncompleteSet:
        """Decides the outcome of an upload of a set, once its files were verified (``begin``). A repeated call returns
        the same outcome. A set that is incomplete stays open; what was lost since its request is awaited from now on.

        All results have to be committed, a conflict and an incomplete set too. Raises SavegameVersionNotFound as
        ``begin`` does; UserQuotaExceeded where the reserved room is no longer available, and SavegameUploadIncomplete
        where verified bytes were dropped at this moment: then the upload stays open.
        """
        await self._serialise(user_id)
        return await self._confirmations.finish(user_id, upload_id)

    async def _context(self, user_id: UUID, new: NewSet) -> SetContext:
        context = await self._store.set_contexts.read_context(user_id, new, self._clock())
        if context.has_expired:
            # Expired uploads use no quota, whether the job has deleted them yet or not.
            await self._ends.expire(user_id)
        elif context.slot_id is not None or not context.lacks_keys:
            return context
        # The requested save may be one that has no folded name yet.
        if context.lacks_keys:
            await self._store.slots.fill_keys(user_id, new.product_id)
        return await self._store.set_contexts.read_context(user_id, new, self._clock())

    async def _read_list(self, user_id: UUID, manifest_id: UUID | None) -> FileList | None:
        if manifest_id is None:
            return None
        body = (await self._store.lists.read_bodies(user_id, [manifest_id]))[manifest_id]
        return await asyncio.to_thread(decode, body)

    async def _deleted(self, user_id: UUID, new: NewSet, found: RequestedSet, deleted: TrashedSave) -> SetReservation:
        upload_id = await self._requests.deleted(
            user_id, new, deleted, found.total_bytes, found.content, len(found.files)
        )
        now = self._clock()
        return SetReservation(
            upload_id=upload_id,
            slot_id=deleted.slot_id,
            product_id=new.product_id,
            slot_name=deleted.slot_name,
            created_at=now,
            is_set=True,
            file_count=len(found.files),
            base_version=0,
            missing=(),
            skipped=found.skipped,
            conflict_expected=False,
            expires_at=self._requests.confirm_until(now),
            is_deleted=True,
        )

    async def _reserve(
        self,
        user_id: UUID,
        new: NewSet,
        context: SetContext,
        request: SetRequest,
        found: RequestedSet,
        needed: NeededContents,
        base: int,
    ) -> UUID:
        """Stores a new upload."""
        require_places(context)
        now, name = self._clock(), context.slot_name or new.save_slot_name
        self._quota.require_set_allowance(context, needed.sent_bytes, now)
        await self._quota.require_set_room(user_id, new.product_id, found, needed, context)
        upload_id = uuid4()
        slot_id, _ = await self._store.set_reservations.add_set(
            user_id,
            uuid4(),
            found.files,
            needed.held,
            needed.wanted,
            upload_id=upload_id,
            slot_id=context.slot_id or uuid4(),
            product_id=new.product_id,
            slot_name=name,
            slot_key=slot_key(name),
            base_version=base,
            now=now,
            day=now.astimezone(UTC).date(),
            signed=needed.sent_bytes,
            expires_at=self._requests.confirm_until(now),
            device_id=new.device_id,
            **_details(new, request, found),
        )
        self._requests.requested(user_id, new.product_id, slot_id, name, upload_id, is_required=needed.is_required)
        return upload_id

    async def _renew(
        self,
        user_id: UUID,
        upload_id: UUID,
        new: NewSet,
        context: SetContext,
        request: SetRequest,
        found: RequestedSet,
        needed: NeededContents,
    ) -> None:
        """Brings an open upload up to date. Contents that the store has lost since have to be sent."""
        now = self._clock()
        upload = await self._store.uploads.find_upload(user_id, upload_id)
        assert upload is not None
        assert upload.manifest_id is not None
        self._quota.require_set_allowance(context, needed.sent_bytes, now)
        # A corrected size may be a larger one; what adds nothing is never refused.
        if needed.new_bytes or found.total_bytes > upload.size:
            await self._quota.require_set_room(user_id, new.product_id, found, needed, context)
        if needed.sent_bytes:
            await self._store.uploads.count_signed(user_id, needed.sent_bytes, now.astimezone(UTC).date())
        await self._store.set_reservations.renew_set(
            user_id,
            upload.manifest_id,
            found.files,
            needed.held,
            needed.wanted,
            upload_id=upload_id,
            new_expires_at=self._requests.confirm_until(now),
            **_details(new, request, found),
        )

    async def _reservation(self, user_id: UUID, upload: Upload, skipped: Sequence[SkippedFile]) -> SetReservation:
        awaited = await self._store.upload_files.unverified_files(user_id, upload.id)
        diverges = await self._requests.diverges(
            user_id, upload.slot_id, upload.head_version, upload.base_version, upload.identity
        )
        return SetReservation(
            upload_id=upload.id,
            slot_id=upload.slot_id,
            product_id=upload.product_id,
            slot_name=upload.slot_name,
            created_at=upload.created_at,
            is_set=True,
            file_count=upload.file_count,
            base_version=upload.base_version,
            missing=missing_files(upload.id, awaited),
            skipped=tuple(skipped),
            conflict_expected=diverges,
            expires_at=upload.expires_at,
            arrived_through=upload.arrived_through or b"",
        )

    async def _request_single(self, user_id: UUID, new: NewSet, entry: FileEntry) -> SetReservation:
        _require_single(new, entry)
        await self._serialise(user_id)
        await require_access(self._access, user_id, new.product_id)
        await self._require_single_guards(user_id, new)
        try:
            reservation = await self._singles.request(user_id, _single_upload(new, entry))
        except InvalidInput as error:
            raise InvalidInput(*map(_of_entry, error.problems)) from None
        details = {"game_version_id": new.game_version_id, "device_name": new.device_name}
        if any(details.values()):
            await self._store.set_reservations.set_details(user_id, reservation.upload_id, **details)
        if entry.parts and reservation.is_required:
            wanted = NeededFile(entry.content, entry.size_bytes, None, None, None, entry.parts, None)
            await self._store.set_reservations.await_single(user_id, reservation.upload_id, wanted)
        return await self._reservation_of_single(user_id, reservation)

    async def _require_single_guards(self, user_id: UUID, new: NewSet) -> None:
        """Requires what a request for a single file says of the policy, and that it is not too large."""
        context = await self._context(user_id, new)
        base = base_of(new, context, await self._requests.named(user_id, new))
        request = SetRequest(new, context, base, self._limits)
        request.require_policy()
        request.require_file_sizes()

    async def _reservation_of_single(self, user_id: UUID, reservation: Reservation) -> SetReservation:
        upload = await self._store.uploads.find_upload(user_id, reservation.upload_id)
        assert upload is not None
        missing: tuple[MissingFile, ...] = ()
        if reservation.is_required:
            parts = await self._store.upload_files.unverified_files(user_id, upload.id)
            missing = missing_files(upload.id, parts, reservation.key)
            missing = missing or (MissingFile(upload.content, upload.size, reservation.key),)
        return SetReservation(
            upload_id=upload.id,
            slot_id=upload.slot_id,
            product_id=upload.product_id,
            slot_name=upload.slot_name,
            created_at=upload.created_at,
            is_set=False,
            file_count=None,
            base_version=upload.base_version,
            missing=missing,
            skipped=(),
            conflict_expected=reservation.conflict_expected,
            expires_at=upload.expires_at,
            is_deleted=upload.outcome is not None,
        )

    def _attempt(self, user_id: UUID, upload: Upload, file: FileToVerify) -> FileAttempt:
        packing = None
        if file.raw_sha256 is not None and file.content_encoding is not None:
            packing = Packing(
                file.content_encoding, min(MAX_RATIO * file.size, max(self._limits.max_bytes, file.raw_size or 0))
            )
        content_id = file.live_id or uuid4()
        about = (user_id, upload.product_id)
        return FileAttempt(
            file.sha256,
            file.size,
            content_id,
            None if file.live_id else incoming_key(upload.id, file.sha256),
            file.live_key or part_key(*about, upload.slot_name, content_id),
            part_metadata(*about, file.sha256, file.size),
            file.multipart_id,
            packing,
            file.raw_sha256,
            file.raw_size,
        )


async def _run(count: int, work: Callable[[], T]) -> T:
    """Runs what takes long for many files, in a thread then."""
    return await asyncio.to_thread(work) if count > _FILES_IN_LOOP else work()


def _computed(found: RequestedSet) -> RequestedSet:
    """Computes the hashes of a set where it is called."""
    _ = found.key, found.content, found.contents
    return found


def _noted(result: FileResult) -> NotedFile:
    attempt, digest = result.attempt, result.digest
    is_raw = result.problem is None and attempt.packing is not None and digest is not None
    return NotedFile(
        attempt.sha256,
        attempt.content_id,
        attempt.source is not None,
        result.problem,
        attempt.raw_sha256 if is_raw else None,
        attempt.packing.encoding if is_raw and attempt.packing else None,
        digest.raw_size if is_raw and digest else None,
    )


def _details(new: NewSet, request: SetRequest, found: RequestedSet) -> dict[str, Any]:
    """The properties that a client gives, and may change until the upload is committed."""
    return {
        "client_modified_at": found.modified_at(new),
        "comment": new.comment,
        "playtime_seconds": new.playtime_seconds,
        "conflict_policy": request.conflict_policy,
        "game_version_id": new.game_version_id,
        "device_name": new.device_name,
    }


def _require_single(new: NewSet, entry: FileEntry) -> None:
    found = entry_problems([entry], "files")
    found += [
        Problem("delta_beside_files", pointer=name)
        for name in ("put", "remove", "set_sha256")
        if getattr(new, name) is not None
    ]
    if found:
        raise InvalidInput(*found)


def _of_entry(problem: Problem) -> Problem:
    """What is wrong with the request for a single file, at its place in a request like that for a set."""
    if problem.pointer == "file_size_bytes":
        return replace(problem, pointer="files/0/size_bytes")
    return problem


def _single_upload(new: NewSet, entry: FileEntry) -> NewUpload:
    """Returns the request for a single file that a request like that for a set describes."""
    return NewUpload(
        product_id=new.product_id,
        save_slot_name=new.save_slot_name,
        file_size_bytes=entry.size_bytes,
        file_hash_sha256=entry.sha256,
        client_modified_at=new.client_modified_at or entry.modified_at,
        savegame_id=new.savegame_id,
        base_version=new.base_version,
        device_id=new.device_id,
        comment=new.comment,
        playtime_seconds=new.playtime_seconds,
        content_encoding=entry.content_encoding,
        encryption=entry.encryption,
        raw_sha256=entry.raw_sha256,
        raw_size_bytes=entry.raw_size_bytes,
        conflict_policy=new.conflict_policy,
        confirm_removals=new.confirm_removals,
    )
