"""``CloudSaveService``: saves for games and game servers that speak gRPC."""

from collections.abc import Callable
from typing import Any

import grpc.aio
from gameshelf.gateway.domains.savegames.grpc_plans import PlanCalls
from gameshelf.gateway.domains.savegames.grpc_sets import SetCalls, parse_units
from gameshelf.gateway.domains.savegames.messages import conflict_message, save_message, upload_message
from gameshelf.gateway.domains.savegames.openings import new_upload
from gameshelf.gateway.domains.savegames.plans import PlanNotes
from gameshelf.gateway.domains.savegames.sets import SetCommits, SetSigner
from gameshelf.gateway.domains.savegames.upload_states import signed_upload, upload_state
from gameshelf.gateway.domains.savegames.use_cases import (
    ResolvedConflict,
    Saves,
    request_download,
    reserve_upload,
    resolve_conflict,
    resumable,
)
from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.grpc.calls import (
    GrpcContext,
    erased_among,
    parse_id,
    parse_message,
    require_read,
    require_write,
)
from gameshelf.gateway.runtime.grpc.convert import text
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.runtime.transaction import Transactions
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.protos.library.v1 import cloud_save_service_pb2 as messages
from gameshelf.protos.library.v1.cloud_save_service_pb2_grpc import (
    CloudSaveServiceServicer,
    add_CloudSaveServiceServicer_to_server,
)
from gameshelf.savegames import (
    ConflictsFilter,
    Download,
    NewUpload,
    Resolution,
    Resolve,
    SavegamePlans,
    SavegameQueries,
    SavegameService,
    SavegameSlotNotFound,
    SavegameUploads,
    SavegameVersionConflict,
    SavegameVersionNotFound,
    SavesFilter,
    Synced,
)

NAME = messages.DESCRIPTOR.services_by_name["CloudSaveService"].full_name
_USER = frozenset({"user_id"})
_IDS = frozenset({"user_id", "savegame_id", "conflict_id"})


class CloudSaves(SetCalls, PlanCalls, CloudSaveServiceServicer):
    """Serves saves."""

    def __init__(
        self,
        transactions: Transactions,
        acquire: Acquire,
        streams: UserStreams,
        saves: Saves,
        commits: SetCommits,
        signer: SetSigner,
        make_plans: Callable[[Connection], SavegamePlans],
        notes: PlanNotes,
        clock: Clock = utc_now,
    ) -> None:
        SetCalls.__init__(self, transactions, acquire, streams, saves, commits, signer)
        PlanCalls.__init__(self, acquire, streams, make_plans, notes)
        self._clock = clock

    def install(self, server: grpc.aio.Server) -> str:
        """Adds the service to a server; returns its full name."""
        add_CloudSaveServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return NAME

    async def RequestSaveGameUploadURL(
        self, request: messages.RequestSaveGameUploadURLRequest, context: GrpcContext
    ) -> messages.RequestSaveGameUploadURLResponse:
        user_id = parse_id(request.user_id, "user_id")
        require_write(user_id)
        new = parse_message(NewUpload, request, _USER, file_size_bytes=request.file_size_bytes)  # zero is a valid size
        now = self._clock()
        upload = await self._transactions.run(
            user_id,
            lambda transaction: reserve_upload(transaction, new, self._saves, now),
            new_upload(user_id, new, now),
        )
        reservation, signed = upload.reservation, upload.request
        return messages.RequestSaveGameUploadURLResponse(
            internal_save_id=str(reservation.upload_id),
            upload_required=reservation.is_required,
            upload_url=signed.url if signed else "",
            method=signed.method if signed else "",
            headers=signed.headers if signed else {},
            expires_in_seconds=upload.seconds,
            conflict_expected=reservation.conflict_expected,
        )

    async def GetSaveUpload(
        self, request: messages.GetSaveUploadRequest, context: GrpcContext
    ) -> messages.GetSaveUploadResponse:
        user_id, upload_id = parse_id(request.user_id, "user_id"), parse_id(request.upload_id, "upload_id")
        require_write(user_id)  # the URL permits to send the bytes
        async with self._acquire() as connection:
            if await erased_among(self._streams, connection, {user_id}):
                raise SavegameVersionNotFound
            found = await resumable(connection, user_id, upload_id, self._saves, self._clock())
        upload = found.upload
        if found.is_plain:
            has_arrived, request_of_file = await self._saves.resume(upload, may_play=found.may_play)
            state = upload_state(upload, request_of_file, has_arrived=has_arrived)
        else:
            about = (user_id, upload_id, found.missing, found.arrived_through)
            state = signed_upload(upload, await self._signer.sign_uploads(*about, may_play=found.may_play))
        return messages.GetSaveUploadResponse(upload=upload_message(state))

    async def CancelSaveUpload(
        self, request: messages.CancelSaveUploadRequest, context: GrpcContext
    ) -> messages.CancelSaveUploadResponse:
        user_id, upload_id = parse_id(request.user_id, "user_id"), parse_id(request.upload_id, "upload_id")
        require_write(user_id)
        await self._transactions.run(
            user_id, lambda transaction: transaction.of(SavegameUploads).cancel(user_id, upload_id)
        )
        return messages.CancelSaveUploadResponse()

    async def ReportSaveSynced(
        self, request: messages.ReportSaveSyncedRequest, context: GrpcContext
    ) -> messages.ReportSaveSyncedResponse:
        user_id, slot_id = parse_id(request.user_id, "user_id"), parse_id(request.savegame_id, "savegame_id")
        require_write(user_id)
        synced = parse_message(Synced, request, _IDS)
        await self._transactions.run(
            user_id, lambda transaction: transaction.of(SavegameService).synced(user_id, slot_id, synced)
        )
        return messages.ReportSaveSyncedResponse()

    async def ListSaveGames(
        self, request: messages.ListSaveGamesRequest, context: GrpcContext
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
        self, request: messages.RequestSaveGameDownloadURLRequest, context: GrpcContext
    ) -> messages.RequestSaveGameDownloadURLResponse:
        user_id, slot_id = parse_id(request.user_id, "user_id"), parse_id(request.savegame_id, "savegame_id")
        require_write(user_id)  # the URL gives access to the bytes; support has an audited command for that
        asked = parse_message(Download, request, _IDS)
        async with self._acquire() as connection:
            if await erased_among(self._streams, connection, {user_id}):
                raise SavegameSlotNotFound
            signed = await request_download(connection, user_id, slot_id, asked.version, self._saves)
        return messages.RequestSaveGameDownloadURLResponse(
            download_url=signed.request.url,
            expires_in_seconds=self._saves.url_ttl_seconds,
            save=save_message(signed.version),
        )

    async def ListConflicts(
        self, request: messages.ListConflictsRequest, context: GrpcContext
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
        self, request: messages.ResolveConflictRequest, context: GrpcContext
    ) -> messages.ResolveConflictResponse:
        user_id, conflict_id = parse_id(request.user_id, "user_id"), parse_id(request.conflict_id, "conflict_id")
        require_write(user_id)
        given = {"resolution": parse_resolution(request.resolution), "units": parse_units(request.units)}
        choice = parse_message(Resolve, request, _IDS | {"units"}, **given)
        done = await self._transactions.run(
            user_id, lambda transaction: resolve_conflict(transaction, conflict_id, choice)
        )
        if not isinstance(done, ResolvedConflict):
            raise SavegameVersionConflict(
                conflict_id=conflict_id,
                savegame_id=done.head.slot_id,
                head_version=done.head.version,
                branch_version=done.branch.version,
            )
        return messages.ResolveConflictResponse(
            head=save_message(done.head), copy_savegame_id=text(done.resolved.copy_slot_id)
        )


_RESOLUTIONS = {
    messages.SAVE_RESOLUTION_KEEP_LOCAL: Resolution.KEEP_LOCAL,
    messages.SAVE_RESOLUTION_KEEP_CLOUD: Resolution.KEEP_CLOUD,
    messages.SAVE_RESOLUTION_KEEP_BOTH: Resolution.KEEP_BOTH,
    messages.SAVE_RESOLUTION_MERGE: Resolution.MERGE,
}


def parse_resolution(sent: Any) -> Resolution:
    """Parses a resolution. Raises InvalidInput."""
    try:
        return _RESOLUTIONS[sent]
    except KeyError:
        raise InvalidInput(Problem("missing", pointer="resolution")) from None
