"""Uploads: bytes are reserved, sent to the object store, and made a version.

Nothing is visible before the commit. An upload that was interrupted is resumed: the service says which contents and
parts have arrived.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar

from gameshelf.client.answers import LibraryAnswer
from gameshelf.client.errors import LibraryError, LibraryUnreachable
from gameshelf.client.retries import retry_after
from gameshelf.client.saves.contents import SaveBytes
from gameshelf.client.saves.store import CountBytes, SignatureRefused
from gameshelf.client.saves.tickets import StoreRequest, Ticket
from gameshelf.client.transport import PauseFor

if TYPE_CHECKING:
    from gameshelf.client.schemas import Savegame

T = TypeVar("T")
R = TypeVar("R", covariant=True)
ShowProgress = Callable[[int, int], None]
"""Is called with the bytes that have been transferred, and with those of all that has to be."""
PARALLEL = 4
"""Requests to the store at the same time."""
MOST_ROUNDS = 5
"""In which contents that were lost or damaged on the way are sent again."""
MOST_IDLE = 3
"""So often may a round bring nothing before an upload or a download is given up for now."""
MOST_IDLE_COMMITS = 30
_LONGEST_PAUSE = 60.0
"""Between two questions whether the contents have been compared; a proxy may ask for days."""
_MOST_BEGUN = 10
"""Uploads that are begun in the place of one that has ended."""


@dataclass(frozen=True, slots=True)
class SaveOutcome:
    """What became of an upload. A conflict is no error: both versions are kept, and the player decides."""

    result: str
    """``head``, ``identical``, ``behind``, ``resolved``, ``deleted`` or ``conflict``."""
    save: "Savegame | None"
    """None for a conflict."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    """What belongs to the result, such as ``conflict_id`` and both sides."""

    @property
    def own_version(self) -> int | None:
        """The version that has these bytes: the base of the next upload. Of a conflict it is this device's side, which
        the next upload extends. None if the save is another one now (``behind``, ``resolved``, ``deleted``): then the
        base is what it was, and what the cloud has is to be downloaded."""
        if self.result == "conflict":
            return int(self.meta["branch"]["attributes"]["version"])
        if self.save is None or self.result not in ("head", "identical"):
            return None
        return self.save["attributes"]["version"]


@dataclass(frozen=True, slots=True)
class CommitDone(Generic[R]):
    """The upload is a version."""

    result: R


@dataclass(frozen=True, slots=True)
class CommitPending:
    """The service compares the contents, and is to be asked again."""

    verified: int
    total: int
    retry_after: float

    @classmethod
    def of(cls, answer: LibraryAnswer[Any]) -> Self:
        """Of a 202."""
        verified, total = (int(answer.meta.get(name) or 0) for name in ("verified_count", "total_count"))
        return cls(verified, total, min(retry_after(answer.headers) or 2.0, _LONGEST_PAUSE))


@dataclass(frozen=True, slots=True)
class CommitLacking:
    """Contents were lost or damaged on the way, or the upload has expired: the service says what it needs."""

    error: Exception
    """What to raise if sending them again does not help."""
    is_gone: bool


class UploadCalls(Protocol[R]):
    """The calls that an upload makes."""

    async def begin(self) -> Ticket:
        """Opens the upload, or answers the open one of the same request."""

    async def again(self, upload_id: str) -> Ticket | None:
        """What it still needs, with requests that are signed afresh. None: it has expired, or was cancelled."""

    async def commit(self, upload_id: str) -> CommitDone[R] | CommitPending | CommitLacking:
        """Makes it a version."""

    async def send(self, request: StoreRequest, content: SaveBytes, count: CountBytes, /) -> None:
        """Sends bytes to the store. Raises SignatureRefused."""


class TransferCounter:
    """Shows how much has been transferred."""

    def __init__(self, total: int, show: ShowProgress | None) -> None:
        self._done, self._total, self._show = 0, total, show

    def count(self, size: int) -> None:
        """Bytes that were transferred, or, below zero, those of a request that has failed."""
        self._done += size
        if self._show is not None:
            self._show(self._done, self._total)


class SaveUpload(Generic[T]):
    """One upload, from its reservation to its version."""

    def __init__(
        self,
        calls: UploadCalls[T],
        find: Callable[[str], SaveBytes],
        *,
        pause: PauseFor,
        parallel: int = PARALLEL,
        on_progress: ShowProgress | None = None,
        before_commit: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """``find`` returns the bytes of a content by its SHA-256. ``before_commit`` may raise to stop the upload."""
        self._calls, self._find, self._pause, self._parallel = calls, find, pause, parallel
        self._on_progress, self._before_commit = on_progress, before_commit
        self._begun = 0

    async def run(self) -> T:
        """Raises what the calls raise, and LibraryUnreachable if it is to be resumed later: by the same upload."""
        ticket = await self._begin()
        counter = TransferCounter(ticket.missing_bytes, self._on_progress)
        counter.count(0)
        for is_last in (*(False,) * (MOST_ROUNDS - 1), True):
            ticket = await self._send_all(ticket, counter)
            if self._before_commit is not None:
                await self._before_commit()
            answer = await self._commit(ticket.id)
            if isinstance(answer, CommitDone):
                return answer.result
            if is_last:
                raise answer.error
            ticket = await self._begin() if answer.is_gone else await self._rest_of(ticket.id)
        raise AssertionError

    async def _begin(self) -> Ticket:
        self._begun += 1
        if self._begun > _MOST_BEGUN:
            raise LibraryUnreachable("the upload ends each time before all of its contents have arrived")
        return await self._calls.begin()

    async def _rest_of(self, upload_id: str) -> Ticket:
        """What is missing of an upload; a new upload if this one has failed or expired."""
        ticket = await self._calls.again(upload_id)
        return ticket if ticket is not None and ticket.status == "open" else await self._begin()

    async def _send_all(self, ticket: Ticket, counter: TransferCounter) -> Ticket:
        idle = 0
        while ticket.missing_count:
            refused = await self._send(ticket.requests, counter)
            if refused is None and ticket.requests and ticket.has_all_requests:
                return ticket
            before = ticket
            ticket = await self._rest_of(before.id)
            idle = idle + 1 if (ticket.id, ticket.state) == (before.id, before.state) else 0
            if idle == MOST_IDLE:
                raise refused or LibraryUnreachable(f"the store: {ticket.missing_count} contents do not arrive")
        return ticket

    async def _send(self, requests: Sequence[StoreRequest], counter: TransferCounter) -> LibraryError | None:
        """Sends contents; returns why the store did not accept a signature, if that happened."""
        places = asyncio.Semaphore(self._parallel)
        refused: list[LibraryError] = []

        async def send(request: StoreRequest) -> None:
            async with places:
                try:
                    await self._calls.send(request, self._find(request.sha256), counter.count)
                except SignatureRefused as error:  # the next answer of the service has a fresh one
                    refused.append(error.reason)

        await gather_or_cancel([send(request) for request in requests])
        return refused[0] if refused else None

    async def _commit(self, upload_id: str) -> CommitDone[T] | CommitLacking:
        return await until_verified(lambda: self._calls.commit(upload_id), self._pause)


async def until_verified(ask: Callable[[], Awaitable[T | CommitPending]], pause: PauseFor) -> T:
    """Asks until the service has compared all contents. A large upload takes a while: each question has its own key.

    Raises LibraryUnreachable if it does not get on.
    """
    verified, idle = -1, 0
    while True:
        answer = await ask()
        if not isinstance(answer, CommitPending):
            return answer
        idle = 0 if answer.verified > verified else idle + 1
        verified = max(verified, answer.verified)
        if idle == MOST_IDLE_COMMITS:
            raise LibraryUnreachable(f"the service has verified {answer.verified} of {answer.total} contents")
        await pause(answer.retry_after)


async def gather_or_cancel(work: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Runs all at once. The first error ends the others, and is the only one that is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for one in work:
                group.create_task(one)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
