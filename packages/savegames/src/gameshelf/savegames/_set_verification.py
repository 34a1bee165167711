"""Verifies the files of a set that a client has uploaded, outside of any transaction.

An upload of a set may need minutes, and its client waits for seconds only. So the work continues in the process after
the client was answered, and the client's next request joins it. Another process may do the same work at the same time:
the objects that both make have keys of their own.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from gameshelf.savegames._multipart_layout import part_sizes
from gameshelf.savegames._ports import Digest, ObjectStore, Packing
from gameshelf.savegames._verification_places import NotTried, VerificationPlaces

_log = logging.getLogger(__name__)

VERIFY_BATCH = 64
"""How many files a transaction notes and hands out."""
VERIFY_AT_ONCE = 8
"""How many files a process verifies at a time."""
MAX_RUNNING = 64
"""How many sets a process verifies at a time; each one waits for places."""
MAX_RUNNING_OF_USER = 4
"""How many of them may be one user's."""


class FileProblem(StrEnum):
    """Why a file of a set was not verified."""

    MISSING = "missing"
    """Its bytes, or some of its parts, were not uploaded."""
    SHA256 = "sha256"
    SIZE = "size"
    RAW = "raw"
    """The unpacked bytes are others than announced, or the packed ones are invalid."""


@dataclass(frozen=True, slots=True)
class FileAttempt:
    """One file of a set to verify: the object that has to be made of the uploaded bytes."""

    sha256: bytes
    size: int
    content_id: UUID
    source: str | None
    """The key of the uploaded bytes; None: ``target`` is there, and only its unpacked bytes have to be verified."""
    target: str
    metadata: Mapping[str, str]
    multipart_id: str | None = None
    """The multipart upload by which the bytes come to ``source``; None: by one request."""
    packing: Packing | None = None
    raw_sha256: bytes | None = None
    raw_size: int | None = None
    """None: any size that the packing allows."""


@dataclass(frozen=True, slots=True)
class FileResult:
    """The result of an attempt."""

    attempt: FileAttempt
    digest: Digest | None
    """None: there is no object."""
    problem: FileProblem | None
    """None: the object has exactly the announced bytes."""


@dataclass(frozen=True, slots=True)
class FilesToVerify:
    """The next files of an upload, and how many of all its files are verified."""

    attempts: Sequence[FileAttempt]
    """Sorted by ``sha256``."""
    verified: int | None
    """None: they were not counted; they are those of the call before, and those that were verified since."""
    total: int | None


@dataclass(frozen=True, slots=True)
class VerificationProgress:
    """How far the verification of an upload is."""

    is_complete: bool
    """Whether nothing is left to try; the upload's own rows say what was verified."""
    verified: int
    total: int


class TakeFiles(Protocol):
    """Notes results, and hands out the next files of an upload, in a transaction of its own."""

    async def __call__(self, done: Sequence[FileResult], after: bytes, limit: int) -> FilesToVerify:
        """Hands out at most ``limit`` files that are not verified and whose ``sha256`` is above ``after``."""
        ...


async def verify_file(objects: ObjectStore, attempt: FileAttempt) -> FileResult:
    """Makes the object of a file, and verifies it. Raises StoreUnavailable; the object may exist then."""
    if attempt.source is not None:
        has_parts = attempt.multipart_id is None or await join_parts(
            objects, attempt.source, attempt.size, attempt.multipart_id
        )
        if not has_parts or not await objects.copy(attempt.source, attempt.target, attempt.metadata, attempt.size):
            return FileResult(attempt, None, FileProblem.MISSING)
    digest = await objects.digest(attempt.target, attempt.size, attempt.packing)
    return FileResult(attempt, digest, _problem(attempt, digest))


async def join_parts(objects: ObjectStore, source: str, size: int, multipart_id: str) -> bool:
    """Makes the uploaded object of its parts. False if a part has not arrived. Raises StoreUnavailable."""
    arrived = await objects.parts(source, multipart_id)
    if arrived is None:
        return True  # an attempt before this one has joined them, or the store has dropped them: the copy finds out
    if [part.size for part in arrived] != [*part_sizes(size)]:
        # A store that died while it joined them has the object, and may have deleted some of the parts.
        return await objects.describe(source) is not None
    return await objects.complete_parts(source, multipart_id, arrived)


def _problem(attempt: FileAttempt, digest: Digest | None) -> FileProblem | None:
    if digest is None:
        return FileProblem.MISSING
    if digest.size != attempt.size:
        return FileProblem.SIZE
    if digest.sha256 != attempt.sha256:
        return FileProblem.SHA256
    if attempt.packing is None:
        return None
    is_raw = digest.raw_sha256 == attempt.raw_sha256 and attempt.raw_size in (None, digest.raw_size)
    return None if is_raw else FileProblem.RAW


class SetVerification:
    """Verifies sets in this process. Call ``close`` at its end."""

    def __init__(
        self,
        verify: Callable[[FileAttempt], Awaitable[FileResult]],
        *,
        at_once: int = VERIFY_AT_ONCE,
        most: int = MAX_RUNNING,
    ) -> None:
        """``verify`` is ``verify_file`` of the process's store."""
        self._verify = verify
        self._at_once = at_once
        self._most = most
        self._places = VerificationPlaces(at_once)
        self._running: dict[tuple[UUID, UUID], _Running] = {}

    async def verify(self, user_id: UUID, upload_id: UUID, take: TakeFiles, seconds: float) -> VerificationProgress:
        """Verifies the files of an upload, and waits for it at most ``seconds`` after the first of them are known.

        What was begun continues afterwards, and the next call for the same upload waits for it; so ``take`` must not
        depend on the request. Raises what ``take`` raises; NotTried if too many sets are being verified;
        StoreUnavailable, once the results so far are noted.
        """
        running = self._running.get((user_id, upload_id)) or self._start(user_id, upload_id, take)
        await running.is_counted.wait()
        await asyncio.wait([running.task], timeout=seconds)
        if not running.task.done():
            return running.progress
        if running.task.cancelled():
            raise NotTried("the process stops")
        running.task.result()
        return running.progress

    async def close(self) -> None:
        """Stops. What is verified is noted, except for the files in work; the next request tries those again."""
        tasks = [running.task for running in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, user_id: UUID, upload_id: UUID, take: TakeFiles) -> "_Running":
        of_user = sum(user == user_id for user, _ in self._running)
        if len(self._running) >= self._most or of_user >= MAX_RUNNING_OF_USER:
            raise NotTried("too many sets are being verified")
        running = self._running[user_id, upload_id] = _Running()

        def end(task: asyncio.Task[None]) -> None:
            del self._running[user_id, upload_id]
            running.is_counted.set()
            if not task.cancelled():
                task.exception()  # nobody may wait for it any more, and it is logged already

        running.task = asyncio.create_task(self._run(take, running))
        running.task.add_done_callback(end)  # also of a task that is cancelled before it begins
        return running

    async def _run(self, take: TakeFiles, running: "_Running") -> None:
        try:
            await self._verify_all(take, running)
        except Exception as error:
            if running.is_counted.is_set():  # else the client itself gets the error
                _log.warning("a set was not verified completely: %s", error)
            raise

    async def _verify_all(self, take: TakeFiles, running: "_Running") -> None:
        results: list[FileResult] = []
        after = b""
        while True:
            files = await take(results, after, VERIFY_BATCH)
            running.count(files, results, is_complete=not files.attempts)
            if not files.attempts:
                return
            results, after = [], files.attempts[-1].sha256
            try:
                await self._verify_batch(files.attempts, results)
            except BaseException:
                if results:
                    running.count(await take(results, after, 0), results)
                raise

    async def _verify_batch(self, attempts: Sequence[FileAttempt], results: list[FileResult]) -> None:
        """Adds a result for each attempt. After a failure no other file is begun, and those in work are finished."""
        remaining = iter(attempts)
        failures: list[Exception] = []

        async def verify_remaining() -> None:
            for attempt in remaining:
                if failures:
                    return
                try:
                    async with self._places.take():
                        results.append(await self._verify(attempt))
                except Exception as error:
                    failures.append(error)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._at_once, len(attempts))):
                group.create_task(verify_remaining())
        if failures:
            raise failures[0]


@dataclass(slots=True)
class _Running:
    """A verification in work."""

    progress: VerificationProgress = VerificationProgress(False, 0, 0)
    is_counted: asyncio.Event = field(default_factory=asyncio.Event)
    task: "asyncio.Task[None]" = field(init=False)

    def count(self, files: FilesToVerify, done: Sequence[FileResult], *, is_complete: bool = False) -> None:
        verified, total = files.verified, files.total
        if verified is None or total is None:
            verified = self.progress.verified + sum(not one.problem for one in done)
            total = self.progress.total
        self.progress = VerificationProgress(is_complete, verified, total)
        self.is_counted.set()
