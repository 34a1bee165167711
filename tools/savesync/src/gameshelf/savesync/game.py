"""All saves of a game on this machine: the files that all systems share, and beside them those of this system alone.

One path cannot hold the files of two systems. So the roots of scope ``os`` are a slot of their own, which is named
after the system that the game sees: ``main (windows)``, also for a game for Windows in Proton.

Every run recovers first, then reports what an earlier run could not, then asks the service for one plan of all slots:
a plan of some of them would say of the others that this device has nothing to upload.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from gameshelf.savesync.api import SaveApi
from gameshelf.savesync.apply_errors import FileChanged
from gameshelf.savesync.conflict import Decide
from gameshelf.savesync.engine import MAX_ROUNDS, PlanAgain, SlotSync
from gameshelf.savesync.errors import (
    LockHeld,
    PrefixMissing,
    RestoreImpossible,
    SaveChanged,
    SaveSyncError,
    ServiceAway,
    ServiceRefusal,
    VersionAmbiguous,
)
from gameshelf.savesync.lock import locked
from gameshelf.savesync.policy import FolderPolicy
from gameshelf.savesync.processes import running
from gameshelf.savesync.queue import QueuedKind
from gameshelf.savesync.report import SlotReport, SyncAction, SyncIntent, SyncReport, join_reports, proceed_beside
from gameshelf.savesync.settle import Deferred, Settled, settle
from gameshelf.savesync.setup import SyncOptions, SyncProgress, SyncSetup
from gameshelf.savesync.state import SaveState
from gameshelf.savesync.store import SaveStore
from gameshelf.savesync.transfers import SaveHere
from gameshelf.savesync.wire import CloudVersion, SlotAdvice, SyncAdvice

_SLOT_OF_POINTER = re.compile(r"/slots/(\d+)/")
_UNKNOWN_BASE = ("SAVEGAME_SLOT_NOT_FOUND", "SAVEGAME_VERSION_NOT_FOUND")
_Heres = list[tuple[SlotSync, SaveHere]]


@dataclass(slots=True)
class _Run:
    """A run, and what it has done so far."""

    intent: SyncIntent
    options: SyncOptions = field(default_factory=SyncOptions)
    done: dict[str, SlotReport] = field(default_factory=dict)
    """By the name of the slot. It is not done again where the run begins again."""

    @property
    def waits(self) -> bool:
        """Whether changed files have to settle. Before a launch no game writes."""
        return self.intent is not SyncIntent.LAUNCH and not self.options.is_immediate


class GameSync:
    """Synchronises the folders of a product with its slots in the cloud."""

    def __init__(
        self,
        setup: SyncSetup,
        api: SaveApi,
        store: SaveStore,
        *,
        decide: Decide,
        progress: SyncProgress,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._setup, self._api, self._progress, self._pause = setup, api, progress, pause
        system = f" ({setup.machine.runs_as})"
        of_system = replace(setup, slot_name=setup.slot_name.removesuffix(system) + system, scope="os")
        setups = [of_system] if setup.slot_name.endswith(system) else [setup, of_system]
        slots = [one.slot_name for one in setups]
        self._syncs = {
            one.scope: SlotSync(one, api, store, decide=decide, progress=progress, slots=slots) for one in setups
        }
        self._state = SaveState(setup.state_folder)

    async def run(self, intent: SyncIntent, options: SyncOptions | None = None) -> SyncReport:
        """One synchronisation. Raises SaveSyncError where nothing could be done.

        Where a game has several slots, the error of one is in its report, and the others are synchronised all the same.
        """
        run = _Run(intent, options or SyncOptions())
        try:
            with locked(self._state.lock_file):
                await self._first.transfers.recover()
                try:
                    await self._first.transfers.send_reports()
                    return await self._rounds(run)
                except ServiceAway as away:
                    return replace(await self._away(run, str(away)), retry_after=away.retry_after)
        except (LockHeld, PrefixMissing) as held:
            return replace(self._first.report(), deferred=str(held))

    async def status(self) -> SyncReport:
        """What a run that a person asks for would do. It changes neither the folders nor the save in the cloud."""
        if self._first.transfers.is_interrupted:
            reason = "a download was interrupted; the next synchronisation finishes it"
            return replace(self._first.report(), deferred=reason)
        reason = "the cloud changes all the time"
        for _ in range(MAX_ROUNDS):
            try:
                return await self._status(_Run(SyncIntent.MANUAL))
            except PlanAgain:
                continue
            except ServiceAway as away:
                reason = str(away)
                break
            except PrefixMissing as missing:
                reason = str(missing)
                break
        return replace(self._first.report(), deferred=reason)

    async def history(self, *, with_others: bool = False) -> list[CloudVersion]:
        """The versions of all slots, those of one after those of another, the newest first.

        ``with_others``: after them the heads of the other saves of the game, which ``restore`` can take files from.
        """
        found: list[CloudVersion] = []
        refused: ServiceRefusal | None = None
        for slot in await self._there():
            try:
                found += await slot.history()
            except ServiceRefusal as refusal:
                if refusal.status != 404:
                    raise
                refused = refused or refusal
        if with_others:
            own = {slot.name for slot in self._syncs.values()}
            saves = await self._api.saves(self._setup.product_id)
            found += [replace(one, status="head") for one in saves if one.slot_name not in own]
        if refused and not found:
            raise refused
        return found

    async def restore(self, version: int, units: Sequence[str] = (), slot_name: str | None = None) -> SyncReport:
        """Makes an older version of a slot, or units of it, the head, and puts that into the folders.

        What the folders hold is uploaded first, so nothing is lost. Without a name it is the slot that has the version;
        raises VersionAmbiguous if there are several.
        """
        return await self._restored(
            lambda: self._slot_with(version, slot_name), lambda slot: slot.restore(version, units)
        )

    async def restore_from(
        self, name: str, version: int | None = None, units: Sequence[str] = (), slot_name: str | None = None
    ) -> SyncReport:
        """Makes the files of another save of the game, such as the copy of a conflict, the head of a slot.

        Without a version it is the other's head, without the name of a slot the one that the other's name begins with.
        Raises RestoreImpossible if there is no such save.
        """
        saves = await self._api.saves(self._setup.product_id)
        other = next((one for one in saves if one.slot_name == name), None)
        if other is None:
            names = ", ".join(repr(one.slot_name) for one in saves) or "none"
            raise RestoreImpossible(f"the cloud has no save {name!r} of this game; there are {names}")

        async def slot_of() -> SlotSync:
            there = await self._there()
            fitting = [slot for slot in there if name.startswith(slot.name)]
            chosen = [slot for slot in there if slot.name == slot_name]
            return max(chosen or fitting or there[:1], key=lambda slot: len(slot.name))

        return await self._restored(slot_of, lambda slot: slot.restore_from(other, version, units))

    async def _restored(
        self, find: Callable[[], Awaitable[SlotSync]], restore: Callable[[SlotSync], Awaitable[SlotReport]]
    ) -> SyncReport:
        run = _Run(SyncIntent.MANUAL, SyncOptions(is_immediate=True))
        with locked(self._state.lock_file):
            await self._first.transfers.recover()
            await self._first.transfers.send_reports()
            slot = await find()
            before = await self._rounds(run)
            saved = run.done.get(slot.name)
            if before.deferred or saved is None or saved.conflict or saved.question or saved.error:
                return before
            try:
                run.done[slot.name] = await restore(slot)
            except PlanAgain as changed:
                return replace(before, deferred=str(changed))
            return replace(before, slots=tuple(run.done.values()))

    async def auto_sync(self, value: bool | None = None) -> bool:
        """Whether the game synchronises by itself: it and the account have to say so. A value switches the game."""
        if value is not None:
            await self._api.set_auto_sync(value, self._setup.product_id)
        found = await self._api.auto_sync(self._setup.product_id) and await self._api.auto_sync()
        await asyncio.to_thread(self._state.note_auto_sync, found)
        return found

    async def look(self) -> object:
        """Names, sizes and times of the folders, for ``watch``: equal values mean that nothing changed."""
        return [await slot.look() for slot in await self._there()]

    async def games(self) -> tuple[str, ...]:
        """The processes of the game that run."""
        return tuple(await asyncio.to_thread(running, (await self.policy()).processes))

    async def policy(self) -> FolderPolicy:
        """The policy that the folders are found by."""
        return await self._first.policy()

    @property
    def _first(self) -> SlotSync:
        return next(iter(self._syncs.values()))

    async def _there(self) -> list[SlotSync]:
        """The slots that have a folder here. Where that cannot be known, the first one finds the reason."""
        try:
            scopes = await self._first.scopes()
        except ServiceAway:
            raise
        except SaveSyncError:
            scopes = ()
        return [sync for scope, sync in self._syncs.items() if scope in scopes] or [self._first]

    async def _slot_with(self, version: int, slot_name: str | None) -> SlotSync:
        there = await self._there()
        if slot_name is not None or len(there) == 1:
            return next((slot for slot in there if slot.name == slot_name), there[0])
        having = {one.slot_name for one in await self.history() if one.version == version}
        found = [slot for slot in there if slot.name in having]
        if len(found) > 1:
            raise VersionAmbiguous(version, [slot.name for slot in found])
        return found[0] if found else there[0]

    async def _rounds(self, run: _Run) -> SyncReport:
        reason = ""
        for _ in range(MAX_ROUNDS):
            try:
                return await self._once(run)
            except (PlanAgain, SaveChanged, FileChanged) as changed:
                reason = str(changed)
            except ServiceRefusal as refusal:
                if refusal.code != "SAVEGAME_POLICY_CHANGED":
                    raise
                await self._first.refresh_policy()
                reason = "the policy of the game has changed"
        return self._reported(run, deferred=f"something changes all the time: {reason}")

    async def _once(self, run: _Run) -> SyncReport:
        heres = await self._heres(run)
        if run.waits and [slot for slot, here in heres if await slot.is_changed(here)]:
            self._progress.say("waiting until the game has finished writing")
            waited = await self._settled(heres)
            if isinstance(waited, Deferred):
                return self._reported(run, heres, deferred=waited.reason)
            heres = await self._heres(run)
            if [here.content.look for _, here in heres] != waited.content:
                raise PlanAgain("the game has written again")
        asked: _Heres = []
        for slot, here in heres:
            if here.content.files and here.content.emptied and not run.options.may_remove:
                run.done[slot.name] = await slot.emptied(here)
            elif slot.name not in run.done and not run.options.takes_over and (taken := await slot.taken(here)):
                run.done[slot.name] = taken
            else:
                asked.append((slot, here))
        if not asked:
            return self._reported(run, heres)
        advice = await self._plan(run, asked)
        await self._act(run, advice, asked)
        return self._answered(run, advice, heres)

    async def _heres(self, run: _Run) -> _Heres:
        """What the folders of each slot hold. One that cannot be read is no reason to leave out the others."""
        there = await self._there()
        heres: _Heres = []
        for slot in there:
            try:
                heres.append((slot, await slot.here()))
            except (SaveChanged, ServiceAway):
                raise
            except SaveSyncError as error:
                if len(there) == 1:
                    raise
                run.done[slot.name] = _failed(slot, error)
        return heres

    async def _settled(self, heres: _Heres) -> Settled[object] | Deferred:
        async def look() -> object:
            return [await slot.look() for slot, _ in heres]

        seconds = heres[0][1].policy.settle_seconds
        return await settle(look, self.games, seconds, pause=self._pause)

    async def _act(self, run: _Run, advice: SyncAdvice, asked: _Heres) -> None:
        """Does what the plan says for each slot. What changes meanwhile, or fails, does not stop the others."""
        again: Exception | None = None
        away: ServiceAway | None = None
        for slot, here in asked:
            if slot.name in run.done:
                continue
            advised = _advised(advice, slot)
            try:
                done = await slot.act(advised, here, run.options)
            except (PlanAgain, SaveChanged, FileChanged) as changed:
                again = changed
                continue
            except ServiceAway as error:  # it may be the store alone, or one content of it
                away = away or error
                continue
            except SaveSyncError as error:
                is_of_all = isinstance(error, ServiceRefusal) and error.code == "SAVEGAME_POLICY_CHANGED"
                if is_of_all or len(asked) == 1 or slot.transfers.is_interrupted:
                    raise
                done = _failed(slot, error)
            run.done[slot.name] = replace(done, written_by_newer_version=advised.written_by_newer_version)
        if away is not None:
            raise away
        if again is not None:
            raise again

    async def _plan(self, run: _Run, asked: _Heres) -> SyncAdvice:
        """Asks the service. Raises PlanAgain if it has a newer policy, or does not know what this device had."""
        device, policy = self._setup.device, asked[0][1].policy
        options = {
            "device_name": device.device_name,
            "policy_revision": policy.revision,
            "game_version_id": self._setup.game_version,
        }
        slots = [await slot.asked(here) for slot, here in asked]
        try:
            advice = await self._api.plan(self._setup.product_id, device.device_id, run.intent, slots, options)
        except ServiceRefusal as refusal:
            if await self._forget(refusal, [slot for slot, _ in asked]):
                raise PlanAgain(str(refusal)) from refusal
            raise
        await self._note_auto_sync(run, advice, [slot for slot, _ in asked])
        await self._first.follow(advice.policy, policy.revision)
        refined = tuple([await slot.refined(_advised(advice, slot), here) for slot, here in asked])
        if any(one.asks for one in advice.slots) and not any(one.asks for one in refined):
            advice = replace(advice, proceed=proceed_beside(advice.others, run.intent))
        return replace(advice, slots=refined)

    async def _note_auto_sync(self, run: _Run, advice: SyncAdvice, slots: Sequence[SlotSync]) -> None:
        await asyncio.to_thread(self._state.note_auto_sync, advice.auto_sync)
        if not advice.auto_sync and run.intent is not SyncIntent.MANUAL:
            await self._wait_for_nothing(slots)

    async def _wait_for_nothing(self, slots: Sequence[SlotSync]) -> None:
        """Where the player synchronises by hand, no upload waits for the network."""
        for slot in slots:
            await asyncio.to_thread(slot.transfers.queue.drop, slot.name, QueuedKind.UPLOAD)

    async def _forget(self, refusal: ServiceRefusal, slots: Sequence[SlotSync]) -> bool:
        """Forgets the version of a slot that the service does not know: the save was removed for good, or the service
        was restored from an older backup. What the folders hold is compared as a save from nothing then.
        """
        if refusal.status != 404 or refusal.code not in _UNKNOWN_BASE:
            return False
        found = _SLOT_OF_POINTER.search(refusal.pointer)
        place = int(found[1]) if found else len(slots)
        meant = slots[place : place + 1] or slots
        return any([await slot.transfers.forget_version() for slot in meant])

    async def _status(self, run: _Run) -> SyncReport:
        heres = await self._heres(run)
        advice = await self._plan(run, heres) if heres else None
        for slot, here in heres:
            assert advice is not None
            taken = await slot.taken(here)
            run.done[slot.name] = taken or await slot.planned(_advised(advice, slot), here)
        return self._reported(run, heres, advice)

    async def _away(self, run: _Run, reason: str) -> SyncReport:
        if await self._first.known_policy() is None:
            return self._reported(run, deferred=reason)
        heres = await self._heres(run)
        if run.intent is not SyncIntent.MANUAL and not await asyncio.to_thread(self._state.auto_sync):
            await self._wait_for_nothing([slot for slot, _ in heres])
            for slot, here in heres:
                count = len(here.content.files)
                run.done[slot.name] = SlotReport(slot.name, SyncAction.NONE, "auto_sync_off", files=count)
            return replace(self._reported(run, heres), auto_sync=False)
        for slot, here in heres:
            if slot.name not in run.done:
                await slot.queue(here, reason)
        return self._reported(run, heres, deferred=reason)

    def _answered(self, run: _Run, advice: SyncAdvice, heres: _Heres) -> SyncReport:
        """The report of a plan; what it asked of this device was answered meanwhile, or is in the reports."""
        asking = [run.done[one.slot_name] for one in advice.slots if one.asks and one.slot_name in run.done]
        if asking and not any(one.conflict or one.question or one.error for one in asking):
            advice = replace(advice, proceed=proceed_beside(advice.others, run.intent))
        return self._reported(run, heres, advice)

    def _reported(
        self, run: _Run, heres: _Heres | None = None, advice: SyncAdvice | None = None, deferred: str | None = None
    ) -> SyncReport:
        reports = [slot.report(advice, here) for slot, here in heres or ()] or [self._first.report(advice)]
        order = [slot.name for slot in self._syncs.values()]
        slots = sorted(run.done.values(), key=lambda one: order.index(one.slot))
        return replace(join_reports(reports), slots=tuple(slots), deferred=deferred)


def _advised(advice: SyncAdvice, slot: SlotSync) -> SlotAdvice:
    found = next((one for one in advice.slots if one.slot_name == slot.name), None)
    return found or SlotAdvice(slot.name, "none", "nothing")


def _failed(slot: SlotSync, error: SaveSyncError) -> SlotReport:
    return SlotReport(slot.name, SyncAction.NONE, "failed", error="; ".join((str(error), *error.hints)))
