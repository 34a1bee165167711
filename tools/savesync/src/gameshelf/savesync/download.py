"""A version out of the cloud: whatever the folders lack, in parallel, resumed, and compared with its hash.

The folders are only read. Contents that a file of this machine has already are copied from there.
"""

import asyncio
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from gameshelf.client import ContentDamaged
from gameshelf.client.saves.downloads import ContentFetch
from gameshelf.client.saves.store import CountBytes
from gameshelf.client.saves.uploads import PARALLEL
from gameshelf.savesync.api import MAX_HAVE, SaveApi
from gameshelf.savesync.client_errors import client_errors
from gameshelf.savesync.errors import ContentUnusable, RootUnreadable, SaveChanged, StagingFailed
from gameshelf.savesync.files import CloudFile, CloudFiles, FetchedVersion, LocalFiles, RootFolders
from gameshelf.savesync.scan import hash_file, open_file
from gameshelf.savesync.store import NoProgress, SaveStore, TransferProgress
from gameshelf.savesync.unpacking import unpacked
from gameshelf.savesync.wire import DownloadTicket

_BLOCK = 1 << 20
_Files = Sequence[tuple[str, CloudFile]]
"""Paths and files that have one content in the cloud."""


@dataclass(frozen=True, slots=True)
class OnThisMachine:
    """What the folders have, to be completed with what they lack."""

    files: LocalFiles
    folders: RootFolders
    version: int | None = None
    """The version of this save that the folders had last."""


class Downloader:
    """Downloads versions into a staging folder."""

    def __init__(self, api: SaveApi, store: SaveStore, device_id: str, *, parallel: int = PARALLEL) -> None:
        self._api, self._store, self._device_id = api, store, device_id
        self._parallel = parallel

    async def fetch(
        self,
        savegame_id: str,
        slot_name: str,
        version: int | None,
        here: OnThisMachine,
        staging: Path,
        progress: TransferProgress | None = None,
        wanted: Callable[[str], bool] = lambda path: True,
    ) -> FetchedVersion:
        """Completes a version, by default the head. ``wanted`` says for which paths this machine has a folder.

        Raises ContentUnusable, StagingFailed (as on a full disk), ServiceRefusal or ServiceAway; what has
        arrived stays in the staging folder for the next attempt.
        """
        have = sorted({file.sha256 for file in here.files.values()})[:MAX_HAVE]
        ticket = await self._api.download(
            savegame_id, version=version, device_id=self._device_id, have=have, have_version=here.version
        )
        lacking = _lacking(ticket.files, here.files, wanted)
        await asyncio.to_thread(_prepare, staging, lacking)
        rest = await asyncio.to_thread(_take_local, staging, lacking, here)
        await self._fetch_all(savegame_id, ticket, rest, staging, progress or NoProgress())
        contents = {digest: staging / digest for digest in lacking}
        return FetchedVersion(slot_name, savegame_id, ticket.version, ticket.content_identity, ticket.files, contents)

    async def _fetch_all(
        self,
        savegame_id: str,
        first: DownloadTicket,
        rest: Mapping[str, tuple[str, CloudFile]],
        staging: Path,
        progress: TransferProgress,
    ) -> None:
        """Fetches by the hash of the cloud's bytes, which may be several files: packed, and as they are."""
        left: dict[str, list[tuple[str, CloudFile]]] = {}
        for path, file in rest.values():
            left.setdefault(file.sha256, []).append((path, file))
        sizes = {digest: files[0][1].size for digest, files in left.items()}
        progress.expect(sum(sizes.values()))

        async def receive(url: str, target: Path, size: int, _count: CountBytes) -> None:
            await self._store.receive(url, target, size, progress)

        async def sign(digests: Sequence[str]) -> Mapping[str, str]:
            return (await self._api.download(savegame_id, version=first.version, want=list(digests))).urls

        def place(digest: str, part: Path) -> None:
            _place(left[digest], part, staging)

        fetch = ContentFetch(receive, sign, staging, count=progress.advance, place=place, parallel=self._parallel)
        with client_errors():
            try:
                await fetch.run(sizes, first.urls)
            except ContentDamaged as damaged:
                raise ContentUnusable(left[damaged.sha256][0][0], str(damaged)) from damaged


def _lacking(files: CloudFiles, local: LocalFiles, wanted: Callable[[str], bool]) -> dict[str, tuple[str, CloudFile]]:
    """What no file has under its path, by the hash on the disk. Raises ContentUnusable for what cannot be read here."""
    lacking = {}
    for path, file in files.items():
        if not wanted(path):
            continue
        if file.encryption is not None:
            raise ContentUnusable(path, "it is encrypted, and this client has no key")
        if path not in local or local[path].sha256 != file.disk_sha256:
            lacking[file.disk_sha256] = (path, file)
    return lacking


def _prepare(staging: Path, lacking: Mapping[str, tuple[str, CloudFile]]) -> None:
    """Removes what an earlier attempt left for another version, or damaged; halves are completed later."""
    staging.mkdir(parents=True, exist_ok=True)
    halves = {f"{file.sha256}.part" for _, file in lacking.values()}
    for found in staging.iterdir():
        is_complete = found.name in lacking and hash_file(found) == found.name
        if not is_complete and found.name not in halves:
            found.unlink(missing_ok=True)


def _take_local(
    staging: Path, lacking: Mapping[str, tuple[str, CloudFile]], here: OnThisMachine
) -> dict[str, tuple[str, CloudFile]]:
    """Copies contents that another path of the folders has: a file that was only moved is not downloaded."""
    places = {file.sha256: (path, file) for path, file in here.files.items()}
    rest = {}
    for digest, content in lacking.items():
        target = staging / digest
        if target.exists():
            continue
        found = places.get(digest)
        folder = here.folders.get(found[0].partition("/")[0]) if found else None
        if found is None or folder is None or not _copied(folder / found[1].disk_name, target, digest):
            rest[digest] = content
    return rest


def _copied(source: Path, target: Path, digest: str) -> bool:
    draft = target.with_name(f"{digest}.copy")
    try:
        with open_file(source) as original, draft.open("wb") as copy:
            shutil.copyfileobj(original, copy, _BLOCK)
        is_same = hash_file(draft) == digest
        if is_same:
            draft.replace(target)
    except (OSError, RootUnreadable, SaveChanged):  # it is downloaded instead
        return False
    finally:
        draft.unlink(missing_ok=True)
    return is_same


def _place(files: Sequence[tuple[str, CloudFile]], part: Path, staging: Path) -> None:
    """Unpacks a content where that has to be done, and gives the results their names."""
    for path, file in files:
        if file.is_packed:
            _unpack(path, file, part, staging)
    if any(not file.is_packed for _, file in files):
        part.replace(staging / files[0][1].sha256)
    else:
        part.unlink()


def _unpack(path: str, file: CloudFile, part: Path, staging: Path) -> None:
    target = staging / file.disk_sha256
    draft = target.with_name(f"{target.name}.raw")
    try:
        digest = sha256()
        with open_file(part) as packed, draft.open("wb") as raw:
            for block in unpacked(path, file, packed):
                digest.update(block)
                raw.write(block)
        if digest.hexdigest() != file.raw_sha256:
            raise ContentUnusable(path, f"unpacked it is not {file.raw_sha256}")
        draft.replace(target)
    except OSError as error:
        raise StagingFailed(draft, error) from error
    finally:
        draft.unlink(missing_ok=True)
