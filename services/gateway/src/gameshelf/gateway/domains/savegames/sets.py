"""Sets of files between two transactions: their commits are verified, and their requests are signed.

``SetCommits`` verifies what clients have uploaded; ``SetSigner`` signs the requests that send what is missing, and the
downloads. Neither holds a connection while it waits for the store.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol
from uuid import UUID

from gameshelf.gateway.domains.savegames.metrics import SavegameMetrics
from gameshelf.gateway.domains.savegames.use_cases import DownloadObject, Saves, Verified
from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.transaction import Transaction, Transactions
from gameshelf.kernel.database import Connection
from gameshelf.savegames import (
    INCOMING,
    MAX_URLS,
    FileAttempt,
    FileResult,
    FilesToVerify,
    MissingFile,
    NotTried,
    SavegameVersionNotFound,
    SetVerification,
    SignedFile,
    UploadQueries,
    find_arrived_files,
    incoming_prefix,
    join_parts,
    sign_missing_files,
    verify_file,
)

COMMIT_SECONDS = 15.0
"""How long a request waits for its verification; after 20 s it has to be answered (contract, section 3.6)."""
_KEEP_SECONDS = 60.0
"""How long the result for a single file is kept for a client that has to ask again."""
MAX_DOWNLOADS = 100
"""How many downloads are signed at a time."""


@dataclass(frozen=True, slots=True)
class VerifiedUpload:
    """An upload whose files were all tried; a later transaction decides its result."""

    single: Verified | None
    """What was verified of a single file; None: the upload is a set, and its rows have the results."""


@dataclass(frozen=True, slots=True)
class VerifyingUpload:
    """The verification continues. The client has to ask again."""

    verified: int
    total: int


class AwaitedFiles(Protocol):
    """The part of the service of sets that the verification needs."""

    async def begin(
        self, user_id: UUID, upload_id: UUID, done: Sequence[FileResult], after: bytes, limit: int
    ) -> FilesToVerify | None:
        """Notes results, and hands out the next files of an upload of a set; None for a single file."""
        ...


class SetCommits:
    """Verifies uploads before their commit. One process has one; call ``close`` before the pool closes."""

    def __init__(
        self,
        saves: Saves,
        transactions: Transactions,
        acquire: Acquire,
        metrics: SavegameMetrics,
        sets_of: Callable[[Transaction], AwaitedFiles],
        seconds: float = COMMIT_SECONDS,
    ) -> None:
        self._saves = saves
        self._transactions = transactions
        self._acquire = acquire
        self._metrics = metrics
        self._sets_of = sets_of
        self._seconds = seconds
        self._verification = SetVerification(self._verify)
        self._singles: dict[tuple[UUID, UUID], asyncio.Task[Verified]] = {}
        """Verifications of single files by their users and uploads, and results that no request has fetched yet."""

    async def verify(self, user_id: UUID, upload_id: UUID) -> VerifiedUpload | VerifyingUpload:
        """Verifies the files of an upload of either kind, and waits for it a while. What was begun continues after the
        response, and the next call for the same upload joins it.

        Raises SavegameVersionNotFound, SavegameUploadIncomplete for a single file, StoreUnavailable.
        """
        async with self._acquire() as connection:
            parts = await UploadQueries(connection).parts_of_single(user_id, upload_id)
        if parts is not None:
            return await self._verify_single(user_id, upload_id, parts)
        progress = await self._verification.verify(
            user_id, upload_id, partial(self._take, user_id, upload_id), self._seconds
        )
        return VerifiedUpload(None) if progress.is_complete else VerifyingUpload(progress.verified, progress.total)

    async def close(self) -> None:
        """Stops the verifications. What is verified of sets is noted."""
        tasks = [*self._singles.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._verification.close()

    async def _verify_single(
        self, user_id: UUID, upload_id: UUID, parts: Sequence[MissingFile]
    ) -> VerifiedUpload | VerifyingUpload:
        """Verifies a single file, as a task of the process: one that takes longer than a request waits would otherwise
        start from scratch with each request, and never end.
        """
        about = (user_id, upload_id)
        task = self._singles.get(about)
        if task is None:
            task = self._singles[about] = asyncio.create_task(self._join_and_verify(user_id, upload_id, parts))
            task.add_done_callback(partial(self._keep_a_while, about))
        await asyncio.wait([task], timeout=self._seconds)
        if not task.done():
            return VerifyingUpload(0, 1)
        self._forget(about, task)
        if task.cancelled():
            raise NotTried("the process stops")
        return VerifiedUpload(task.result())

    async def _join_and_verify(self, user_id: UUID, upload_id: UUID, parts: Sequence[MissingFile]) -> Verified:
        for file in parts:
            if file.multipart_id is not None:
                await join_parts(self._saves.objects, file.key, file.size, file.multipart_id)
        return await self._saves.verify(user_id, upload_id)

    def _keep_a_while(self, about: tuple[UUID, UUID], task: "asyncio.Task[Verified]") -> None:
        """Keeps a result for the client that was asked to come again; an error only for those who wait now."""
        if task.cancelled() or task.exception():
            self._forget(about, task)
        else:
            asyncio.get_running_loop().call_later(_KEEP_SECONDS, self._forget, about, task)

    def _forget(self, about: tuple[UUID, UUID], task: "asyncio.Task[Verified]") -> None:
        if self._singles.get(about) is task:
            del self._singles[about]

    async def _take(
        self, user_id: UUID, upload_id: UUID, done: Sequence[FileResult], after: bytes, limit: int
    ) -> FilesToVerify:
        async def begin(transaction: Transaction) -> FilesToVerify:
            found = await self._sets_of(transaction).begin(user_id, upload_id, done, after, limit)
            transaction.discard()  # nothing that the user sees has changed
            if found is None:
                raise SavegameVersionNotFound
            return found

        return await self._transactions.run(user_id, begin)

    async def _verify(self, attempt: FileAttempt) -> FileResult:
        with self._metrics.verifications.track_inprogress(), self._metrics.verify_seconds.time():
            return await verify_file(self._saves.objects, attempt)


class SigningRows(Protocol):
    """The rows of an upload, as far as signing changes them."""

    async def keep_multipart(
        self, user_id: UUID, upload_id: UUID, sha256: bytes, old: str | None, new: str
    ) -> str | None:
        """Stores a new multipart upload of a file in place of ``old``, unless another one was stored since; returns the
        one that is stored, or None if the file is not awaited any more.
        """
        ...

    async def set_arrived(self, user_id: UUID, upload_id: UUID, through: bytes) -> None:
        """Stores that every file up to this hash has arrived; a lower one than the stored one changes nothing."""
        ...


@dataclass(frozen=True, slots=True)
class SignedSet:
    """What an upload still lacks, and the requests that send the first of it."""

    files: Sequence[SignedFile]
    missing_bytes: int
    """Of all files that have not arrived."""
    missing_count: int
    seconds: int
    """Validity of the requests."""


class SetSigner:
    """Signs the requests of sets. Every call signs at most 100 of them."""

    def __init__(
        self,
        saves: Saves,
        acquire: Acquire,
        rows_of: Callable[[Connection], SigningRows],
        metrics: SavegameMetrics,
    ) -> None:
        self._saves = saves
        self._acquire = acquire
        self._rows_of = rows_of
        self._metrics = metrics

    async def sign_uploads(
        self, user_id: UUID, upload_id: UUID, missing: Sequence[MissingFile], arrived_through: bytes, *, may_play: bool
    ) -> SignedSet:
        """Finds out what has arrived of an upload, and signs requests for the first of what has not, in the order of
        the hashes. Without ``may_play`` nothing is signed, and these files have no request.

        Raises StoreUnavailable.
        """
        objects, seconds = self._saves.objects, self._saves.url_ttl_seconds
        if not missing:
            return SignedSet((), 0, 0, seconds)
        # A single file in parts has the key of any single file.
        prefix = incoming_prefix(upload_id) if missing[0].key.startswith(INCOMING) else missing[0].key
        arrival = await find_arrived_files(objects, prefix, missing, arrived_through)
        if arrival.through > arrived_through:
            async with self._acquire() as connection:
                await self._rows_of(connection).set_arrived(user_id, upload_id, arrival.through)
        waiting = [
            file
            for file in missing
            if file.sha256 not in arrival.arrived and (file.is_rejected or file.sha256 > arrived_through)
        ]
        if not may_play:
            unsigned = [SignedFile(file, None) for file in waiting[:MAX_URLS]]
            return SignedSet(unsigned, sum(file.size for file in waiting), len(waiting), seconds)
        requests = await sign_missing_files(objects, waiting, seconds, partial(self._keep, user_id, upload_id))
        left = [file for file in waiting if file.sha256 not in requests.arrived]
        missing_bytes = sum(file.size for file in left) - requests.arrived_bytes
        return SignedSet(requests.files, missing_bytes, len(left), seconds)

    async def sign_downloads(self, found: Iterable[DownloadObject]) -> Mapping[bytes, str]:
        """Returns URLs for the first hundred of these contents, by their hashes.

        Raises StoreUnavailable.
        """
        objects, seconds = self._saves.objects, self._saves.url_ttl_seconds
        chosen = list({one.sha256: one for one in found}.values())[:MAX_DOWNLOADS]
        signed = await asyncio.gather(*(objects.sign_download(one.key, seconds, one.file_name) for one in chosen))
        if chosen:
            self._metrics.syncs.labels("download", "signed").inc()
            self._metrics.sync_bytes.labels("download").inc(sum(one.size for one in chosen))
        return {one.sha256: request.url for one, request in zip(chosen, signed, strict=True)}

    async def _keep(self, user_id: UUID, upload_id: UUID, file: MissingFile, multipart_id: str) -> str | None:
        async with self._acquire() as connection:
            rows = self._rows_of(connection)
            return await rows.keep_multipart(user_id, upload_id, file.sha256, file.multipart_id, multipart_id)
