"""``saves list|versions|files|download|restore|pin``: cloud saves, including those in the trash."""

from uuid import UUID

from gameshelf.gateway.domains.savegames.changes.saves import PinSave, RestoreSave, undo_pin, undo_restore
from gameshelf.gateway.domains.savegames.messages import file_message, save_message
from gameshelf.gateway.domains.savegames.use_cases import Saves
from gameshelf.gateway.runtime.grpc.calls import parse_id, parse_message
from gameshelf.gateway.runtime.grpc.convert import timestamp
from gameshelf.gateway.runtime.identity import Identity
from gameshelf.gateway.runtime.support.commands import ANY, audited_read_command, change_command, read_command
from gameshelf.gateway.runtime.support.rpc.context import SupportContext, parse_options
from gameshelf.kernel.database import Connection
from gameshelf.kernel.errors import DomainError
from gameshelf.protos.library.v1 import admin_saves_pb2 as messages
from gameshelf.savegames import (
    Download,
    DownloadOneFile,
    FilesFilter,
    Restore,
    SavegameIsASet,
    SavegameQueries,
    SavegameSetQueries,
    SavegameSlotNotFound,
    SavegameSupport,
    SavegameVersionNotFound,
    SavesFilter,
)

COMMANDS = (
    read_command("saves list", "ListSaves"),
    read_command("saves versions", "ListSaveVersions"),
    read_command("saves files", "ListSaveFilesOfUser"),
    audited_read_command("saves download", "DownloadSave", ANY),
    change_command("saves restore", "RestoreSave", ANY, undo_restore),
    change_command("saves pin", "PinSave", ANY, undo_pin),
)
_IDS = frozenset({"user_id", "savegame_id", "change", "is_pinned"})


class CloudSavesOfUsers:
    """Serves saves."""

    def __init__(self, context: SupportContext, saves: Saves) -> None:
        self._context = context
        self._saves = saves

    async def ListSaves(self, request: messages.ListSavesRequest, by: Identity) -> messages.ListSavesResponse:
        user_id = parse_id(request.user_id, "user_id")
        of = parse_message(SavesFilter, request, _IDS | {"in_trash"}, trashed=request.in_trash)
        async with self._context.reading(user_id) as connection:
            found = await SavegameQueries(connection).saves(user_id, of)
            slots = [one.slot_id for one in found.items]
            conflicting = await SavegameSupport(connection).conflicting(user_id, slots)
            titles = await self._context.titles(connection, [one.product_id for one in found.items])
        return messages.ListSavesResponse(
            saves=[
                messages.AdminSave(
                    head=save_message(one),
                    deleted_at=timestamp(one.deleted_at),
                    has_conflict=one.slot_id in conflicting,
                    title=titles.get(one.product_id, ""),
                )
                for one in found.items
            ],
            total_items=found.total,
        )

    async def ListSaveVersions(
        self, request: messages.ListSaveVersionsRequest, by: Identity
    ) -> messages.ListSaveVersionsResponse:
        user_id, slot_id = parse_id(request.user_id, "user_id"), parse_id(request.savegame_id, "savegame_id")
        page = parse_message(SavesFilter, request, _IDS).slice
        async with self._context.reading(user_id) as connection:
            found = await SavegameQueries(connection).versions(user_id, slot_id, page, in_trash=True)
            head = await SavegameSupport(connection).head(user_id, slot_id)
        if head is None:
            raise SavegameSlotNotFound
        return messages.ListSaveVersionsResponse(
            versions=[save_message(one) for one in found.items],
            total_items=found.total,
            deleted_at=timestamp(head.deleted_at),
        )

    async def ListSaveFilesOfUser(
        self, request: messages.ListSaveFilesOfUserRequest, by: Identity
    ) -> messages.ListSaveFilesOfUserResponse:
        user_id, slot_id = parse_id(request.user_id, "user_id"), parse_id(request.savegame_id, "savegame_id")
        page = parse_message(FilesFilter, request, _IDS | {"version"}).slice
        asked = parse_message(Download, request, _IDS | {"page", "limit"})
        async with self._context.reading(user_id) as connection:
            head = await SavegameSupport(connection).head(user_id, slot_id)
            if head is None:
                raise SavegameSlotNotFound
            number = asked.version or head.version
            version = await SavegameQueries(connection).version(user_id, slot_id, number)
            found = await SavegameSetQueries(connection).files(user_id, slot_id, number, page, in_trash=True)
        if version is None or found is None:
            raise SavegameVersionNotFound(version=number, **({"reason": "pruned"} if version else {}))
        return messages.ListSaveFilesOfUserResponse(
            save=save_message(version), files=[file_message(one) for one in found.items], total_items=found.total
        )

    async def DownloadSave(self, request: messages.DownloadSaveRequest, by: Identity) -> messages.DownloadSaveResponse:
        user_id, slot_id = parse_id(request.user_id, "user_id"), parse_id(request.savegame_id, "savegame_id")
        if request.path:
            return await self._download_file(user_id, slot_id, parse_message(DownloadOneFile, request, _IDS))
        asked = parse_message(Download, request, _IDS)
        async with self._context.reading(user_id) as connection:
            queries = SavegameQueries(connection)
            found = await queries.download(user_id, slot_id, asked.version, in_trash=True)
            if found is None:
                raise await _absent(connection, user_id, slot_id, asked.version)
        if found.version.file_count is not None:
            raise SavegameIsASet(file_count=found.version.file_count)
        signed = await self._saves.sign_download(found)
        return messages.DownloadSaveResponse(
            save=save_message(found.version),
            download_url=signed.url,
            expires_in_seconds=self._saves.url_ttl_seconds,
        )

    async def _download_file(
        self, user_id: UUID, slot_id: UUID, asked: DownloadOneFile
    ) -> messages.DownloadSaveResponse:
        async with self._context.reading(user_id) as connection:
            found = await SavegameSetQueries(connection).file(
                user_id, slot_id, asked.version, asked.path, in_trash=True
            )
            if found is None:
                raise await _absent(connection, user_id, slot_id, asked.version)
        if found.file is None or found.key is None:
            reason = "no_such_file" if found.file is None else "pruned"
            raise SavegameVersionNotFound(version=found.version.version, reason=reason)
        signed = await self._saves.objects.sign_download(
            found.key, self._saves.url_ttl_seconds, asked.path.rpartition("/")[2]
        )
        return messages.DownloadSaveResponse(
            save=save_message(found.version),
            download_url=signed.url,
            expires_in_seconds=self._saves.url_ttl_seconds,
            file=file_message(found.file),
        )

    async def RestoreSave(self, request: messages.RestoreSaveRequest, by: Identity) -> messages.RestoreSaveResponse:
        user_id, slot_id = parse_id(request.user_id, "user_id"), parse_id(request.savegame_id, "savegame_id")
        options, asked = parse_options(request.change), parse_message(Download, request, _IDS)
        done = await self._context.make_change(RestoreSave(user_id, slot_id, asked.version), options, by)
        return messages.RestoreSaveResponse(result=done)

    async def PinSave(self, request: messages.PinSaveRequest, by: Identity) -> messages.PinSaveResponse:
        user_id, slot_id = parse_id(request.user_id, "user_id"), parse_id(request.savegame_id, "savegame_id")
        options, version = parse_options(request.change), parse_message(Restore, request, _IDS).version
        done = await self._context.make_change(PinSave(user_id, slot_id, version, request.is_pinned), options, by)
        return messages.PinSaveResponse(result=done)


async def _absent(connection: Connection, user_id: UUID, slot_id: UUID, version: int | None) -> DomainError:
    """Returns the refusal of a version without bytes: whether the save, the version or the bytes are not there."""
    head = await SavegameSupport(connection).head(user_id, slot_id)
    if head is None:
        return SavegameSlotNotFound()
    number = version or head.version
    is_there = await SavegameQueries(connection).version(user_id, slot_id, number)
    return SavegameVersionNotFound(version=number, **({"reason": "pruned"} if is_there else {}))
