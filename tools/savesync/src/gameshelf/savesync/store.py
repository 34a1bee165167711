"""Bytes of a save to the store and from it, by the client of the service. The token is never sent there."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import httpx
from gameshelf.client import RetryRules
from gameshelf.client.saves.store import TransferStore
from gameshelf.client.saves.tickets import StoreRequest
from gameshelf.savesync.client_errors import reading_errors, writing_errors
from gameshelf.savesync.scan import open_file

Pause = Callable[[float], Awaitable[None]]
_RULES = RetryRules(tries=4)


class TransferProgress(Protocol):
    """Is notified of how many bytes there are, and of those that were transferred.

    A request that failed takes its bytes back with a negative number.
    """

    def expect(self, size: int) -> None: ...

    def advance(self, size: int) -> None: ...


class NoProgress:
    """Shows nothing."""

    def expect(self, size: int) -> None:
        """Ignores it."""

    def advance(self, size: int) -> None:
        """Ignores it."""


@dataclass(frozen=True, slots=True)
class SaveStore:
    """The store, for the files of this machine. Each method raises SignatureRefused where a fresh signature is needed,
    ServiceRefusal or ServiceAway.
    """

    client: httpx.AsyncClient
    pause: Pause = asyncio.sleep

    async def send(self, request: StoreRequest, path: Path, progress: TransferProgress) -> None:
        """Sends a content or a part of it. Raises SaveChanged or RootUnreadable, too."""
        with reading_errors(path):
            await self._transfers.send(request, partial(open_file, path), progress.advance)

    async def receive(self, url: str, target: Path, size: int, progress: TransferProgress) -> None:
        """Completes a file to its size, from where an earlier attempt ended. Raises StagingFailed, too.

        The caller compares its hash.
        """
        with writing_errors(target):
            await self._transfers.receive(url, target, size, progress.advance)

    async def receive_once(self, url: str, target: Path, size: int) -> None:
        """Receives a content as a whole. A connection that ends is an error, for a caller that keeps no halves."""
        with writing_errors(target):
            await self._transfers.receive_once(url, target, size)

    @property
    def _transfers(self) -> TransferStore:
        return TransferStore(self.client, self.pause, _RULES)
