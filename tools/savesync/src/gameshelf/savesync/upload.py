"""The way of a version into the cloud: what the service lacks, in parallel, over as many sittings as it takes.

Nothing is visible before the commit. An upload that was interrupted is resumed: the service says which contents and
parts have arrived.
"""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from gameshelf.savesync.api import SaveApi
from gameshelf.savesync.canonical import HasIdentity, list_hash
from gameshelf.savesync.errors import (
    FilesSkipped,
    SaveChanged,
    SaveSyncError,
    ServiceAway,
    ServiceRefusal,
    UnexpectedAnswer,
)
from gameshelf.savesync.scan import reading_file
from gameshelf.savesync.snapshot import Snapshot
from gameshelf.savesync.state import SaveState
from gameshelf.savesync.store import NoProgress, SaveStore, TransferProgress, UrlExpired
from gameshelf.savesync.wire import (
    PART_BYTES,
    Attributes,
    CommittedVersion,
    NewVersion,
    Sending,
    StillVerifying,
    UploadTicket,
    part_size_of,
    reading,
)

PARALLEL = 4
_IDLE_ROUNDS = 3
"""So often may a round bring nothing before the upload is given up for now."""
_IDLE_COMMITS = 30
_INCOMPLETE = ("SAVEGAME_UPLOAD_INCOMPLETE", "SAVEGAME_HASH_MISMATCH")
_BLOCK = 1 << 20


def hash_parts(path: Path, size: int) -> Sequence[str]:
    """The hashes of a content's parts; none if it goes in one piece. Raises SaveChanged if it is shorter."""
    if size <= PART_BYTES:
        return ()
    part_size = part_size_of(size)
    hashes = []
    with reading_file(path) as file:
        for begin in range(0, size, part_size):
            left = min(part_size, size - begin)
            running = sha256()
            while left:
                block = file.read(min(_BLOCK, left))
                if not block:
                    raise SaveChanged(path)
                running.update(block)
                left -= len(block)
            hashes.append(running.hexdigest())
    return hashes


class Uploader:
    """Uploads versions of one product."""

    def __init__(self, api: SaveApi, store: SaveStore, state: SaveState, *, parallel: int = PARALLEL) -> None:
        self._api, self._store, self._state = api, store, state
        self._parallel = parallel

    async def upload(
        self, new: NewVersion, snapshot: Snapshot, progress: TransferProgress | None = None
    ) -> CommittedVersion:
        """Uploads and commits a version whose new contents are in the snapshot.

        Raises SaveChanged if a file has changed meanwhile: scan again. Raises ServiceRefusal with the reason of the
        service (a conflict, a guard, a limit), and ServiceAway if it is to be resumed later. Raises FilesSkipped if
        the version would lack files of the list.
        """
        ticket = await self._begin(new)
        progress = progress or NoProgress()
        progress.expect(ticket.missing_bytes)
        for is_last in (False, True):
            try:
                await self._send_all(ticket, snapshot, progress)
                await asyncio.to_thread(snapshot.verify)
                return await self._commit(ticket.upload_id)
            except ServiceRefusal as refusal:
                if is_last or not _may_send_again(refusal):
                    raise
                # Contents were lost or damaged on the way, or the upload has expired: the service says what it needs.
                ticket = await self._begin(new) if refusal.status == 404 else await self._api.upload(ticket.upload_id)
        raise AssertionError

    async def _begin(self, new: NewVersion) -> UploadTicket:
        """Opens the upload. An open one of another list is given up, so that its room is free."""
        request = request_of(new)
        started = await asyncio.to_thread(self._state.started_upload, new.slot_name)
        if started and started.request != request:
            await self._api.cancel(started.upload_id)
        ticket = await self._api.begin(new)
        await asyncio.to_thread(self._state.note_upload, new.slot_name, ticket.upload_id, request)
        with reading("upload"):
            skipped = [int(one["max_bytes"]) for one in ticket.skipped if one["path"] in new.files]
        if skipped:  # what was never uploaded must not be remembered as a part of the version
            raise FilesSkipped(min(skipped))
        return ticket

    async def _send_all(self, ticket: UploadTicket, snapshot: Snapshot, progress: TransferProgress) -> None:
        idle = 0
        while ticket.missing_count:
            before = _missing(ticket)
            refused = await self._send(ticket.sendings, snapshot, progress)
            ticket = await self._api.upload(ticket.upload_id)
            idle = idle + 1 if _missing(ticket) == before else 0
            if idle == _IDLE_ROUNDS:
                raise refused or ServiceAway(f"the store: {ticket.missing_count} contents do not arrive")

    async def _send(
        self, sendings: Sequence[Sending], snapshot: Snapshot, progress: TransferProgress
    ) -> SaveSyncError | None:
        """Sends contents; returns why the store did not accept a signature, if that happened."""
        places = asyncio.Semaphore(self._parallel)
        refused: list[SaveSyncError] = []

        async def send(sending: Sending) -> None:
            async with places:
                path = snapshot.path_of(sending.sha256)
                if path is None:
                    raise UnexpectedAnswer(f"the upload has no content {sending.sha256}")
                try:
                    await self._store.send(sending, path, progress)
                except UrlExpired as expired:  # the next answer of the service has a fresh one
                    refused.append(expired.reason)

        await gather_or_cancel([send(sending) for sending in sendings])
        return refused[0] if refused else None

    async def _commit(self, upload_id: str) -> CommittedVersion:
        verified, idle = -1, 0
        while True:
            answer = await self._api.commit(upload_id)
            if isinstance(answer, CommittedVersion):
                return answer
            verified, idle = _counted(answer, verified, idle)
            if idle == _IDLE_COMMITS:
                raise ServiceAway(f"the service has verified {answer.verified} of {answer.total} contents")
            await self._store.pause(answer.retry_after)


def request_of(new: NewVersion) -> Attributes:
    """What an open upload must have in common with a request to be resumed by it."""
    files: Mapping[str, HasIdentity] = {**new.files, **new.elsewhere}
    return {
        "product_id": new.product_id,
        "savegame_id": new.savegame_id,
        "base_version": new.base_version,
        "sha256": list_hash(files),
    }


async def gather_or_cancel(work: Sequence[Coroutine[None, None, None]]) -> None:
    """Runs all at once. The first error ends the others, and is the only one that is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for one in work:
                group.create_task(one)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


def _missing(ticket: UploadTicket) -> object:
    """What changes when a content or a part has arrived."""
    offered = frozenset((sending.sha256, sending.offset) for sending in ticket.sendings)
    return ticket.missing_count, ticket.missing_bytes, offered


def _counted(answer: StillVerifying, verified: int, idle: int) -> tuple[int, int]:
    return (answer.verified, 0) if answer.verified > verified else (verified, idle + 1)


def _may_send_again(refusal: ServiceRefusal) -> bool:
    return refusal.status == 404 or refusal.code in _INCOMPLETE
