"""Use cases of cloud saves that need more than one call of the package; REST, gRPC and support share them.

``Saves`` signs URLs, and makes and verifies objects outside of any transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from asyncpg import ReadOnlySQLTransactionError
from gameshelf.gateway.domains.savegames.metrics import SavegameMetrics
from gameshelf.gateway.runtime.transaction import Transaction, Transactions
from gameshelf.kernel.database import Connection
from gameshelf.kernel.errors import DomainError, PermissionDenied
from gameshelf.kernel.paging import Page, Slice
from gameshelf.library import AccessQueries
from gameshelf.savegames import (
    Attempt,
    ConflictNotFound,
    Digest,
    Downloadable,
    DownloadSet,
    FileProblem,
    IncompleteSet,
    MissingFile,
    NewUpload,
    NotTried,
    ObjectSigner,
    ObjectStore,
    OpenConflict,
    OpenUpload,
    OutdatedDecision,
    Reservation,
    Resolve,
    Resolved,
    SaveFile,
    SavegameConflicts,
    SavegameHashMismatch,
    SavegameIsASet,
    SavegameQueries,
    SavegameSetQueries,
    SavegameSets,
    SavegameSlotNotFound,
    SavegameUploadIncomplete,
    SavegameUploads,
    SavegameVersionConflict,
    SavegameVersionNotFound,
    SaveVersion,
    SetDownload,
    SetReservation,
    SignedRequest,
    UploadOutcome,
    UploadQueries,
    UploadResult,
    UploadStatus,
    VerificationPlaces,
)

_AT_ONCE = 8
"""How many objects are verified concurrently: each one may be large, and is read completely."""
_PATIENCE_SECONDS = 5.0
_REASONS: Mapping[FileProblem, str] = {
    FileProblem.SHA256: "sha256",
    FileProblem.SIZE: "size",
    FileProblem.RAW: "raw_sha256",
}


class Bucket(ObjectSigner, ObjectStore, Protocol):
    """An opened object store."""

    async def close(self) -> None:
        """Closes it."""
        ...


@dataclass(frozen=True, slots=True)
class Verified:
    """The store's results for an upload; both are None if there was no object to make."""

    attempt: Attempt | None = None
    digest: Digest | None = None


@dataclass(frozen=True, slots=True)
class Resumable:
    """An upload of a user, and whether the user may play its game now, so that a URL may be signed."""

    upload: OpenUpload
    may_play: bool
    missing: Sequence[MissingFile] = ()
    """The files that have to be sent of a set, or of a file in parts."""
    arrived_through: bytes = b""

    @property
    def is_plain(self) -> bool:
        """Whether the upload is one file that is sent by one request."""
        return not self.upload.is_set and all(not file.part_sha256 for file in self.missing)


@dataclass(frozen=True, slots=True)
class SignedUpload:
    """A reserved upload, and the request that sends its bytes."""

    reservation: Reservation
    request: SignedRequest | None
    """None if nothing has to be sent, or if the upload is over."""
    seconds: int
    """Validity of the URL in seconds."""


@dataclass(frozen=True, slots=True)
class SignedDownload:
    """A version, and the request that downloads it."""

    version: SaveVersion
    request: SignedRequest


@dataclass(frozen=True, slots=True)
class DownloadObject:
    """A content of a set to download."""

    sha256: bytes
    key: str
    size: int
    file_name: str
    """The name that a browser stores it under: that of a file that has it."""


@dataclass(frozen=True, slots=True)
class ConfirmedUpload:
    """The result of an upload, and the version that the response describes."""

    outcome: UploadOutcome
    version: SaveVersion


@dataclass(frozen=True, slots=True)
class RejectedUpload:
    """An upload that became no version, or not the head. This is a result, which must be committed."""

    outcome: UploadOutcome
    refusal: DomainError
    """Its ``meta`` names both sides of a conflict by their numbers."""


@dataclass(frozen=True, slots=True)
class IncompleteUpload:
    """A set of which files are missing, or others than announced. This is a result, which must be committed."""

    refusal: DomainError


@dataclass(frozen=True, slots=True)
class ResolvedConflict:
    """The resolution of a conflict, and the head of its save afterwards."""

    resolved: Resolved
    head: SaveVersion


async def reserve_upload(transaction: Transaction, new: NewUpload, saves: "Saves", now: datetime) -> SignedUpload:
    """Reserves quota for an upload of the transaction's user, and signs its URL. ``now`` is that of its opening.

    Raises the errors of ``SavegameUploads.request``, StoreUnavailable.
    """
    reservation = await transaction.of(SavegameUploads).request(transaction.user_id, new, now)
    return SignedUpload(reservation, await saves.sign_upload(reservation), saves.url_ttl_seconds)


async def renew_upload(transaction: Transaction, upload_id: UUID, saves: "Saves") -> SignedUpload:
    """Returns a reserved upload with a fresh URL. An upload that is over has no URL: nothing is left to send, or the
    client has to request another upload. Raises StoreUnavailable.
    """
    user_id = transaction.user_id
    reservation = await transaction.of(SavegameUploads).renew(user_id, upload_id)
    if reservation is not None:
        return SignedUpload(reservation, await saves.sign_upload(reservation), saves.url_ttl_seconds)
    try:
        found = await UploadQueries(transaction.connection).upload(user_id, upload_id, transaction.clock())
    except SavegameVersionNotFound:
        is_committed = False
    else:
        is_committed = found.status is UploadStatus.COMMITTED
    return SignedUpload(Reservation(upload_id, "", 0, not is_committed, False), None, 0)


async def confirm_upload(
    transaction: Transaction, upload_id: UUID, verified: Verified
) -> ConfirmedUpload | RejectedUpload:
    """Decides the result of an upload whose object ``Saves.verify`` has made. A repetition returns the same result.

    Raises the errors of ``SavegameUploads.finish_confirmation``.
    """
    user_id = transaction.user_id
    outcome = await transaction.of(SavegameUploads).finish_confirmation(
        user_id, upload_id, verified.attempt, verified.digest
    )
    return await _described(transaction, outcome)


async def finish_upload(
    transaction: Transaction, upload_id: UUID, single: Verified | None
) -> ConfirmedUpload | RejectedUpload | IncompleteUpload:
    """Decides the result of an upload of either kind, after `SetCommits.verify`; ``single`` is what it has verified of
    a single file. A repetition returns the same result.

    Raises the errors of ``SavegameSets.finish`` and ``SavegameUploads.finish_confirmation``.
    """
    if single is not None:
        return await confirm_upload(transaction, upload_id, single)
    outcome = await transaction.of(SavegameSets).finish(transaction.user_id, upload_id)
    if isinstance(outcome, IncompleteSet):
        return IncompleteUpload(_incomplete(outcome))
    return await _described(transaction, outcome)


async def renew_set(transaction: Transaction, upload_id: UUID) -> SetReservation | OpenUpload:
    """Returns a reserved upload of files, extended; if it is over, its state.

    Raises SavegameVersionNotFound for an upload that is forgotten.
    """
    user_id = transaction.user_id
    reservation = await transaction.of(SavegameSets).renew(user_id, upload_id)
    if reservation is not None:
        return reservation
    return await UploadQueries(transaction.connection).upload(user_id, upload_id, transaction.clock())


def _incomplete(found: IncompleteSet) -> DomainError:
    meta: dict[str, Any] = {
        "missing": [{"sha256": one.sha256.hex(), "path": one.path or None} for one in found.missing],
        "missing_count": found.missing_count,
        "mismatched": [
            {"sha256": one.sha256.hex(), "path": one.path or None, "reason": _REASONS[one.problem]}
            for one in found.mismatched
        ],
        "mismatched_count": found.mismatched_count,
    }
    return SavegameHashMismatch(**meta) if found.mismatched_count else SavegameUploadIncomplete(**meta)


async def _described(transaction: Transaction, outcome: UploadOutcome) -> ConfirmedUpload | RejectedUpload:
    """Returns a result with what a response shows of it."""
    user_id = transaction.user_id
    if outcome.result is UploadResult.MISMATCH:
        return RejectedUpload(outcome, SavegameHashMismatch())
    if outcome.result is UploadResult.CONFLICT:
        refusal = SavegameVersionConflict(
            conflict_id=outcome.conflict_id,
            savegame_id=outcome.slot_id,
            head_version=outcome.head_version,
            branch_version=outcome.branch_version,
        )
        return RejectedUpload(outcome, refusal)
    version = await SavegameQueries(transaction.connection).version(user_id, outcome.slot_id, outcome.version)
    if version is None:
        raise SavegameVersionNotFound
    return ConfirmedUpload(outcome, version)


async def resolve_conflict(
    transaction: Transaction, conflict_id: UUID, choice: Resolve
) -> ResolvedConflict | OpenConflict:
    """Resolves a conflict. If a side has changed since the player decided, returns the current conflict, and the player
    has to decide again. Both results must be committed.

    Raises the errors of ``SavegameConflicts.resolve``.
    """
    user_id, queries = transaction.user_id, SavegameQueries(transaction.connection)
    done = await transaction.of(SavegameConflicts).resolve(user_id, conflict_id, choice)
    if isinstance(done, OutdatedDecision):
        conflict = await queries.conflict(user_id, conflict_id)
        if conflict is None:
            raise ConflictNotFound
        return conflict
    head = await queries.save(user_id, done.slot_id)
    if head is None:
        raise SavegameSlotNotFound
    return ResolvedConflict(done, head)


async def request_download(
    connection: Connection, user_id: UUID, slot_id: UUID, version: int | None, saves: "Saves"
) -> SignedDownload:
    """Signs the URL of the head, or of a version, for users who may play its product.

    Raises SavegameSlotNotFound, SavegameVersionNotFound, PermissionDenied, StoreUnavailable.
    """
    found = await SavegameQueries(connection).download(user_id, slot_id, version)
    if found is None:
        raise await _absent(connection, user_id, slot_id)
    if found.version.file_count is not None:
        raise SavegameIsASet(file_count=found.version.file_count)
    await AccessQueries(connection).require(user_id, found.version.product_id)
    return SignedDownload(found.version, await saves.sign_download(found))


async def list_files(connection: Connection, user_id: UUID, slot_id: UUID, version: int, page: Page) -> Slice[SaveFile]:
    """Returns a page of the files of a version. Raises SavegameSlotNotFound, SavegameVersionNotFound."""
    found = await SavegameSetQueries(connection).files(user_id, slot_id, version, page)
    if found is None:
        raise await _absent(connection, user_id, slot_id)
    return found


async def find_download(connection: Connection, user_id: UUID, slot_id: UUID, wanted: DownloadSet) -> SetDownload:
    """Returns the files of a version and the keys of what a device lacks, for users who may play its product.

    Raises SavegameSlotNotFound, SavegameVersionNotFound, PermissionDenied.
    """
    found = await SavegameSetQueries(connection).download(user_id, slot_id, wanted)
    if found is None:
        raise await _absent(connection, user_id, slot_id)
    await AccessQueries(connection).require(user_id, found.version.product_id)
    return found


def objects_of(found: SetDownload) -> list[DownloadObject]:
    """Returns the objects of a download that have a key."""
    files = {file.sha256: file for file in reversed(found.files)}
    single = f"{found.version.slot_name}.sav"
    return [
        DownloadObject(content, key, files[content].size, files[content].path.rpartition("/")[2] or single)
        for content, key in found.keys.items()
    ]


async def _absent(connection: Connection, user_id: UUID, slot_id: UUID) -> DomainError:
    there = await SavegameQueries(connection).save(user_id, slot_id)
    return SavegameVersionNotFound() if there else SavegameSlotNotFound()


async def resumable(connection: Connection, user_id: UUID, upload_id: UUID, saves: "Saves", now: datetime) -> Resumable:
    """Returns an upload; the time until which an open one can be confirmed starts again.

    This is a read that writes: the contract (section 3.6) promises both a fresh URL here and that an upload can be
    confirmed until an hour after its URL expires. The write only extends that time. If PostgreSQL accepts no writes,
    the upload is shown without a URL.

    Raises SavegameVersionNotFound.
    """
    queries = UploadQueries(connection)
    upload = await queries.upload(user_id, upload_id, now)
    if not upload.is_required:
        return Resumable(upload, False)
    missing = await queries.missing_files(user_id, upload)
    try:
        await AccessQueries(connection).require(user_id, upload.product_id)
        until = await queries.extend(user_id, upload_id, saves.url_ttl_seconds, now)
    except (PermissionDenied, ReadOnlySQLTransactionError):
        return Resumable(upload, False, missing, upload.arrived_through)
    upload = replace(upload, expires_at=max(until, upload.expires_at))
    return Resumable(upload, True, missing, upload.arrived_through)


class Saves:
    """Signs URLs, and makes objects. Without a configured store ``objects`` is None, and everything is unavailable."""

    def __init__(
        self,
        objects: Bucket | None,
        transactions: Transactions,
        metrics: SavegameMetrics,
        url_ttl_seconds: int,
        quota_bytes: int,
    ) -> None:
        self._objects = objects
        self._transactions = transactions
        self._metrics = metrics
        self.url_ttl_seconds = url_ttl_seconds
        self.quota_bytes = quota_bytes
        """The default quota of a user; support may set another limit."""
        self._places = VerificationPlaces(_AT_ONCE)

    @property
    def has_store(self) -> bool:
        """Whether a store is configured."""
        return self._objects is not None

    @property
    def objects(self) -> Bucket:
        """The bucket. Raises StoreUnavailable if there is none."""
        if self._objects is None:
            raise NotTried("no object store is configured")
        return self._objects

    async def sign_upload(self, reservation: Reservation) -> SignedRequest | None:
        """Returns the request that uploads the bytes; None if nothing has to be uploaded. Raises StoreUnavailable."""
        if not reservation.is_required:
            return None
        return await self.objects.sign_upload(reservation.key, reservation.size, self.url_ttl_seconds)

    async def resume(self, upload: OpenUpload, *, may_play: bool) -> tuple[bool, SignedRequest | None]:
        """Returns whether the bytes of an open upload have arrived, and otherwise the request that uploads them; None
        if the user may not play the game now. Raises StoreUnavailable.
        """
        if not upload.is_required:
            return True, None
        if await self.objects.describe(upload.key) is not None:
            return True, None
        signed = await self.objects.sign_upload(upload.key, upload.size, self.url_ttl_seconds) if may_play else None
        return False, signed

    async def sign_download(self, found: Downloadable) -> SignedRequest:
        """Returns the request that downloads a version. Raises StoreUnavailable."""
        version = found.version
        signed = await self.objects.sign_download(found.key, self.url_ttl_seconds, f"{version.slot_name}.sav")
        self._metrics.syncs.labels("download", "signed").inc()
        self._metrics.sync_bytes.labels("download").inc(version.size)
        return signed

    async def verify(self, user_id: UUID, upload_id: UUID) -> Verified:
        """Makes the object of an upload, and verifies it. A later transaction decides the result of the upload.

        Raises SavegameVersionNotFound, SavegameUploadIncomplete, StoreUnavailable.
        """

        async def begin(transaction: Transaction) -> Attempt | None:
            begun = await transaction.of(SavegameUploads).begin_confirmation(user_id, upload_id)
            if begun is None:
                transaction.discard()
            return begun

        attempt = await self._transactions.run(user_id, begin)
        if attempt is None:
            return Verified()
        try:
            async with self._places.take(_PATIENCE_SECONDS):
                if await self.objects.copy(attempt.source, attempt.target, attempt.metadata, attempt.size):
                    digest = await self.objects.digest(attempt.target, attempt.size, attempt.packing)
                    return Verified(attempt, digest)
        except NotTried:
            await self._give_up(user_id, attempt)
            raise
        await self._give_up(user_id, attempt)
        raise SavegameUploadIncomplete

    async def _give_up(self, user_id: UUID, attempt: Attempt) -> None:
        """Ends an attempt whose object was certainly not made: a store that did not answer may still make it."""

        async def give_up(transaction: Transaction) -> None:
            await transaction.of(SavegameUploads).abandon_confirmation(user_id, attempt)
            transaction.discard()

        await self._transactions.run(user_id, give_up)
