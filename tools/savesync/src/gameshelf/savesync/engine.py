"""One slot of a product: what its folders hold, what the cloud says, and what follows from both.

The service decides which version is based on which; nothing is decided by times. Before a version of the cloud takes
the place of files, the cloud has them.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from gameshelf.savesync.accounts import folder_of_another
from gameshelf.savesync.amounts import size_text
from gameshelf.savesync.api import SaveApi
from gameshelf.savesync.cache import HashCache
from gameshelf.savesync.canonical import HasIdentity
from gameshelf.savesync.conflict import ConflictDecision, ConflictResolution, Decide, SaveConflict, read_conflict
from gameshelf.savesync.content import (
    SaveContent,
    SaveLook,
    is_as_synced,
    look_at_save,
    on_device,
    scan_save,
)
from gameshelf.savesync.errors import FilesSkipped, PolicyRefused, RestoreImpossible, ServiceRefusal
from gameshelf.savesync.files import SyncedSlot
from gameshelf.savesync.policy import FolderPolicy
from gameshelf.savesync.policy_file import PolicyFile
from gameshelf.savesync.queue import QueuedKind
from gameshelf.savesync.report import GuardQuestion, LeftOutFile, SlotReport, SyncAction, SyncReport
from gameshelf.savesync.roots import FoundRoots, find_roots
from gameshelf.savesync.setup import SyncOptions, SyncProgress, SyncSetup
from gameshelf.savesync.state import SaveState
from gameshelf.savesync.store import SaveStore
from gameshelf.savesync.transfers import SaveHere, SlotTransfers
from gameshelf.savesync.uncovered import UncoveredFiles, find_uncovered
from gameshelf.savesync.units import unit_hashes, with_units_of
from gameshelf.savesync.waiting import answer_of
from gameshelf.savesync.wire import (
    CloudVersion,
    CommittedVersion,
    SlotAdvice,
    SlotOnDevice,
    SyncAdvice,
    reading,
)

MAX_ROUNDS = 4
"""How often something begins again because a file, the policy or the cloud changed meanwhile."""


class PlanAgain(Exception):
    """Something changed while it was synchronised."""


class SlotSync:
    """One slot of a product: what its folders hold, and what a plan means for them. ``GameSync`` runs it."""

    def __init__(
        self,
        setup: SyncSetup,
        api: SaveApi,
        store: SaveStore,
        *,
        decide: Decide,
        progress: SyncProgress,
        slots: Collection[str],
    ) -> None:
        """``slots``: the names of all slots of the game, which share the roots of its policy."""
        self.setup, self._api, self._decide, self._slots = setup, api, decide, slots
        self._state = SaveState(setup.state_folder)
        self.transfers = SlotTransfers(setup, api, store, self._state, progress)
        self._cache = HashCache(setup.cache_file)
        self._policy_file = PolicyFile(setup.state_folder)

    @property
    def name(self) -> str:
        """The name of the slot."""
        return self.setup.slot_name

    async def refined(self, advice: SlotAdvice, here: SaveHere) -> SlotAdvice:
        """Corrects a plan where this device knows more: a version that it has, unchanged, and whose bytes the history
        has dropped since, is older than the head, and no conflict. The service sees another content only.
        """
        synced = await self.transfers.synced()
        is_other = synced is None or not synced.savegame_id or synced.savegame_id != advice.savegame_id
        if synced is None or is_other or (advice.action, advice.reason) != ("conflict", "diverged"):
            return advice
        if here.content.moved or here.content.arriving or await self.is_changed(here):
            return advice
        async for one in self._api.versions(synced.savegame_id):
            if one.version == synced.version:
                is_dropped = one.status == "pruned" and one.content_identity == synced.content_identity
                return replace(advice, action="download", reason="behind") if is_dropped else advice
        return advice

    async def planned(self, advice: SlotAdvice, here: SaveHere) -> SlotReport:
        """What a run would do. Raises PlanAgain if a conflict has ended meanwhile."""
        conflict = advice.conflict_id and await self._read_conflict(advice.conflict_id, here.policy)
        return replace(_shown(advice, here), conflict=conflict or None)

    async def history(self) -> list[CloudVersion]:
        """The versions of the slot, the newest first. Raises ServiceRefusal if the cloud has no such save."""
        savegame_id = await self._savegame_id()
        found = [one async for one in self._api.versions(savegame_id)]
        return sorted(found, key=lambda one: one.version, reverse=True)

    async def restore(self, version: int, units: Sequence[str]) -> SlotReport:
        """Makes an older version, or units of it, the head, and puts that into the folders.

        Raises PlanAgain if the cloud does not have what the folders hold.
        """
        here = await self._saved_here()
        done = await self._api.restore(await self._savegame_id(), version, self.setup.device.device_id, units)
        slot = await self.transfers.download(done.savegame_id, done.version, here)
        return replace(slot, reason="restored")

    async def restore_from(self, other: CloudVersion, version: int | None, units: Sequence[str]) -> SlotReport:
        """Makes the files of another save of the game, or units of it, the head, and puts that into the folders.

        Raises PlanAgain if the cloud does not have what the folders hold.
        """
        here = await self._saved_here()
        files = await self._api.files(other.id, version or other.version)
        wanted = {path: file for path, file in files.items() if here.policy.covers(path)}
        if units:
            synced = await self.transfers.synced()
            own = await self._api.files(synced.savegame_id, synced.version) if synced and synced.savegame_id else {}
            wanted = with_units_of(own, wanted, units, here.policy.units)
        if not wanted:
            raise RestoreImpossible(f"{other.slot_name!r} has no file that belongs to the save {self.name!r}")
        try:
            done = await self.transfers.commit_list(wanted, here, f"from {other.slot_name}")
        except ServiceRefusal as refusal:
            if refusal.code == "SAVEGAME_VERSION_CONFLICT":
                raise PlanAgain(str(refusal)) from refusal
            raise
        slot = await self.transfers.download(done.savegame_id, done.version, here)
        return replace(slot, reason="restored")

    async def look(self) -> SaveLook:
        """Names, sizes and times of the folders: equal values mean that nothing changed."""
        policy, roots = self._of_slot(*await self._all_roots())
        synced = await self.transfers.synced()
        return await asyncio.to_thread(look_at_save, policy, roots, synced, self.setup.machine.system)

    async def policy(self) -> FolderPolicy:
        """The launcher's own policy, the one that the service sent last, or the service's."""
        kept = await self.known_policy()
        return kept if kept is not None else await self.refresh_policy()

    async def known_policy(self) -> FolderPolicy | None:
        """The policy as far as it is known without the network."""
        return self.setup.policy or await asyncio.to_thread(self._policy_file.read)

    async def refresh_policy(self) -> FolderPolicy:
        """Reads the policy of the service."""
        document = await self._api.policy_document(self.setup.product_id)
        return await asyncio.to_thread(self._policy_file.write, document)

    async def follow(self, document: Any, revision: int) -> None:
        """Keeps the policy that a plan has sent. Raises PlanAgain if it is another one: it may cover other files."""
        if document is None or self.setup.policy is not None:
            return
        kept = await asyncio.to_thread(self._policy_file.write, document)
        if kept.revision != revision:
            raise PlanAgain("the policy of the game has changed")

    async def emptied(self, here: SaveHere) -> SlotReport:
        """Nothing is uploaded where a root has lost all of its files: its disk may be gone."""
        synced = await self.transfers.synced()
        names = here.content.emptied
        count = sum(path.partition("/")[0] in names for path in (synced.files if synced else ()))
        folders = ", ".join(str(here.roots.folders[name]) for name in names)
        text = f"{folders} held files of this save ({count}), and is empty now"
        question = GuardQuestion("ROOT_EMPTIED", text, f"--confirm-removals {count}")
        version = synced.version if synced else None
        return SlotReport(self.name, SyncAction.NONE, "emptied", version, question=question)

    async def taken(self, here: SaveHere) -> SlotReport | None:
        """A question where the folders hold something that another account of this machine may have saved."""
        if not await self.is_changed(here):
            return None
        own_turn = await asyncio.to_thread(self._state.turn, self.name)
        folders = list(here.roots.folders.values())
        folder = await asyncio.to_thread(folder_of_another, self.setup.state_folder, folders, own_turn)
        if folder is None:
            return None
        text = f"another account of this machine synchronised {folder} last; its save would become this account's"
        question = GuardQuestion("FOLDER_OF_ANOTHER_ACCOUNT", text, "--take-over")
        synced = await self.transfers.synced()
        version, count = synced.version if synced else None, len(here.content.files)
        return SlotReport(self.name, SyncAction.NONE, "other_account", version, count, question=question)

    async def act(self, advice: SlotAdvice, here: SaveHere, options: SyncOptions) -> SlotReport:
        """Does what the plan says for the slot.

        Raises PlanAgain, SaveChanged or FileChanged if something changed meanwhile.
        """
        shown = _shown(advice, here)
        if shown.action is SyncAction.DELETED and options.undeletes:
            return await self._undelete(shown)
        if advice.regresses_to is not None and not options.accepts_older:
            text = f"the folders hold what version {advice.regresses_to} had; the cloud has version"
            question = GuardQuestion("SAVEGAME_REGRESSES", f"{text} {advice.head_version}", "--accept-older")
            return replace(shown, question=question)
        if advice.conflict_id is not None and not await self.is_changed(here):
            return await self._settle_conflict(advice.conflict_id, here.policy)
        match shown.action:
            case SyncAction.UPLOAD | SyncAction.CONFLICT | SyncAction.MERGE:
                return await self._upload(shown, here, options)
            case SyncAction.DOWNLOAD:
                return await self.transfers.download(await self._id_of(advice), advice.head_version, here)
            case SyncAction.NONE if advice.reason == "identical" and here.content.arriving:
                return await self.transfers.download(await self._id_of(advice), advice.head_version, here)
            case SyncAction.NONE if advice.reason == "identical":
                await self._adopt(advice, here)
        return shown

    async def _undelete(self, shown: SlotReport) -> SlotReport:
        """Takes the save out of the trash. Raises PlanAgain if that is a save like any other then."""
        name = await self._api.undelete(await self._savegame_id())
        if name == self.name:
            raise PlanAgain("the save was taken out of the trash")
        return replace(shown, reason="undeleted", copy=name)  # a newer save has its name

    async def _adopt(self, advice: SlotAdvice, here: SaveHere) -> None:
        """Remembers the version whose content the folders hold, where this device did not know of it."""
        synced, identity = await self.transfers.synced(), await self._identity(here)
        if advice.savegame_id is None or advice.head_version is None or identity is None:
            return
        if synced and (synced.savegame_id, synced.version) == (advice.savegame_id, advice.head_version):
            return
        slot = self._slot_of(advice.savegame_id, advice.head_version, identity, here)
        await self.transfers.record(slot, here)
        await self.transfers.say_synced(slot)

    async def _upload(
        self, shown: SlotReport, here: SaveHere, options: SyncOptions, *, is_from_nothing: bool = False
    ) -> SlotReport:
        try:
            done, size = await self.transfers.upload(here, options, is_from_nothing=is_from_nothing)
        except FilesSkipped as skipped:
            await asyncio.to_thread(self._state.note_max_file_bytes, skipped.max_bytes)
            raise PlanAgain(str(skipped)) from skipped
        except ServiceRefusal as refusal:
            match refusal.code:
                case "SAVEGAME_VERSION_CONFLICT":
                    await self._record_branch(refusal.meta, here)
                    with reading("conflict"):
                        conflict_id = str(refusal.meta["conflict_id"])
                    return await self._settle_conflict(conflict_id, here.policy)
                case "SAVEGAME_BASE_NOT_SYNCED" if not is_from_nothing:  # it becomes a branch, and the player decides
                    return await self._upload(shown, here, options, is_from_nothing=True)
                case "SAVEGAME_SHRINKS":
                    return replace(shown, question=_shrinking(refusal))
            raise
        if done.result == "deleted" and options.undeletes:
            return await self._undelete(replace(shown, action=SyncAction.DELETED))
        return await self._committed(done, size, here)

    async def _committed(self, done: CommittedVersion, size: int, here: SaveHere) -> SlotReport:
        count = len(here.content.files)
        shown = SlotReport(self.name, SyncAction.UPLOAD, done.result, done.version, count, size)
        if done.result == "deleted":
            return replace(shown, action=SyncAction.DELETED, reason="deleted_elsewhere")
        if done.result in ("behind", "resolved"):
            applied = await self.transfers.download(done.savegame_id, done.version, here)
            resolution = str(done.meta.get("resolution") or done.result)
            action = SyncAction.MERGE if resolution == ConflictResolution.MERGE else shown.action
            return replace(applied, action=action, reason=resolution, uploaded_bytes=size)
        await self.transfers.record(self._slot_of(done.savegame_id, done.version, done.content_identity, here), here)
        return shown

    async def _record_branch(self, meta: Mapping[str, Any], here: SaveHere) -> None:
        """What was sent is kept beside the head. This device has that, until the conflict is decided."""
        with reading("conflict"):
            branch = meta["branch"]["attributes"]
            version, identity = int(branch["version"]), str(branch["content_identity"])
            slot = self._slot_of(str(meta["savegame_id"]), version, identity, here)
        await self.transfers.record(slot, here)
        await asyncio.to_thread(self.transfers.queue.drop, slot.slot_name, QueuedKind.UPLOAD)

    async def _settle_conflict(self, conflict_id: str, policy: FolderPolicy) -> SlotReport:
        """Asks for a decision, and puts its result into the folders."""
        for _ in range(MAX_ROUNDS):
            conflict = await self._read_conflict(conflict_id, policy)
            decision = await answer_of(partial(self._decide, conflict))
            if decision is None:
                return SlotReport(
                    conflict.slot_name, SyncAction.CONFLICT, "open", conflict.head.version, conflict=conflict
                )
            here = await self._saved_here()  # the player may have thought for an hour, and played meanwhile
            done = await self._resolve(conflict, decision)
            if done is None:
                continue
            applied = await self.transfers.download(done.savegame_id, done.version, here)
            copy = await self._name_of(done.meta.get("copy_savegame_id"))
            return replace(applied, action=SyncAction.CONFLICT, reason=decision.resolution, copy=copy)
        raise PlanAgain("the conflict has new versions all the time")

    async def _resolve(self, conflict: SaveConflict, decision: ConflictDecision) -> CommittedVersion | None:
        """None: a side has a newer version than the player saw."""
        said: dict[str, Any] = {"head_version": conflict.head.version, "branch_version": conflict.branch.version}
        if decision.resolution is ConflictResolution.MERGE:
            said["units"] = dict(decision.units)
        try:
            return await self._api.resolve(conflict.id, decision.resolution, said)
        except ServiceRefusal as refusal:
            if refusal.code == "SAVEGAME_VERSION_CONFLICT":
                return None
            if refusal.status == 404:  # another device has decided
                raise PlanAgain(str(refusal)) from refusal
            raise

    async def _name_of(self, savegame_id: str | None) -> str | None:
        """The save that an answer of ``keep_both`` has made."""
        saves = await self._api.saves(self.setup.product_id) if savegame_id else []
        return next((one.slot_name for one in saves if one.id == savegame_id), None)

    async def _read_conflict(self, conflict_id: str, policy: FolderPolicy) -> SaveConflict:
        try:
            said = await self._api.conflict(conflict_id)
        except ServiceRefusal as refusal:
            if refusal.status == 404:
                raise PlanAgain(str(refusal)) from refusal
            raise
        differences = None
        if (said.get("differences_count") or 0) > len(said.get("differences") or ()):
            differences = [one async for one in self._api.differences(conflict_id)]
        return read_conflict(said, differences, can_merge=bool(policy.units))

    async def _saved_here(self) -> SaveHere:
        """What the folders hold, if the cloud has it: nothing else may be replaced."""
        here = await self.here()
        if await self.is_changed(here):
            raise PlanAgain("the files have changed since they were uploaded")
        return here

    async def is_changed(self, here: SaveHere) -> bool:
        """Whether the folders hold something that this device has not synchronised."""
        synced, content = await self.transfers.synced(), here.content
        return bool(content.files) and (synced is None or not is_as_synced(content, synced, here.policy))

    async def _identity(self, here: SaveHere) -> str | None:
        """What a plan compares: that of the last version as long as nothing has changed since."""
        synced = await self.transfers.synced()
        is_changed = synced is None or await self.is_changed(here)
        return here.content.identity if is_changed or not synced else synced.content_identity

    async def queue(self, here: SaveHere, reason: str) -> None:
        """Without the network: what changed here waits, and the game can be played."""
        if await self.is_changed(here):
            request, queue = {"files": len(here.content.files)}, self.transfers.queue
            await asyncio.to_thread(queue.put, self.name, QueuedKind.UPLOAD, request, reason)

    async def _id_of(self, advice: SlotAdvice) -> str:
        return advice.savegame_id or await self._savegame_id()

    async def _savegame_id(self) -> str:
        if (synced := await self.transfers.synced()) is not None and synced.savegame_id:
            return synced.savegame_id
        for one in await self._api.saves(self.setup.product_id):
            if one.slot_name == self.name:
                return one.id
        raise ServiceRefusal(404, "SAVEGAME_NOT_FOUND", f"the cloud has no save {self.name!r} of this game")

    async def scopes(self) -> tuple[str, ...]:
        """The scopes of the roots that have a folder here: each is a slot of its own."""
        policy, roots = await self._all_roots()
        return tuple({policy.scope_of(name): None for name in roots.folders})

    def _of_slot(self, policy: FolderPolicy, roots: FoundRoots) -> tuple[FolderPolicy, FoundRoots]:
        names = [name for name in roots.folders if policy.scope_of(name) == self.setup.scope]
        return policy.of_scope(self.setup.scope), roots.only(names)

    async def _all_roots(self) -> tuple[FolderPolicy, FoundRoots]:
        policy, known = await self.policy(), await asyncio.to_thread(self._state.root_folders, self._slots)
        roots = await asyncio.to_thread(find_roots, policy, self.setup.machine, known, self.setup.folders)
        if not roots.folders:
            reasons = "; ".join(f"{name}: {reason}" for name, reason in roots.absent.items())
            hint = "name it, such as --root saves=FOLDER"
            raise PolicyRefused("roots", f"{reasons or 'the policy of the game names no folder'}; {hint}")
        return policy, roots

    async def here(self) -> SaveHere:
        around = await self._all_roots()
        policy, roots = self._of_slot(*around)
        policy = _with_limit(policy, await asyncio.to_thread(self._state.max_file_bytes))
        base, system = await self.transfers.synced(), self.setup.machine.system
        content = await asyncio.to_thread(scan_save, policy, roots, base, system, self._cache)
        left = _without_large(content, policy)
        skipped = {path: file.size for path, file in content.files.items() if path not in left.files}
        return SaveHere(policy, roots, left, around, skipped)

    async def asked(self, here: SaveHere) -> SlotOnDevice:
        """What a plan is asked about."""
        content, synced = here.content, await self.transfers.synced()
        files: Mapping[str, HasIdentity] = {**content.files, **content.elsewhere}
        slot = on_device(self.name, content, synced, unit_hashes(files, here.policy.units))
        if not content.files:
            return replace(slot, content_identity=None, units={})
        return replace(slot, content_identity=await self._identity(here))

    def _slot_of(self, savegame_id: str, version: int, identity: str, here: SaveHere) -> SyncedSlot:
        content = here.content
        return SyncedSlot(self.name, savegame_id, version, identity, content.files, content.elsewhere)

    def report(self, advice: SyncAdvice | None = None, here: SaveHere | None = None) -> SyncReport:
        """What is to be said beside the slots."""
        waiting = self.transfers.queue.all()
        return SyncReport(
            product=self.setup.product_id,
            device_id=self.setup.device.device_id,
            proceed=advice.proceed if advice else "yes",
            others=advice.others if advice else (),
            queued=len(waiting),
            queued_since=min((one.since for one in waiting), default=None),
            uncovered=self._uncovered(here) if here else (),
            rescued=tuple(map(str, self.transfers.rescued)),
            auto_sync=advice.auto_sync if advice else True,
            links=tuple(map(str, here.content.links)) if here else (),
            skipped=_skipped(here) if here else (),
            emptied=tuple(str(here.roots.folders[name]) for name in here.content.emptied) if here else (),
        )

    def _uncovered(self, here: SaveHere) -> tuple[UncoveredFiles, ...]:
        since = self._state.applied_at(self.name)
        if since is None:
            return ()
        policy, roots = here.around
        return tuple(find_uncovered(policy, roots, int(since * 1e9), self.setup.machine.system))


def _shown(advice: SlotAdvice, here: SaveHere) -> SlotReport:
    count = len(here.content.files)
    with reading("plan"):  # an action of a later version of the service
        action = SyncAction(advice.action)
    newer = advice.written_by_newer_version
    return SlotReport(
        advice.slot_name, action, advice.reason, advice.head_version, count, written_by_newer_version=newer
    )


def _skipped(here: SaveHere) -> tuple[LeftOutFile, ...]:
    most = here.policy.limits.max_file_bytes
    return tuple(LeftOutFile(path, size, most) for path, size in sorted(here.skipped.items()))


def _with_limit(policy: FolderPolicy, max_file_bytes: int) -> FolderPolicy:
    """A policy may leave the size of files to the service, which leaves out what is too large."""
    limits = policy.limits
    if limits.max_file_bytes or limits.oversize != "skip":
        return policy
    return replace(policy, limits=replace(limits, max_file_bytes=max_file_bytes))


def _without_large(content: SaveContent, policy: FolderPolicy) -> SaveContent:
    """Leaves out what the policy says is too large. The service would leave it out as well."""
    most = policy.limits.max_file_bytes if policy.limits.oversize == "skip" else 0
    if not most:
        return content
    files = {path: file for path, file in content.files.items() if file.size <= most}
    return replace(content, files=files, stamps={path: content.stamps[path] for path in files})


def _shrinking(refusal: ServiceRefusal) -> GuardQuestion:
    removed, size = refusal.meta.get("removed"), refusal.meta.get("bytes")
    amount = size_text(size) if isinstance(size, int) else "an unknown number of bytes"
    text = f"{removed} of the files of the cloud's version are gone here, with {amount}"
    return GuardQuestion(refusal.code, text, f"--confirm-removals {removed}")
