"""Calls of the service about saves, with values of this package; the client of the service makes them.

What fails for longer than it tries is ``ServiceAway``: the caller keeps its work for later.
"""

from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Any

from gameshelf.client import LibraryAnswer, LibraryClient, Pages
from gameshelf.client.saves.tickets import Ticket, ticket_of, ticket_of_file
from gameshelf.client.saves.uploads import CommitPending, until_verified
from gameshelf.savesync.client_errors import client_errors
from gameshelf.savesync.errors import ServiceRefusal
from gameshelf.savesync.files import CloudFiles
from gameshelf.savesync.policy import FolderPolicy
from gameshelf.savesync.wire import (
    Attributes,
    CloudVersion,
    CommittedVersion,
    DownloadTicket,
    FileDownload,
    NewVersion,
    SlotOnDevice,
    SyncAdvice,
    read_advice,
    read_commit,
    read_download,
    read_file_download,
    read_files,
    read_version,
    reading,
)

_PAGE, _PAGE_OF_FILES = 100, 1_000
MAX_HAVE = 1_000


class SaveApi:
    """The calls about saves, for the holder of the client's token."""

    def __init__(self, client: LibraryClient) -> None:
        self._client, self._calls = client, client.saves

    async def policy(self, product_id: str) -> FolderPolicy:
        """The policy of a product; the default where it has none."""
        return FolderPolicy.parse(await self.policy_document(product_id))

    async def policy_document(self, product_id: str) -> Any:
        """The same as the service sends it, to be kept."""
        answer = await _answered(self._calls.get_policy(product_id))
        with reading("policy"):
            return answer["data"]["attributes"]

    async def plan(
        self,
        product_id: str,
        device_id: str,
        intent: str,
        slots: Sequence[SlotOnDevice],
        options: Attributes | None = None,
    ) -> SyncAdvice:
        """What is to be done with each slot. ``options``: ``device_name``, ``policy_revision``, ``game_version_id``."""
        said = {"product_id": product_id, "device_id": device_id, "intent": intent, **(options or {})}
        asked: Any = {**_without_nulls(said), "slots": [slot.attributes() for slot in slots]}
        return read_advice(await _answered(self._calls.plan_saves(asked)))

    async def begin(self, new: NewVersion) -> Ticket:
        """Opens an upload, or answers the open one of the same list, base and device."""
        attributes: Any = new.attributes()
        with client_errors():
            return ticket_of((await self._calls.begin_upload(attributes)).data)

    async def upload(self, upload_id: str) -> Ticket:
        """What an open upload still needs, with requests that are signed afresh."""
        with client_errors():
            return ticket_of((await self._calls.get_upload(upload_id)).data)

    async def cancel(self, upload_id: str) -> None:
        """Gives up an upload. One that has ended is no error."""
        try:
            with client_errors():
                await self._calls.cancel_upload(upload_id)
        except ServiceRefusal as refusal:
            if refusal.status != 404:
                raise

    async def commit(self, upload_id: str) -> CommittedVersion | CommitPending:
        """Makes the upload a version."""
        with client_errors():
            answer = await self._calls.commit_upload(upload_id)
        return _committed(answer)

    async def files(self, savegame_id: str, version: int) -> CloudFiles:
        """The whole list of a version."""
        pages = self._calls.list_files(savegame_id, version, limit=_PAGE_OF_FILES)
        with reading("files"):
            return read_files([one["attributes"] async for one in _each(pages)])

    async def download(
        self,
        savegame_id: str,
        *,
        version: int | None = None,
        device_id: str | None = None,
        have: Sequence[str] = (),
        have_version: int | None = None,
        want: Sequence[str] | None = None,
    ) -> DownloadTicket:
        """The list of a version with URLs. With ``want`` the list has those contents alone, and a URL for each."""
        said = {"version": version, "device_id": device_id, "have_version": have_version}
        lists = {"have": list(have)} if want is None else {"have": list(have), "want": list(want)}
        asked: Any = {**_without_nulls(said), **lists}
        return read_download(await _answered(self._calls.download_save(savegame_id, asked)))

    async def begin_file(self, attributes: Attributes) -> Ticket:
        """Opens an upload of a single file, as ``POST /savegames/upload-url`` describes it."""
        said: Any = _without_nulls(attributes)
        with client_errors():
            answer = await self._calls.request_upload_url(said)
            return ticket_of_file(answer.data, attributes["file_hash_sha256"], attributes["file_size_bytes"])

    async def confirm_file(self, upload_id: str) -> CommittedVersion:
        """Makes the upload of a single file a version. Asks again while the service compares the bytes."""

        async def ask() -> CommittedVersion | CommitPending:
            return _committed(await self._calls.confirm_upload({"internal_save_id": upload_id}))

        with client_errors():
            return await until_verified(ask, self._calls.store.pause)

    async def download_file(self, savegame_id: str) -> FileDownload:
        """The head of a save that is a single file, with its URL."""
        return read_file_download(await _answered(self._calls.request_download_url(savegame_id)))

    async def synced(self, savegame_id: str, version: int, device_id: str) -> None:
        """Reports that the folders of this device have a version."""
        with client_errors():
            await self._calls.report_synced(savegame_id, {"version": version, "device_id": device_id})

    async def saves(self, product_id: str) -> list[CloudVersion]:
        """The heads of all slots of a product."""
        pages = self._calls.list_saves(product_id=product_id, limit=_PAGE)
        return [read_version(one) async for one in _each(pages)]

    async def versions(self, savegame_id: str) -> AsyncIterator[CloudVersion]:
        """The history of a save, as the service orders it."""
        async for one in _each(self._calls.list_versions(savegame_id, limit=_PAGE)):
            yield read_version(one)

    async def restore(
        self, savegame_id: str, version: int, device_id: str, units: Sequence[str] = ()
    ) -> CommittedVersion:
        """Makes a version, or units of it, the new head."""
        said: Any = {"version": version, "device_id": device_id, **({"units": list(units)} if units else {})}
        return read_commit(await _answered(self._calls.restore_version(savegame_id, said)))

    async def undelete(self, savegame_id: str) -> str:
        """Takes a save out of the trash. Returns its name, which is another one if a newer save has its own."""
        answer = await _answered(self._calls.undelete_save(savegame_id))
        with reading("savegame"):
            return str(answer["data"]["attributes"]["slot_name"])

    async def conflicts(self, product_id: str) -> AsyncIterator[Attributes]:
        """The open conflicts of a product with both sides."""
        async for one in _each(self._calls.list_conflicts(product_id=product_id, limit=_PAGE)):
            yield _attributes(one)

    async def conflict(self, conflict_id: str) -> Attributes:
        """A conflict with both sides and the first hundred differences, as REST answers it."""
        return _attributes((await _answered(self._calls.get_conflict(conflict_id)))["data"])

    async def differences(self, conflict_id: str) -> AsyncIterator[Attributes]:
        """All differences of a conflict."""
        async for one in _each(self._calls.list_differences(conflict_id, limit=_PAGE)):
            yield _attributes(one)

    async def resolve(self, conflict_id: str, resolution: str, options: Attributes) -> CommittedVersion:
        """Ends a conflict. ``options``: ``head_version``, ``branch_version``, ``units``, ``copy_slot_name``."""
        said: Any = {"resolution": resolution, **_without_nulls(options)}
        return read_commit(await _answered(self._calls.resolve_conflict(conflict_id, said)))

    async def auto_sync(self, product_id: str | None = None) -> bool:
        """Whether saves synchronise by themselves: of a product, or of the account."""
        answer = await _answered(
            self._calls.get_preferences() if product_id is None else self._calls.get_product_preference(product_id)
        )
        with reading("preference"):
            return bool(answer["data"]["attributes"]["auto_sync"])

    async def set_auto_sync(self, value: bool, product_id: str | None = None) -> None:
        """Switches the automatic synchronisation of a product or of the account."""
        with client_errors():
            if product_id is None:
                await self._calls.put_preferences({"auto_sync": value})
            else:
                await self._calls.put_product_preference(product_id, {"auto_sync": value})


async def _answered(call: Awaitable[LibraryAnswer[Any]]) -> Any:
    """The document of an answer."""
    with client_errors():
        return _document(await call)


def _document(answer: LibraryAnswer[Any]) -> Any:
    return {"data": answer.data, "meta": answer.meta}


async def _each(pages: Pages[Any]) -> AsyncIterator[Any]:
    """The resources of a collection."""
    with client_errors(), reading("collection"):
        async for one in pages:
            yield one


def _attributes(data: Any) -> Attributes:
    with reading("conflict"):
        return {"id": data["id"], **data["attributes"]}


def _committed(answer: LibraryAnswer[Any]) -> CommittedVersion | CommitPending:
    """The version that an upload has become; a 202 while the service compares its bytes."""
    document = _document(answer)
    if answer.status != 202:
        return read_commit(document)
    with reading("commit"):
        return CommitPending.of(answer)


def _without_nulls(said: Attributes) -> dict[str, Any]:
    return {key: value for key, value in said.items() if value is not None}
