"""Cloud saves: the generated calls, and whole uploads and downloads."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from gameshelf.client.errors import ContentChanged, ForeignAnswer, LibraryRefusal
from gameshelf.client.groups import AnyId
from gameshelf.client.operations import SavegamesCalls
from gameshelf.client.saves.contents import SaveBytes, entry_of, hash_of_file, name_of
from gameshelf.client.saves.downloads import MOST_HAD, ContentFetch, DownloadedFile, DownloadedSave
from gameshelf.client.saves.store import CountBytes, TransferStore
from gameshelf.client.saves.tickets import StoreRequest, Ticket, ticket_of, ticket_of_file
from gameshelf.client.saves.uploads import (
    PARALLEL,
    CommitDone,
    CommitLacking,
    CommitPending,
    SaveOutcome,
    SaveUpload,
    ShowProgress,
    TransferCounter,
)
from gameshelf.client.transport import Transport

if TYPE_CHECKING:
    from gameshelf.client.schemas import DownloadSet

_INCOMPLETE = ("SAVEGAME_UPLOAD_INCOMPLETE", "SAVEGAME_HASH_MISMATCH")


class SavesGroup(SavegamesCalls):
    """The calls about saves."""

    def __init__(self, transport: Transport, store: TransferStore, device_id: str | None = None) -> None:
        super().__init__(transport)
        self.store, self.device_id = store, device_id

    async def upload(
        self,
        about: Mapping[str, Any],
        content: SaveBytes,
        *,
        parallel: int = PARALLEL,
        on_progress: ShowProgress | None = None,
    ) -> SaveOutcome:
        """Saves one file. Bytes that are stored already are not sent again.

        ``about`` has ``product_id``, ``save_slot_name`` and what else a ``NewUpload`` may have besides its bytes.
        Raises LibraryRefusal, ContentChanged, or LibraryUnreachable: the same call resumes it later.
        """
        entry = await asyncio.to_thread(entry_of, None, content)
        digest, size = entry["sha256"], entry["size_bytes"]
        said: Any = {"device_id": self.device_id, **about, "file_size_bytes": size, "file_hash_sha256": digest}

        async def begin() -> Ticket:
            return ticket_of_file((await self.request_upload_url(said)).data, digest, size)

        async def verify() -> None:
            """The store compares the contents of sets alone."""
            if not isinstance(content, bytes) and await asyncio.to_thread(entry_of, None, content) != entry:
                raise ContentChanged(name_of(content))

        upload = SaveUpload(
            _Calls(self, begin),
            {digest: content}.__getitem__,
            pause=self.store.pause,
            parallel=parallel,
            on_progress=on_progress,
            before_commit=verify,
        )
        return await upload.run()

    async def upload_set(
        self,
        about: Mapping[str, Any],
        files: Mapping[str, SaveBytes],
        *,
        parallel: int = PARALLEL,
        on_progress: ShowProgress | None = None,
    ) -> SaveOutcome:
        """Saves a set of files by their paths. Only contents that are not stored yet are sent, large ones in parts.

        ``about`` has ``product_id``, ``save_slot_name`` and what else a ``NewSet`` may have besides its files.
        Raises LibraryRefusal, ContentChanged, or LibraryUnreachable: the same call resumes it later.
        """
        entries = [await asyncio.to_thread(entry_of, path, content) for path, content in files.items()]
        contents = {entry["sha256"]: files[entry["path"] or ""] for entry in entries}
        said: Any = {"device_id": self.device_id, **about, "files": entries}

        async def begin() -> Ticket:
            return ticket_of((await self.begin_upload(said)).data)

        calls = _Calls(self, begin)
        return await SaveUpload(
            calls, contents.__getitem__, pause=self.store.pause, parallel=parallel, on_progress=on_progress
        ).run()

    async def download(
        self,
        savegame_id: AnyId,
        *,
        version: int | None = None,
        device_id: str | None = None,
        have: Sequence[str] = (),
        folder: Path | None = None,
        parallel: int = PARALLEL,
        on_progress: ShowProgress | None = None,
    ) -> DownloadedSave:
        """Downloads a version, by default the head. Report it with ``report_synced`` once it is where the game reads.

        ``have`` are the SHA-256 of contents that the device has. With ``folder`` the contents are files there, named
        by their SHA-256, and a download that was interrupted continues; without it they are in memory.
        """
        asked = _Asked(savegame_id, version, device_id or self.device_id, frozenset(have))
        options = _Options(parallel, on_progress)
        if folder is not None:
            await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
            return await self._download(asked, folder, options)
        with TemporaryDirectory(prefix="gameshelf-") as made:
            save = await self._download(asked, Path(made), options)
            return replace(save, files=await asyncio.to_thread(lambda: tuple(map(_in_memory, save.files))))

    async def _download(self, asked: "_Asked", folder: Path, options: "_Options") -> DownloadedSave:
        """Brings what the device does not have into a folder."""
        listed = await self._listed(asked, {"have": sorted(asked.have)[:MOST_HAD]})
        kept = await asyncio.to_thread(lambda: {digest for digest in listed.sizes if _is_whole(folder / digest)})
        sizes = {digest: size for digest, size in listed.sizes.items() if digest not in asked.have | kept}
        of_this = replace(asked, version=listed.version)

        async def sign(digests: Sequence[str]) -> Mapping[str, str]:
            return (await self._listed(of_this, {"want": list(digests)})).urls

        counter = TransferCounter(sum(sizes.values()), options.on_progress)
        fetch = ContentFetch(self.store.receive, sign, folder, count=counter.count, parallel=options.parallel)
        await fetch.run(sizes, listed.urls)
        here = {digest: folder / digest for digest in kept | sizes.keys()}
        files = tuple(_file_of(said, here.get(said["sha256"])) for said in listed.files)
        return DownloadedSave(str(asked.savegame_id), listed.version, files)

    async def _listed(self, asked: "_Asked", more: "DownloadSet") -> "_Listed":
        said: DownloadSet = {"version": asked.version, "device_id": asked.device_id, **more}
        return _Listed.of((await self.download_save(asked.savegame_id, said)).data)


@dataclass(frozen=True, slots=True)
class _Calls:
    """What an upload asks of the service and of the store."""

    saves: SavesGroup
    begin: Callable[[], Coroutine[Any, Any, Ticket]]

    async def again(self, upload_id: str) -> Ticket | None:
        try:
            return ticket_of((await self.saves.get_upload(upload_id)).data)
        except LibraryRefusal as refusal:
            if refusal.status != 404:
                raise
            return None

    async def commit(self, upload_id: str) -> CommitDone[SaveOutcome] | CommitPending | CommitLacking:
        try:
            answer = await self.saves.commit_upload(upload_id)
        except LibraryRefusal as refusal:
            if refusal.code == "SAVEGAME_VERSION_CONFLICT":
                return CommitDone(SaveOutcome("conflict", None, refusal.meta))
            if refusal.status == 404 or refusal.code in _INCOMPLETE:
                return CommitLacking(refusal, is_gone=refusal.status == 404)
            raise
        if answer.status == 202:
            return CommitPending.of(answer)
        return CommitDone(SaveOutcome(answer.meta.get("result", "head"), answer.data, answer.meta))

    async def send(self, request: StoreRequest, content: SaveBytes, count: CountBytes) -> None:
        await self.saves.store.send(request, content, count)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The version that is to be downloaded, and what the device has of it."""

    savegame_id: AnyId
    version: int | None
    device_id: str | None
    have: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Options:
    """How a download is made, and shows itself."""

    parallel: int
    on_progress: ShowProgress | None


@dataclass(frozen=True, slots=True)
class _Listed:
    """The list of a version, with addresses of contents."""

    version: int
    files: Sequence[Mapping[str, Any]]
    sizes: Mapping[str, int]
    """By SHA-256: files with the same content have one's worth of bytes."""
    urls: Mapping[str, str]

    @classmethod
    def of(cls, data: Any) -> "_Listed":
        """Of a ``savegameDownload``. Raises ForeignAnswer if it makes no sense."""
        try:
            version, files = int(data["attributes"]["version"]), data["attributes"]["files"]
            sizes = {_hash(file["sha256"]): int(file["size_bytes"]) for file in files}
            urls = {file["sha256"]: str(file["download_url"]) for file in files if file.get("download_url")}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ForeignAnswer("download", 200, f"{type(error).__name__}: {error}") from error
        return cls(version, files, sizes, urls)


def _hash(text: str) -> str:
    """A hash names a file in a folder, so it has to be one."""
    if len(bytes.fromhex(text)) != 32 or text != text.lower():
        raise ValueError(f"{text!r} is no SHA-256")
    return text


def _is_whole(place: Path) -> bool:
    """Whether an earlier download has brought the content; a power failure may have cut it."""
    return place.is_file() and hash_of_file(place) == place.name


def _file_of(said: Mapping[str, Any], place: Path | None) -> DownloadedFile:
    about = {name: value for name, value in said.items() if name != "download_url"}
    return DownloadedFile(said["path"], said["sha256"], None, place, about)


def _in_memory(file: DownloadedFile) -> DownloadedFile:
    """The same with its bytes, since the file will be gone."""
    return file if file.place is None else replace(file, content=file.place.read_bytes(), place=None)
