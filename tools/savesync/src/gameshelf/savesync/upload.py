"""The way of a version into the cloud: what the service lacks, over as many sittings as it takes.

The client of the service sends and resumes; here is which upload that is, and what the folders must not do meanwhile.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gameshelf.client.saves.contents import PART_BYTES, PartHashes, SaveBytes, part_size_of
from gameshelf.client.saves.store import CountBytes
from gameshelf.client.saves.tickets import StoreRequest, Ticket
from gameshelf.client.saves.uploads import PARALLEL, CommitDone, CommitLacking, CommitPending, SaveUpload
from gameshelf.savesync.api import SaveApi
from gameshelf.savesync.canonical import HasIdentity, list_hash
from gameshelf.savesync.client_errors import client_errors
from gameshelf.savesync.errors import FilesSkipped, SaveChanged, ServiceRefusal, UnexpectedAnswer
from gameshelf.savesync.scan import reading_file
from gameshelf.savesync.snapshot import Snapshot
from gameshelf.savesync.state import SaveState
from gameshelf.savesync.store import NoProgress, SaveStore, TransferProgress
from gameshelf.savesync.wire import Attributes, CommittedVersion, NewVersion, reading

_INCOMPLETE = ("SAVEGAME_UPLOAD_INCOMPLETE", "SAVEGAME_HASH_MISMATCH")


def hash_parts(path: Path, size: int) -> Sequence[str]:
    """The hashes of a content's parts; none if it goes in one piece. Raises SaveChanged for another size."""
    if size <= PART_BYTES:
        return ()
    parts = PartHashes(part_size_of(size))
    with reading_file(path) as file:
        for block in file.blocks():
            parts.update(block)
            if parts.size > size:
                break
    if parts.size != size:
        raise SaveChanged(path)
    return parts.hashes


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

        def find(digest: str) -> Path:
            path = snapshot.path_of(digest)
            if path is None:
                raise UnexpectedAnswer(f"the upload has no content {digest}")
            return path

        async def verify() -> None:
            await asyncio.to_thread(snapshot.verify)

        calls = _VersionCalls(new, self._api, self._store, self._state, progress or NoProgress())
        upload = SaveUpload(calls, find, pause=self._store.pause, parallel=self._parallel, before_commit=verify)
        with client_errors():
            return await upload.run()


@dataclass(slots=True)
class _VersionCalls:
    """What the upload of a version asks of the service and of the store."""

    new: NewVersion
    api: SaveApi
    store: SaveStore
    state: SaveState
    progress: TransferProgress
    is_begun: bool = False

    async def begin(self) -> Ticket:
        """Opens the upload. An open one of another list is given up, so that its room is free."""
        new, request = self.new, request_of(self.new)
        started = await asyncio.to_thread(self.state.started_upload, new.slot_name)
        if started and started.request != request:
            await self.api.cancel(started.upload_id)
        ticket = await self.api.begin(new)
        await asyncio.to_thread(self.state.note_upload, new.slot_name, ticket.id, request)
        with reading("upload"):
            skipped = [int(one["max_bytes"]) for one in ticket.skipped if one["path"] in new.files]
        if skipped:  # what was never uploaded must not be remembered as a part of the version
            raise FilesSkipped(min(skipped))
        if not self.is_begun:
            self.progress.expect(ticket.missing_bytes)
        self.is_begun = True
        return ticket

    async def again(self, upload_id: str) -> Ticket | None:
        try:
            return await self.api.upload(upload_id)
        except ServiceRefusal as refusal:
            if not refusal.is_missing:
                raise
            return None

    async def commit(self, upload_id: str) -> CommitDone[CommittedVersion] | CommitPending | CommitLacking:
        try:
            answer = await self.api.commit(upload_id)
        except ServiceRefusal as refusal:
            if not refusal.is_missing and refusal.code not in _INCOMPLETE:
                raise
            return CommitLacking(refusal, is_gone=refusal.is_missing)
        return answer if isinstance(answer, CommitPending) else CommitDone(answer)

    async def send(self, request: StoreRequest, content: SaveBytes, _count: CountBytes) -> None:
        assert isinstance(content, Path)
        await self.store.send(request, content, self.progress)


def request_of(new: NewVersion) -> Attributes:
    """What an open upload must have in common with a request to be resumed by it."""
    files: Mapping[str, HasIdentity] = {**new.files, **new.elsewhere}
    return {
        "product_id": new.product_id,
        "savegame_id": new.savegame_id,
        "base_version": new.base_version,
        "sha256": list_hash(files),
    }
