"""What cloud saves need of the object store: signed URLs, and objects made and verified outside of any transaction."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

from asyncpg import ReadOnlySQLTransactionError
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.transaction import Transactions
from gameshelf.kernel.database import Connection
from gameshelf.kernel.errors import PermissionDenied
from gameshelf.library import AccessQueries
from gameshelf.savegames import (
    Attempt,
    Digest,
    Downloadable,
    ObjectSigner,
    ObjectStore,
    OpenUpload,
    Reservation,
    SavegameUploadIncomplete,
    SavegameUploads,
    SignedRequest,
    StoreUnavailable,
    UploadQueries,
)

_AT_ONCE = 8
"""How many objects are verified side by side: each may be a large one that is read to its end."""
_PATIENCE_SECONDS = 5.0


class NotTried(StoreUnavailable):
    """The store was not even asked."""


class Bucket(ObjectSigner, ObjectStore, Protocol):
    """An object store that was opened."""

    async def close(self) -> None:
        """Closes it."""
        ...


@dataclass(frozen=True, slots=True)
class Verified:
    """What the store said of an upload; both None where there was nothing to make."""

    attempt: Attempt | None = None
    digest: Digest | None = None


@dataclass(frozen=True, slots=True)
class Resumable:
    """An upload of a user, and whether a URL for it may be signed: whether they may play its game now."""

    upload: OpenUpload
    may_play: bool


async def resumable(connection: Connection, user_id: UUID, upload_id: UUID, saves: "Saves", now: datetime) -> Resumable:
    """An upload; one that is open can be confirmed as long as if it had been asked for now.

    This is a read that writes, because the contract (section 3.6) promises both a fresh URL here and that an upload can
    be confirmed until an hour after its URL's end. It only ever moves that end on. Where PostgreSQL takes no writes,
    the upload is shown without a URL.

    Raises SavegameVersionNotFound.
    """
    queries = UploadQueries(connection)
    upload = await queries.upload(user_id, upload_id, now)
    if not upload.is_required:
        return Resumable(upload, False)
    try:
        await AccessQueries(connection).require(user_id, upload.product_id)
    except PermissionDenied:
        return Resumable(upload, False)
    try:
        until = await queries.extend(user_id, upload_id, saves.url_ttl_seconds, now)
    except ReadOnlySQLTransactionError:
        return Resumable(upload, False)
    return Resumable(replace(upload, expires_at=max(until, upload.expires_at)), True)


class Saves:
    """Signs, and makes objects. ``objects`` is None where no store is set: then everything here is unavailable."""

    def __init__(
        self,
        objects: Bucket | None,
        transactions: Transactions,
        metrics: Metrics,
        url_ttl_seconds: int,
        quota_bytes: int,
    ) -> None:
        self._objects = objects
        self._transactions = transactions
        self._metrics = metrics
        self.url_ttl_seconds = url_ttl_seconds
        self.quota_bytes = quota_bytes
        """What a user may take, unless support has set another limit."""
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._failures = 0

    @property
    def has_store(self) -> bool:
        """Whether a store is set."""
        return self._objects is not None

    @property
    def objects(self) -> Bucket:
        """The bucket. Raises StoreUnavailable where there is none."""
        if self._objects is None:
            raise NotTried("no object store is set")
        return self._objects

    async def sign_upload(self, leave: Reservation) -> SignedRequest | None:
        """The request that uploads the bytes; None where nothing has to be uploaded. Raises StoreUnavailable."""
        if not leave.is_required:
            return None
        return await self.objects.sign_upload(leave.key, leave.size, self.url_ttl_seconds)

    async def resume(self, upload: OpenUpload, *, may_play: bool) -> tuple[bool, SignedRequest | None]:
        """Whether the bytes of an open upload have arrived, and the request that uploads them where they have not; None
        also for who may not play the game now. Raises StoreUnavailable.
        """
        if not upload.is_required:
            return True, None
        if await self.objects.describe(upload.key) is not None:
            return True, None
        signed = await self.objects.sign_upload(upload.key, upload.size, self.url_ttl_seconds) if may_play else None
        return False, signed

    async def sign_download(self, found: Downloadable) -> SignedRequest:
        """The request that downloads a version. Raises StoreUnavailable."""
        version = found.version
        signed = await self.objects.sign_download(found.key, self.url_ttl_seconds, f"{version.slot_name}.sav")
        self._metrics.savegame_syncs.labels("download", "signed").inc()
        self._metrics.savegame_sync_bytes.labels("download").inc(version.size)
        return signed

    async def verify(self, user_id: UUID, upload_id: UUID) -> Verified:
        """Makes the object of an upload, and looks at it. What becomes of it is decided in a transaction of its own.

        Raises SavegameVersionNotFound, SavegameUploadIncomplete, StoreUnavailable.
        """
        async with self._transactions.begin(user_id) as transaction:
            attempt = await transaction.of(SavegameUploads).begin(user_id, upload_id)
            if attempt is None:
                transaction.discard()
                return Verified()
        try:
            async with self._place():
                if await self.objects.copy(attempt.source, attempt.target, attempt.metadata, attempt.size):
                    digest = await self.objects.digest(attempt.target, attempt.size, attempt.packing)
                    return Verified(attempt, digest)
        except NotTried:
            await self._give_up(user_id, attempt)
            raise
        await self._give_up(user_id, attempt)
        raise SavegameUploadIncomplete

    async def _give_up(self, user_id: UUID, attempt: Attempt) -> None:
        """Only of what was surely not made: a store that did not answer may make it still."""
        async with self._transactions.begin(user_id) as transaction:
            await transaction.of(SavegameUploads).give_up(user_id, attempt)
            transaction.discard()

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        """Waits for a place among those that are verified, but not for long: who waits can ask again.

        Nobody waits on when the store turns out to be away: each of them would find that out once more, one after the
        other. Raises NotTried.
        """
        failures = self._failures
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._places.acquire()
        except TimeoutError:
            raise NotTried("too many objects are verified already") from None
        try:
            if self._failures != failures:
                raise NotTried("the store did not answer others")
            yield
        except NotTried:
            raise
        except StoreUnavailable:
            self._failures += 1
            raise
        finally:
            self._places.release()
