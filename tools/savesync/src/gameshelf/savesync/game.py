"""All saves of a game on this machine: the files that all systems share, and beside them those of this system alone.

One path cannot hold the files of two systems. So the roots of scope ``os`` are a slot of their own, which is named
after the system that the game sees: ``main (windows)``, also for a game for Windows in Proton.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from gameshelf.savesync.api import SaveApi
from gameshelf.savesync.conflict import Decide
from gameshelf.savesync.engine import Sync
from gameshelf.savesync.errors import SaveSyncError
from gameshelf.savesync.policy import FolderPolicy
from gameshelf.savesync.report import SyncIntent, SyncReport, join_reports
from gameshelf.savesync.setup import SyncOptions, SyncProgress, SyncSetup
from gameshelf.savesync.store import SaveStore
from gameshelf.savesync.wire import CloudVersion


class GameSync:
    """Synchronises the slots of a game one after the other."""

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
        system = f" ({setup.machine.runs_as})"
        of_system = replace(setup, slot_name=setup.slot_name.removesuffix(system) + system, scope="os")
        setups = [of_system] if setup.slot_name.endswith(system) else [setup, of_system]
        self._syncs = {
            one.scope: Sync(one, api, store, decide=decide, progress=progress, pause=pause) for one in setups
        }

    async def run(self, intent: SyncIntent, options: SyncOptions | None = None) -> SyncReport:
        """One synchronisation. Raises SaveSyncError where nothing could be done."""
        return join_reports([await one.run(intent, options) for one in await self._there()])

    async def status(self) -> SyncReport:
        """What a run would do. It changes neither the folders nor the save in the cloud."""
        return join_reports([await one.status() for one in await self._there()])

    async def history(self) -> list[CloudVersion]:
        """The versions of the slot, the newest first."""
        return await (await self._there())[0].history()

    async def restore(self, version: int, units: Sequence[str] = ()) -> SyncReport:
        """Makes an older version of the slot, or units of it, the head, and puts that into the folders."""
        return await (await self._there())[0].restore(version, units)

    async def look(self) -> object:
        """Names, sizes and times of the folders: equal values mean that nothing changed."""
        return [await one.look() for one in await self._there()]

    async def games(self) -> tuple[str, ...]:
        """The processes of the game that run."""
        return await self._first.games()

    async def policy(self) -> FolderPolicy:
        """The policy that the folders are found by."""
        return await self._first.policy()

    @property
    def _first(self) -> Sync:
        return next(iter(self._syncs.values()))

    async def _there(self) -> list[Sync]:
        """The slots that have a folder here. Where that cannot be known, the first one finds the reason."""
        try:
            scopes = await self._first.scopes()
        except SaveSyncError:
            scopes = ()
        return [sync for scope, sync in self._syncs.items() if scope in scopes] or [self._first]
