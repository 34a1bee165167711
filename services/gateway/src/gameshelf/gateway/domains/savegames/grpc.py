"""``CloudSaveService``: saves for games and game servers that speak gRPC."""

from typing import Any

import grpc.aio
from gameshelf.gateway.domains.savegames.messages import conflict_message, save_message, upload_message
from gameshelf.gateway.domains.savegames.use_cases import Saves, resumable
from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.grpc.calls import erased_among, parse_id, parse_message, require_read, require_write
from gameshelf.gateway.runtime.grpc.convert import text
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.runtime.transaction import Transaction, Transactions
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.errors import DomainError, InvalidInput, Problem
from gameshelf.library import AccessQueries
from gameshelf.protos.library.v1 import cloud_save_service_pb2 as messages
from gameshelf.protos.library.v1.cloud_save_service_pb2_grpc import (
    CloudSaveServiceServicer,
    add_CloudSaveServiceServicer_to_server,
)
from gameshelf.savegames import (
    ConflictNotFound,
    ConflictsFilter,
    Download,
    NewUpload,
    Outcome,
    Overtaken,
    Resolution,
    Resolve,
    Result,
    SavegameConflicts,
    SavegameHashMismatch,
    SavegameQueries,
    SavegameService,
    SavegameSlotNotFound,
    SavegameUploads,
    SavegameVersionConflict,
    SavegameVersionNotFound,
    SavesFilter,
    SaveVersion,
    Synced,
)

NAME = messages.DESCRIPTOR.services_by_name["CloudSaveService"].full_name
_USER = frozenset({"user_id"})
_IDS = frozenset({"user_id", "savegame_id", "conflict_id"})

Context = grpc.aio.ServicerContext[Any, Any]


class CloudSaves(CloudSaveServiceServicer):
    """Serves saves."""

    def __init__(
        self,
        transactions: Transactions,
        acquire: Acquire,
        streams: UserStreams,
        saves: Saves,
        clock: Clock = utc_now,
    ) -> None:
        self._transactions = transactions
        self._acquire = acquire
        self._streams = streams
        self._saves = saves
        self._clock = clock

    def install(self, server: grpc.aio.Server) -> str:
        """Adds the service to a server; its full name."""
        add_CloudSaveServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return NAME

    async def RequestSaveGameUploadURL(
        self, request: messages.RequestSaveGameUploadURLRequest, context: Context
    ) -> messages.RequestSaveGameUploadURLResponse:
        user_id = parse_id(request.user_id, "user_id")
        require_write(user_id)
        new = parse_message(NewUpload, request, _USER, file_size_bytes=request.file_size_bytes)  # nothing is a size too
        async with self._transactions.begin(user_id) as transaction:
            leave = await transaction.of(SavegameUploads).request(user_id, new)
            signed = await self._saves.sign_upload(leave)
        return messages.RequestSaveGameUploadURLResponse(
            internal_save_id=str(leave.upload_id),
            upload_required=leave.is_required,
            upload_url=signed.url if signed else "",
            method=signed.method if signed else "",
            headers=signed.headers if signed else {},
            expires_in_seconds=self._saves.url_ttl_seconds,
            conflict_expected=leave.conflict_expected,
        )

    async def ConfirmSaveGameUpload(
        self, request: messages.ConfirmSaveGameUploadRequest, context: Context
    ) -> messages.ConfirmSaveGameUploadResponse:
        user_id = parse_id(request.user_id, "user_id")
        upload_id = parse_id(request.internal_save_id, "internal_save_id")
        require_write(user_id)
        verified = await self._saves.verify(user_id, upload_id)
        async with self._transactions.begin(user_id) as transaction:
            outcome = await transaction.of(SavegameUploads).finish(
                user_id, upload_id, verified.attempt, verified.digest
            )
            refusal = _refusal(outcome)
            found = None if refusal else await _version(transaction, outcome)
        if refusal or found is None:  # committed: it is a result
            raise refusal or SavegameVersionNotFound()
        return messages.ConfirmSaveGameUploadResponse(
            save=save_message(found),
            result=outcome.result,
            resolution=text(outcome.resolution),
            regresses_to=outcome.regresses_to,
        )

    async def GetSaveUpload(
        self, request: messages.GetSaveUploadRequest, context: Context
    ) -> messages.GetSaveUploadResponse:
        user_id, upload_id = parse_id(request.user_id, "user_id"), parse_id(request.upload_id, "upload_id")
        require_write(user_id)  # whoever has the URL may send the bytes
        async with self._acquire() as connection:
            if await erased_among(self._streams, connection, {user_id}):
                raise SavegameVersionNotFound
            found = await resumable(connection, user_id, upload_id, self._saves, self._clock())
        has_arrived, signed = await self._saves.resume(found.upload, may_play=found.may_play)
        return messages.GetSaveUploadResponse(upload=upload_message(found.upload, has_arrived, signed))

    async def CancelSaveUpload(
        self, request: messages.CancelSaveUploadRequest, context: Context
    ) -> messages.CancelSaveUploadResponse:
        user_id, upload_id = parse_id(request.user_id, "user_id"), parse_id(request.upload_id, "upload_id")
        require_write(user_id)
        async with self._transactions.begin(user_id) as transaction:
            await transaction.of(SavegameUploads).cancel(user_id, upload_id)
        return messages.CancelSaveUploadResponse()

    async def ReportSaveSynced(
        self, request: messages.ReportSaveSyncedRequest, context: Context
    ) -> messages.ReportSaveSyncedResponse:
        user_id, slot_id = parse_id(request.user_id, "user_id"), parse_id(request.savegame_id, "savegame_id")
        require_write(user_id)
        synced = parse_message(Synced, request, _IDS)
        async with self._transactions.begin(user_id) as transaction:
            await transaction.of(SavegameService).synced(user_id, slot_id, synced)
        return messages.ReportSaveSyncedResponse()

    async def ListSaveGames(
        self, request: messages.ListSaveGamesRequest, context: Context
    ) -> messages.ListSaveGamesResponse:
        user_id = parse_id(request.user_id, "user_id")
        require_read(user_id)
        of = parse_message(SavesFilter, request, _IDS)
        async with self._acquire() as connection:
            if await erased_among(self._streams, connection, {user_id}):
                return messages.ListSaveGamesResponse()
            found = await SavegameQueries(connection).saves(user_id, of)
        return messages.ListSaveGamesResponse(saves=[save_message(one) for one in found.items], total_items=found.total)

    async def RequestSaveGameDownloadURL(
        self, request: messages.RequestSaveGameDownloadURLRequest, context: Context
    ) -> messages.RequestSaveGameDownloadURLResponse:
        user_id, slot_id = parse_id(request.user_id, "user_id"), parse_id(request.savegame_id, "savegame_id")
        require_write(user_id)  # whoever has the URL has the bytes: support has its own audited way
        asked = parse_message(Download, request, _IDS)
        async with self._acquire() as connection:
            if await erased_among(self._streams, connection, {user_id}):
                raise SavegameSlotNotFound
            queries = SavegameQueries(connection)
            found = await queries.download(user_id, slot_id, asked.version)
            if found is None:
                there = await queries.save(user_id, slot_id)
                raise SavegameVersionNotFound if there else SavegameSlotNotFound
            await AccessQueries(connection).require(user_id, found.version.product_id)
            signed = await self._saves.sign_download(found)
        return messages.RequestSaveGameDownloadURLResponse(
            download_url=signed.url,
            expires_in_seconds=self._saves.url_ttl_seconds,
            save=save_message(found.version),
        )

    async def ListConflicts(
        self, request: messages.ListConflictsRequest, context: Context
    ) -> messages.ListConflictsResponse:
        user_id = parse_id(request.user_id, "user_id")
        require_read(user_id)
        of = parse_message(ConflictsFilter, request, _IDS)
        async with self._acquire() as connection:
            if await erased_among(self._streams, connection, {user_id}):
                return messages.ListConflictsResponse()
            found = await SavegameQueries(connection).conflicts(user_id, of)
        return messages.ListConflictsResponse(
            conflicts=[conflict_message(one) for one in found.items], total_items=found.total
        )

    async def ResolveConflict(
        self, request: messages.ResolveConflictRequest, context: Context
    ) -> messages.ResolveConflictResponse:
        user_id, conflict_id = parse_id(request.user_id, "user_id"), parse_id(request.conflict_id, "conflict_id")
        require_write(user_id)
        word = parse_message(Resolve, request, _IDS, resolution=parse_resolution(request.resolution))
        async with self._transactions.begin(user_id) as transaction:
            done = await transaction.of(SavegameConflicts).resolve(user_id, conflict_id, word)
            queries = SavegameQueries(transaction.connection)
            if isinstance(done, Overtaken):
                now = await queries.conflict(user_id, conflict_id)
            else:
                head = await queries.save(user_id, done.slot_id)
        if isinstance(done, Overtaken):
            if now is None:
                raise ConflictNotFound
            raise SavegameVersionConflict(
                conflict_id=conflict_id,
                savegame_id=now.head.slot_id,
                head_version=now.head.version,
                branch_version=now.branch.version,
            )
        if head is None:
            raise SavegameSlotNotFound
        return messages.ResolveConflictResponse(head=save_message(head), copy_savegame_id=text(done.copy_slot_id))


async def _version(transaction: Transaction, outcome: Outcome) -> SaveVersion | None:
    queries = SavegameQueries(transaction.connection)
    return await queries.version(transaction.user_id, outcome.slot_id, outcome.version)


def _refusal(outcome: Outcome) -> DomainError | None:
    """What an upload is refused with that is no version in the end, or no head. Metadata is small: whoever is refused
    lists the conflicts for both of their sides.
    """
    if outcome.result is Result.MISMATCH:
        return SavegameHashMismatch()
    if outcome.result is Result.CONFLICT:
        return SavegameVersionConflict(
            conflict_id=outcome.conflict_id,
            savegame_id=outcome.slot_id,
            head_version=outcome.head_version,
            branch_version=outcome.branch_version,
        )
    return None


_RESOLUTIONS = {
    messages.SAVE_RESOLUTION_KEEP_LOCAL: Resolution.KEEP_LOCAL,
    messages.SAVE_RESOLUTION_KEEP_CLOUD: Resolution.KEEP_CLOUD,
    messages.SAVE_RESOLUTION_KEEP_BOTH: Resolution.KEEP_BOTH,
}


def parse_resolution(sent: Any) -> Resolution:
    """What is to become of a branch. Raises InvalidInput."""
    try:
        return _RESOLUTIONS[sent]
    except KeyError:
        raise InvalidInput(Problem("missing", pointer="resolution")) from None
