"""Downloads: the contents of a version, in parallel, resumed, each compared with its hash."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from gameshelf.client.errors import ContentDamaged, ForeignAnswer, LibraryError, LibraryUnreachable
from gameshelf.client.saves.contents import hash_of_file
from gameshelf.client.saves.store import CountBytes, SignatureRefused
from gameshelf.client.saves.uploads import MOST_IDLE, PARALLEL, gather_or_cancel

MOST_WANTED = 100
"""URLs that the service signs at once."""
MOST_HAD = 1_000
"""Hashes of contents that a request names at most."""
_TRIES = 2
"""Bytes of an interrupted attempt may be damaged, those of a second one may not."""


@dataclass(frozen=True, slots=True)
class DownloadedFile:
    """A file of a version."""

    path: str | None
    """None for a save that is a single file."""
    sha256: str
    """Of the stored bytes."""
    content: bytes | None
    """The stored bytes; None for a file that the device has already, and for a download into a folder."""
    place: Path | None
    """The file that has the stored bytes, for a download into a folder."""
    about: Mapping[str, Any]
    """All that the service says of it: ``modified_at``, ``content_encoding``, ``encryption`` …"""


@dataclass(frozen=True, slots=True)
class DownloadedSave:
    """A version of a save."""

    savegame_id: str
    version: int
    files: tuple[DownloadedFile, ...]
    """The files of a set; a save that is a single file has one, whose path is None."""

    @property
    def single_file(self) -> bytes:
        """The bytes of a save that is a single file. Raises ForeignAnswer for a set."""
        if len(self.files) != 1 or self.files[0].path is not None or self.files[0].content is None:
            raise ForeignAnswer("download", 200, "the save is a set of files")
        return self.files[0].content


class ReceiveContent(Protocol):
    """Completes a file with the bytes of an address. Raises SignatureRefused."""

    def __call__(self, url: str, target: Path, size: int, count: CountBytes, /) -> Awaitable[None]: ...


class ContentFetch:
    """Fetches contents by their hashes into a folder. What has arrived stays there for the next attempt."""

    def __init__(
        self,
        receive: ReceiveContent,
        sign: Callable[[Sequence[str]], Awaitable[Mapping[str, str]]],
        folder: Path,
        *,
        count: CountBytes,
        place: Callable[[str, Path], None] | None = None,
        parallel: int = PARALLEL,
    ) -> None:
        """``sign`` returns fresh addresses of contents. ``place`` gives a complete file its name, in a thread."""
        self._receive, self._sign, self._folder = receive, sign, folder
        self._count, self._place, self._parallel = count, place or _keep, parallel

    async def run(self, sizes: Mapping[str, int], urls: Mapping[str, str]) -> None:
        """Fetches contents of these sizes; ``urls`` are the addresses that are known already.

        Raises what receiving and signing raise, ContentDamaged, and LibraryUnreachable.
        """
        left, idle = dict(sizes), 0
        while left:
            before = len(left)
            now = {digest: urls[digest] for digest in left if digest in urls}
            refused = await self._fetch_some(now, left)
            if not left:
                return
            idle = idle + 1 if len(left) == before else 0
            if idle > MOST_IDLE:
                raise refused or LibraryUnreachable(f"the store: {len(left)} contents cannot be downloaded")
            urls = await self._sign(list(left)[:MOST_WANTED])

    async def _fetch_some(self, urls: Mapping[str, str], left: dict[str, int]) -> LibraryError | None:
        """Removes from ``left`` what is complete; returns why the store did not accept a signature."""
        places = asyncio.Semaphore(self._parallel)
        refused: list[LibraryError] = []

        async def fetch(digest: str, url: str) -> None:
            async with places:
                try:
                    await self._fetch_one(digest, url, left[digest])
                except SignatureRefused as error:  # a fresh one comes with the next answer
                    refused.append(error.reason)
                else:
                    del left[digest]

        await gather_or_cancel([fetch(*one) for one in urls.items()])
        return refused[0] if refused else None

    async def _fetch_one(self, digest: str, url: str, size: int) -> None:
        part = self._folder / f"{digest}.part"
        for _ in range(_TRIES):
            await self._receive(url, part, size, self._count)
            if await asyncio.to_thread(hash_of_file, part) == digest:
                await asyncio.to_thread(self._place, digest, part)
                return
            self._count(-size)
            part.unlink()
        raise ContentDamaged(digest)


def _keep(digest: str, part: Path) -> None:
    part.replace(part.with_name(digest))
