"""A save that is a single file, by the calls of the service that need no list: no policy, no folders, no journal.

Beside the file lies ``FILE.sync``. It has the version of the cloud that the file was the same as last, and the random
id by which the cloud knows this copy of the game: two machines may have one name.
"""

import asyncio
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unicodedata import normalize
from uuid import uuid4

from gameshelf.client.saves.store import SignatureRefused
from gameshelf.client.saves.tickets import Ticket
from gameshelf.savesync.api import SaveApi
from gameshelf.savesync.client_errors import error_of
from gameshelf.savesync.conflict import ConflictDecision, ConflictResolution, Decide, SaveConflict, read_conflict
from gameshelf.savesync.errors import ContentUnusable, SaveChanged, SaveSyncError, ServiceRefusal, StateUnusable
from gameshelf.savesync.files import mtime_of
from gameshelf.savesync.report import SyncAction
from gameshelf.savesync.scan import hash_file
from gameshelf.savesync.state import write_durably
from gameshelf.savesync.store import NoProgress, SaveStore
from gameshelf.savesync.wire import CloudVersion, to_rfc3339

MAX_ROUNDS = 5
"""How often a run begins again because the file or the save in the cloud changed meanwhile."""


@dataclass(frozen=True, slots=True)
class SingleFile:
    """The file of a save, and its slot in the cloud."""

    product_id: str
    path: Path
    slot_name: str | None = None
    """By default the name of the file."""
    device_id: str | None = None
    """By default the id in ``FILE.sync``, which the first run makes."""
    playtime_seconds: int | None = None
    """How long the save was played."""


@dataclass(frozen=True, slots=True)
class SingleFileReport:
    """What was done with the file."""

    action: SyncAction
    reason: str = ""
    """Of an upload: ``head`` or ``identical``; of a conflict: how it was resolved, or ``open``."""
    version: int | None = None
    """The version of the cloud that the file is now."""


@dataclass(frozen=True, slots=True)
class _Content:
    """The file at one moment."""

    size: int
    mtime_ns: int
    sha256: str


class SingleFileSync:
    """Synchronises a file with its slot."""

    def __init__(self, save: SingleFile, api: SaveApi, store: SaveStore, *, decide: Decide) -> None:
        self._save, self._api, self._store, self._decide = save, api, store, decide
        self._path = save.path.resolve()
        self._notes_file = self._path.with_name(f"{self._path.name}.sync")
        self._slot_name = normalize("NFC", save.slot_name or self._path.name)
        self._device_id = save.device_id or ""

    async def run(self) -> SingleFileReport:
        """One synchronisation. Raises SaveSyncError or OSError; the file is as it was then."""
        reason = SaveSyncError("the save changes all the time")
        for _ in range(MAX_ROUNDS):
            try:
                return await self._once()
            except SaveChanged:
                continue
            except SignatureRefused as refused:
                reason = error_of(refused.reason)
        raise reason

    async def _once(self) -> SingleFileReport:
        local, notes = await asyncio.to_thread(self._read), await asyncio.to_thread(self._read_notes)
        head = next((one for one in await self._heads() if one.slot_name == self._slot_name), None)
        # Also for a deleted save: the answer shows whether the file is the deleted version. 0: from nothing.
        base = notes.get("version", 0) if head is None or head.id == notes.get("savegame_id") else 0
        is_changed_here = local is not None and local.sha256 != notes.get("sha256")
        is_changed_there = head is not None and (local is None or head.version != base)
        if is_changed_here and local is not None:  # only the cloud knows whether one grew from the other
            return await self._upload(local, base)
        if head is None or not is_changed_there:
            return SingleFileReport(SyncAction.NONE)
        if local is not None and base and not await self._has(head.id, base):
            return await self._upload(local, 0)
        undecided = await self._conflict_of(head.id, base) if local is not None else None
        return await self._settle(undecided, local) if undecided else await self._download(head.id, local)

    async def _has(self, savegame_id: str, version: int) -> bool:
        """Whether the history knows a version. A service that was restored from an older backup does not: this machine
        has the last copy then, and the head did not grow from it.
        """
        return any([one.version == version async for one in self._api.versions(savegame_id)])

    async def _heads(self) -> list[CloudVersion]:
        return await self._api.saves(self._save.product_id)

    async def _upload(self, local: _Content, base_version: int) -> SingleFileReport:
        """Requests an upload, sends the bytes and confirms them."""
        try:
            upload = await self._begin(local, base_version)
        except ServiceRefusal as refusal:
            if refusal.code != "SAVEGAME_VERSION_NOT_FOUND" or not base_version:
                raise
            upload = await self._begin(local, 0)
        for request in upload.requests:  # none if the cloud has these bytes already
            await self._store.send(request, self._path, NoProgress())
        try:
            done = await self._api.confirm_file(upload.id)
        except ServiceRefusal as refusal:
            match refusal.code:
                case "SAVEGAME_HASH_MISMATCH":  # other bytes have arrived, and were discarded
                    raise SaveChanged(self._path) from None
                case "SAVEGAME_VERSION_CONFLICT":  # the cloud keeps both until the player decides
                    said = {"id": refusal.meta.get("conflict_id"), "slot_name": self._slot_name, **refusal.meta}
                    conflict = read_conflict(said, can_merge=False)
                    await self._note(conflict.savegame_id, conflict.branch.version, local)
                    return await self._settle(conflict, local)
            raise
        if done.result == "deleted":
            return SingleFileReport(SyncAction.DELETED)
        if done.result in ("behind", "resolved"):  # the cloud has a newer version than these bytes
            return await self._download(done.savegame_id, local)
        await self._note(done.savegame_id, done.version, local)
        return SingleFileReport(SyncAction.UPLOAD, done.result, done.version)

    async def _begin(self, local: _Content, base_version: int) -> Ticket:
        return await self._api.begin_file(
            {
                "product_id": self._save.product_id,
                "save_slot_name": self._slot_name,
                "file_size_bytes": local.size,
                "file_hash_sha256": local.sha256,
                "base_version": base_version,
                "device_id": self._device_id,
                "client_modified_at": to_rfc3339(local.mtime_ns),
                "playtime_seconds": self._save.playtime_seconds,
            }
        )

    async def _conflict_of(self, savegame_id: str, branch: int) -> SaveConflict | None:
        """The open conflict about the version that this machine has, if the player has not decided yet."""
        async for said in self._api.conflicts(self._save.product_id):
            one = read_conflict(said, can_merge=False)
            if (one.savegame_id, one.branch.version) == (savegame_id, branch):
                return one
        return None

    async def _settle(self, conflict: SaveConflict, local: _Content | None) -> SingleFileReport:
        """Asks the player. Nothing is lost: the other side stays in the history, or gets a slot of its own."""
        decision = self._decide(conflict)
        if decision is None:
            return SingleFileReport(SyncAction.CONFLICT, "open", conflict.branch.version)
        savegame_id, version = await self._resolve(conflict, decision)
        if decision.resolution is ConflictResolution.KEEP_LOCAL and local is not None:
            await self._note(savegame_id, version, local, is_news=True)
        else:
            version = (await self._download(savegame_id, local)).version or version
        return SingleFileReport(SyncAction.CONFLICT, decision.resolution, version)

    async def _resolve(self, conflict: SaveConflict, decision: ConflictDecision) -> tuple[str, int]:
        seen = {"head_version": conflict.head.version, "branch_version": conflict.branch.version}
        try:
            done = await self._api.resolve(conflict.id, decision.resolution, seen)
        except ServiceRefusal as refusal:  # a side has a newer version, or another device has decided
            if refusal.code in ("SAVEGAME_VERSION_CONFLICT", "CONFLICT_NOT_FOUND"):
                raise SaveChanged(self._path) from None
            raise
        return done.savegame_id, done.version

    async def _download(self, savegame_id: str, before: _Content | None) -> SingleFileReport:
        """Puts the cloud's head in the place of the file, unless that has changed since it was read."""
        found = await self._api.download_file(savegame_id)
        if found.packing is not None:
            raise ContentUnusable(self._path.name, f"another client has stored it with {found.packing}")
        with _draft_of(self._path) as draft:
            await self._store.receive_once(found.url, draft, found.size)
            content = await asyncio.to_thread(self._placed, draft, found.sha256, before)
        await self._note(savegame_id, found.version, content, is_news=True)
        return SingleFileReport(SyncAction.DOWNLOAD, "applied", found.version)

    def _placed(self, draft: Path, sha256: str, before: _Content | None) -> _Content:
        with draft.open("r+b") as file:
            os.fsync(file.fileno())
        content = _content_of(draft)
        if content.sha256 != sha256:
            raise SaveChanged(draft)
        if (now := self._read()) != before and (now is None or before is None or now.sha256 != before.sha256):
            raise SaveChanged(self._path)
        draft.replace(self._path)
        return content

    async def _note(self, savegame_id: str, version: int, content: _Content, *, is_news: bool = False) -> None:
        """Notes that the file is this version, and reports it unless it was just uploaded: a request for a download
        proves nothing.
        """
        notes = {"savegame_id": savegame_id, "version": version, "sha256": content.sha256}
        await asyncio.to_thread(self._keep, notes)
        if is_news:
            await self._api.synced(savegame_id, version, self._device_id)

    def _read(self) -> _Content | None:
        try:
            return _content_of(self._path)
        except FileNotFoundError:
            return None

    def _read_notes(self) -> Mapping[str, Any]:
        """The notes. The first run makes the id of the device: every later one has to use the same."""
        try:
            notes = json.loads(self._notes_file.read_bytes())
            self._device_id = self._save.device_id or notes.get("device_id") or ""
        except FileNotFoundError:
            notes = {}
        except (ValueError, AttributeError) as error:
            raise StateUnusable(self._notes_file, f"these are no notes of this client ({error})") from error
        if not self._device_id:
            self._device_id = str(uuid4())
            self._keep(notes)
        return dict(notes)

    def _keep(self, notes: Mapping[str, Any]) -> None:
        with _draft_of(self._notes_file) as draft:
            write_durably(draft, json.dumps({**notes, "device_id": self._device_id}).encode())
            draft.replace(self._notes_file)


def _content_of(path: Path) -> _Content:
    found = path.stat()
    return _Content(found.st_size, mtime_of(found), hash_file(path))


@contextmanager
def _draft_of(path: Path) -> Iterator[Path]:
    """A new file that takes the place of another one completely or not at all, also when the power fails."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)
