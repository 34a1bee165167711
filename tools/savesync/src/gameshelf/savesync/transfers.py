"""Moves versions between the folders and the cloud, and remembers which one the folders have."""

import asyncio
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from gameshelf.savesync.accounts import next_turn
from gameshelf.savesync.api import SaveApi
from gameshelf.savesync.apply import Applied, FolderApplier
from gameshelf.savesync.apply_errors import PathInTheWay
from gameshelf.savesync.apply_plan import ApplyTarget
from gameshelf.savesync.content import SaveContent, UploadOrigin, prepare_upload
from gameshelf.savesync.crash import crash_point
from gameshelf.savesync.download import Downloader, OnThisMachine
from gameshelf.savesync.errors import SaveChanged, ServiceAway, ServiceRefusal, StagingFailed
from gameshelf.savesync.files import CloudFiles, FetchedVersion, RootFolders, SyncedSlot
from gameshelf.savesync.paths import to_disk
from gameshelf.savesync.policy import FolderPolicy
from gameshelf.savesync.queue import OfflineQueue, QueuedKind
from gameshelf.savesync.report import SlotReport, SyncAction
from gameshelf.savesync.roots import FoundRoots
from gameshelf.savesync.setup import SyncOptions, SyncProgress, SyncSetup
from gameshelf.savesync.snapshot import Snapshot
from gameshelf.savesync.state import SaveState
from gameshelf.savesync.store import SaveStore, TransferProgress
from gameshelf.savesync.upload import Uploader
from gameshelf.savesync.wire import CommittedVersion, NewVersion


@dataclass(frozen=True, slots=True)
class SaveHere:
    """The save on this machine: the policy, the folders of its roots, and what they hold."""

    policy: FolderPolicy
    roots: FoundRoots
    content: SaveContent
    around: tuple[FolderPolicy, FoundRoots]
    """The whole policy and all of its roots: other slots have some of them."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Sizes of files that are left out, since they are larger than the policy or the service allows; by path."""

    def is_wanted(self, path: str) -> bool:
        """Whether a path of a version is written on this machine."""
        return path.partition("/")[0] in self.roots.folders and self.policy.covers(path)


class SlotTransfers:
    """The uploads and downloads of one slot."""

    def __init__(
        self, setup: SyncSetup, api: SaveApi, store: SaveStore, state: SaveState, progress: SyncProgress
    ) -> None:
        self._setup, self._api, self._store, self._state, self._progress = setup, api, store, state, progress
        self.queue = OfflineQueue(state)
        self._applier = FolderApplier(setup.state_folder, progress.applied)
        self.rescued: tuple[Path, ...] = ()

    @property
    def is_interrupted(self) -> bool:
        """Whether an apply is unfinished: the folders hold neither of two versions until it is recovered."""
        return self._applier.journal.is_there

    async def upload(
        self, here: SaveHere, options: SyncOptions, *, is_from_nothing: bool = False
    ) -> tuple[CommittedVersion, int]:
        """Uploads what the folders hold; returns the version, and how many bytes were sent.

        Raises SaveChanged, ServiceRefusal with what the caller has to decide, or ServiceAway: then it is queued.
        """
        slot_name, base = self._setup.slot_name, await self.synced()
        said = {
            "device_name": self._setup.device.device_name,
            "policy_revision": here.policy.revision if self._setup.policy is None else None,
            "confirm_removals": options.confirm_removals,
            "game_version_id": self._setup.game_version,
            **options.details,
        }
        said = {key: value for key, value in said.items() if value is not None}
        origin = UploadOrigin(self._setup.product_id, slot_name, self._setup.device.device_id, base, said)
        snapshot = Snapshot(self._state.staging / "upload")
        # A game that starts now can't change what is sent.
        new = await asyncio.to_thread(prepare_upload, origin, here.content, snapshot)
        if is_from_nothing:
            new = replace(new, base_version=0)
        counted = _Counted(self._progress.transfer("uploading"))
        try:
            done = await Uploader(self._api, self._store, self._state).upload(new, snapshot, counted)
        except ServiceAway as away:
            request = {"files": len(here.content.files), "base_version": new.base_version}
            await asyncio.to_thread(self.queue.put, slot_name, QueuedKind.UPLOAD, request, str(away))
            raise
        except SaveChanged:  # perhaps a copy, by a power failure: its size is right then, and it would be sent for ever
            await asyncio.to_thread(snapshot.clear)
            raise
        await asyncio.to_thread(snapshot.clear)
        await asyncio.to_thread(self.queue.drop, slot_name, QueuedKind.UPLOAD)
        return done, counted.size

    async def commit_list(self, files: CloudFiles, here: SaveHere, comment: str) -> CommittedVersion:
        """Makes a version of contents that the cloud has already: nothing is sent.

        The player has chosen the whole of it, so its number of files needs no question.
        """
        base = await self.synced()
        if base is not None and not base.savegame_id:
            base = None
        said = {
            "device_name": self._setup.device.device_name,
            "policy_revision": here.policy.revision if self._setup.policy is None else None,
            "comment": comment,
        }
        new = NewVersion(
            self._setup.product_id,
            self._setup.slot_name,
            self._setup.device.device_id,
            files={},
            elsewhere=files,
            base_version=base.version if base else 0,
            savegame_id=base.savegame_id if base else None,
            options={key: value for key, value in said.items() if value is not None},
        )
        uploader, nothing = Uploader(self._api, self._store, self._state), Snapshot(self._state.staging / "upload")
        try:
            return await uploader.upload(new, nothing)
        except ServiceRefusal as refusal:
            if refusal.code != "SAVEGAME_SHRINKS":
                raise
            confirmed = {**new.options, "confirm_removals": refusal.meta.get("removed")}
            return await uploader.upload(replace(new, options=confirmed), nothing)

    async def download(self, savegame_id: str, version: int | None, here: SaveHere) -> SlotReport:
        """Puts a version into the folders, remembers it, and reports it to the service."""
        synced = await self.synced()
        known = synced.version if synced and synced.savegame_id == savegame_id else None
        counted, staging = _Counted(self._progress.transfer("downloading")), self._state.staging / "download"
        try:
            fetched = await Downloader(self._api, self._store, self._setup.device.device_id).fetch(
                savegame_id,
                self._setup.slot_name,
                version,
                OnThisMachine(here.content.files, here.content.folders, known),
                staging,
                counted,
                here.is_wanted,
            )
        except StagingFailed:  # on a full disk the halves that wait for the next run would keep it full
            await asyncio.to_thread(shutil.rmtree, staging, ignore_errors=True)
            raise
        self._require_free(fetched, here)
        target = ApplyTarget(
            fetched,
            here.roots.folders,
            here.content.files,
            synced,
            here.policy.covers,
            self._applier.made_folders,
            self._setup.machine.system,
        )
        applied = await asyncio.to_thread(self._applier.apply, target)
        await self.finish(applied, here)
        await asyncio.to_thread(shutil.rmtree, staging, ignore_errors=True)
        return SlotReport(
            self._setup.slot_name,
            SyncAction.DOWNLOAD,
            "applied",
            fetched.version,
            len(applied.slot.files),
            downloaded_bytes=counted.size,
        )

    def _require_free(self, fetched: FetchedVersion, here: SaveHere) -> None:
        """A game that was just installed may have files of its own: they are in no version, and are not replaced."""
        for path in fetched.files:
            name, _, relative = path.partition("/")
            if name in here.content.arriving and here.is_wanted(path):
                file = here.roots.folders[name] / to_disk(relative, self._setup.machine.system)
                if os.path.lexists(file):
                    raise PathInTheWay(f"{file} is another file than the cloud's; move it away", path)

    async def finish(self, applied: Applied, here: SaveHere | None = None) -> None:
        """Remembers and reports a version that was applied, and ends its journal."""
        folders = {**applied.roots, **(here.roots.folders if here else {})}
        await asyncio.to_thread(self._record, applied.slot, folders)
        crash_point("state-written")
        await self.say_synced(applied.slot)
        crash_point("synced-sent")
        self.rescued += await asyncio.to_thread(self._applier.finish)

    async def say_synced(self, slot: SyncedSlot) -> None:
        """Reports the version; without the network that is done before the next upload, which is based on it."""
        try:
            await self._api.synced(slot.savegame_id, slot.version, self._setup.device.device_id)
        except ServiceAway as away:
            request = {"savegame_id": slot.savegame_id, "version": slot.version}
            await asyncio.to_thread(self.queue.put, slot.slot_name, QueuedKind.SYNCED, request, str(away))
        except ServiceRefusal as refusal:
            if not refusal.is_missing:  # the version was pruned meanwhile: nothing is to be reported
                raise

    async def forget_version(self) -> bool:
        """Forgets which version the folders have; the files stay those that may be deleted. False: none was known."""
        synced = await self.synced()
        if synced is None or not synced.savegame_id:
            return False
        await asyncio.to_thread(self._record, replace(synced, savegame_id="", version=0), {})
        return True

    async def send_reports(self) -> None:
        """Reports what an earlier run could not. A version that is gone meanwhile needs no report.

        A state that came from another machine with a copied home folder is reported as this device's.
        """
        owner, device_id = await asyncio.to_thread(self._state.owner), self._setup.device.device_id
        if owner != device_id:
            known = await asyncio.to_thread(self._state.slots) if owner else []
            for slot in (one for one in known if one.savegame_id):
                report = {"savegame_id": slot.savegame_id, "version": slot.version}
                await asyncio.to_thread(self.queue.put, slot.slot_name, QueuedKind.SYNCED, report, "a new device")
            await asyncio.to_thread(self._state.own, device_id)
        for work in await asyncio.to_thread(self.queue.all):
            if work.kind is not QueuedKind.SYNCED:
                continue
            try:
                request = work.request
                await self._api.synced(request["savegame_id"], request["version"], self._setup.device.device_id)
            except ServiceRefusal as refusal:
                if not refusal.is_missing:
                    raise
            await asyncio.to_thread(self.queue.done, work)

    async def recover(self) -> None:
        """Finishes or undoes what a process that was killed has left."""
        recovery = await asyncio.to_thread(self._applier.recover, self._state.folders())
        if recovery is None:
            return
        self.rescued += recovery.rescued
        if recovery.applied is not None:
            await self.finish(recovery.applied)

    async def record(self, slot: SyncedSlot, here: SaveHere) -> None:
        """Notes the version that the folders have."""
        await asyncio.to_thread(self._record, slot, here.roots.folders)

    def _record(self, slot: SyncedSlot, folders: RootFolders) -> None:
        self._state.record(slot, _with_files(folders, slot), turn=next_turn(self._state))

    async def synced(self) -> SyncedSlot | None:
        """The version that the folders had last."""
        return await asyncio.to_thread(self._state.slot, self._setup.slot_name)


def _with_files(folders: RootFolders, slot: SyncedSlot) -> RootFolders:
    """Roots that hold files of the save: if one of their folders is missing later, that is an error."""
    used = {path.partition("/")[0] for path in slot.files}
    return {name: folder for name, folder in folders.items() if name in used}


class _Counted:
    """Counts the bytes that a progress shows."""

    def __init__(self, shown: TransferProgress) -> None:
        self._shown, self.size = shown, 0

    def expect(self, size: int) -> None:
        self._shown.expect(size)

    def advance(self, size: int) -> None:
        self.size += size
        self._shown.advance(size)
