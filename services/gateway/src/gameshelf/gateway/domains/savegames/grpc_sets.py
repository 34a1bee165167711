"""Sets of files over gRPC: uploads, downloads and lists."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from gameshelf.gateway.domains.savegames import use_cases
from gameshelf.gateway.domains.savegames.messages import file_message, save_message, upload_message
from gameshelf.gateway.domains.savegames.sets import SetCommits, SetSigner, VerifyingUpload
from gameshelf.gateway.domains.savegames.upload_states import reserved_upload
from gameshelf.gateway.domains.savegames.use_cases import ConfirmedUpload, IncompleteUpload, RejectedUpload, Saves
from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.grpc.calls import (
    GrpcContext,
    erased_among,
    parse_id,
    parse_message,
    parse_time,
    require_read,
    require_write,
)
from gameshelf.gateway.runtime.grpc.convert import text
from gameshelf.gateway.runtime.grpc.requests import LargeRequest
from gameshelf.gateway.runtime.large_bodies import parse_in_chunks
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.runtime.transaction import Transaction, Transactions
from gameshelf.kernel.errors import InvalidInput, Problem, pointer_step
from gameshelf.protos.library.v1 import cloud_save_service_pb2 as messages
from gameshelf.savegames import (
    DownloadSet,
    FilesFilter,
    MergeSide,
    NewSet,
    SavegameSetQueries,
    SavegameSets,
    SavegameSlotNotFound,
    SavegameVersionConflict,
    SetDownload,
)

_SERVICE = messages.DESCRIPTOR.services_by_name["CloudSaveService"].full_name
LARGE_REQUESTS: Mapping[str, LargeRequest] = {
    f"/{_SERVICE}/BeginSaveUpload": LargeRequest(
        max_bytes=8 * 1024**2, max_elements=30_000, max_element_bytes=128 * 1024
    )
}
"""The only method that takes more than 1 MiB: a list of ten thousand files."""
_FILES_IN_LOOP = 250
"""Longer lists are parsed and rendered in a thread."""
_PARSED_AT_ONCE = 2
"""A parsed list takes several times its size in memory."""
_IDS = frozenset({"user_id", "savegame_id", "version"})
_TEXTS = ("product_id", "save_slot_name", "savegame_id", "device_id", "device_name", "set_sha256", "comment")
_MORE_TEXTS = ("conflict_policy", "game_version_id")
_NUMBERS = ("base_version", "playtime_seconds", "policy_revision", "confirm_removals")


class SetCalls:
    """The calls of ``CloudSaveService`` that take and give sets of files."""

    def __init__(
        self,
        transactions: Transactions,
        acquire: Acquire,
        streams: UserStreams,
        saves: Saves,
        commits: SetCommits,
        signer: SetSigner,
    ) -> None:
        self._transactions = transactions
        self._acquire = acquire
        self._streams = streams
        self._saves = saves
        self._commits = commits
        self._signer = signer
        self._parsing = asyncio.Semaphore(_PARSED_AT_ONCE)

    async def BeginSaveUpload(
        self, request: messages.BeginSaveUploadRequest, context: GrpcContext
    ) -> messages.BeginSaveUploadResponse:
        user_id = parse_id(request.user_id, "user_id")
        require_write(user_id)
        new = await self._parse_set(request)
        reserved = await self._transactions.run(
            user_id, lambda transaction: transaction.of(SavegameSets).request(user_id, new)
        )
        signed = await self._signer.sign_uploads(
            user_id, reserved.upload_id, reserved.missing, reserved.arrived_through, may_play=True
        )
        return messages.BeginSaveUploadResponse(
            upload=upload_message(reserved_upload(reserved, signed)),
            expires_in_seconds=self._saves.url_ttl_seconds,
        )

    async def _parse_set(self, request: messages.BeginSaveUploadRequest) -> NewSet:
        if len(request.files) + len(request.put) + len(request.remove) <= _FILES_IN_LOOP:
            return parse_set(request)
        async with self._parsing:
            return await asyncio.to_thread(parse_set, request)

    async def CommitSaveUpload(
        self, request: messages.CommitSaveUploadRequest, context: GrpcContext
    ) -> messages.CommitSaveUploadResponse:
        user_id, upload_id = parse_id(request.user_id, "user_id"), parse_id(request.upload_id, "upload_id")
        require_write(user_id)
        verified = await self._commits.verify(user_id, upload_id)
        if isinstance(verified, VerifyingUpload):
            return messages.CommitSaveUploadResponse(
                is_verifying=True, verified_count=verified.verified, total_count=verified.total
            )
        done = await self._finish(user_id, upload_id, verified.single)
        return messages.CommitSaveUploadResponse(
            save=save_message(done.version),
            result=done.outcome.result,
            resolution=text(done.outcome.resolution),
            regresses_to=done.outcome.regresses_to,
            new_bytes=done.outcome.new_bytes,
        )

    async def ConfirmSaveGameUpload(
        self, request: messages.ConfirmSaveGameUploadRequest, context: GrpcContext
    ) -> messages.ConfirmSaveGameUploadResponse:
        user_id = parse_id(request.user_id, "user_id")
        upload_id = parse_id(request.internal_save_id, "internal_save_id")
        require_write(user_id)
        # A response of this call has no room for an upload that is still being verified: its deadline ends the wait.
        while isinstance(verified := await self._commits.verify(user_id, upload_id), VerifyingUpload):
            pass
        done = await self._finish(user_id, upload_id, verified.single)
        return messages.ConfirmSaveGameUploadResponse(
            save=save_message(done.version),
            result=done.outcome.result,
            resolution=text(done.outcome.resolution),
            regresses_to=done.outcome.regresses_to,
            new_bytes=done.outcome.new_bytes,
        )

    async def _finish(self, user_id: UUID, upload_id: UUID, single: use_cases.Verified | None) -> ConfirmedUpload:
        """Decides the result of an upload, and commits it. Raises the refusal where it is no new head."""

        async def finish(transaction: Transaction) -> ConfirmedUpload | RejectedUpload | IncompleteUpload:
            done = await use_cases.finish_upload(transaction, upload_id, single)
            return await _with_counts(transaction, done) if isinstance(done, RejectedUpload) else done

        done = await self._transactions.run(user_id, finish)
        if isinstance(done, ConfirmedUpload):
            return done
        raise done.refusal  # its metadata has counts only: ListConflicts has both sides of a conflict

    async def RequestSaveDownload(
        self, request: messages.RequestSaveDownloadRequest, context: GrpcContext
    ) -> messages.RequestSaveDownloadResponse:
        user_id, slot_id = parse_id(request.user_id, "user_id"), parse_id(request.savegame_id, "savegame_id")
        require_write(user_id)  # the URLs give access to the bytes; support has an audited command for that
        wanted = parse_message(DownloadSet, request, frozenset({"user_id", "savegame_id"}))
        async with self._acquire() as connection:
            if await erased_among(self._streams, connection, {user_id}):
                raise SavegameSlotNotFound
            found = await use_cases.find_download(connection, user_id, slot_id, wanted)
        urls = await self._signer.sign_downloads(use_cases.objects_of(found))
        response = partial(_download_response, found, urls, self._saves.url_ttl_seconds)
        return response() if len(found.files) <= _FILES_IN_LOOP else await asyncio.to_thread(response)

    async def ListSaveFiles(
        self, request: messages.ListSaveFilesRequest, context: GrpcContext
    ) -> messages.ListSaveFilesResponse:
        user_id, slot_id = parse_id(request.user_id, "user_id"), parse_id(request.savegame_id, "savegame_id")
        require_read(user_id)
        page = parse_message(FilesFilter, request, _IDS).slice
        if request.version < 1:
            raise InvalidInput(Problem("greater_than_equal", pointer="version", params={"ge": 1}))
        async with self._acquire() as connection:
            if await erased_among(self._streams, connection, {user_id}):
                return messages.ListSaveFilesResponse()
            found = await use_cases.list_files(connection, user_id, slot_id, request.version, page)
        return messages.ListSaveFilesResponse(files=[file_message(one) for one in found.items], total_items=found.total)


def _download_response(
    found: SetDownload, urls: Mapping[bytes, str], seconds: int
) -> messages.RequestSaveDownloadResponse:
    return messages.RequestSaveDownloadResponse(
        save=save_message(found.version),
        files=[file_message(one, urls.get(one.sha256)) for one in found.files],
        missing_bytes=found.missing_bytes,
        missing_count=found.missing_count,
        expires_in_seconds=seconds,
    )


async def _with_counts(transaction: Transaction, done: RejectedUpload) -> RejectedUpload:
    """Adds to the refusal of a branch how its set differs from the head, if the conflict is still open."""
    outcome = done.outcome
    if outcome.conflict_id is None or outcome.file_count is None:
        return done
    queries = SavegameSetQueries(transaction.connection)
    found = await queries.differences(transaction.user_id, outcome.conflict_id)
    if found is None:
        return done
    counts = {"differences_count": found.file_count, "unnamed_count": found.unnamed_count}
    return replace(done, refusal=SavegameVersionConflict(**{**done.refusal.meta, **counts}))


def parse_set(request: messages.BeginSaveUploadRequest) -> NewSet:
    """Parses the request for a set in steps that let other threads run. Raises InvalidInput."""
    sent: dict[str, Any] = {name: value for name in (*_TEXTS, *_MORE_TEXTS) if (value := getattr(request, name))}
    sent |= {name: getattr(request, name) for name in _NUMBERS if request.HasField(name)}
    problems: list[Problem] = []
    if request.HasField("client_modified_at"):
        sent["client_modified_at"] = _time(request.client_modified_at, "client_modified_at", problems)
    is_delta = bool(request.put or request.remove or request.set_sha256)
    if request.files or not is_delta:
        sent["files"] = [_entry(one, f"files/{at}", problems) for at, one in enumerate(request.files)]
    if is_delta:
        sent["put"] = [_entry(one, f"put/{at}", problems) for at, one in enumerate(request.put)]
        sent["remove"] = list(request.remove)
    if problems:
        raise InvalidInput(*problems)
    return parse_in_chunks(NewSet, sent, "")


def _entry(file: messages.SaveFile, place: str, problems: list[Problem]) -> dict[str, Any]:
    """A file as a command has it. Empty fields are absent, but for an empty file's size and a single file's path."""
    sent: dict[str, Any] = {"path": file.path or None, "size_bytes": file.size_bytes, "sha256": file.sha256}
    for name in ("raw_sha256", "content_encoding"):
        if value := getattr(file, name):
            sent[name] = value
    if file.HasField("raw_size_bytes"):
        sent["raw_size_bytes"] = file.raw_size_bytes
    if file.HasField("encryption"):
        sent["encryption"] = {field.name: value for field, value in file.encryption.ListFields()}
    if file.HasField("modified_at"):
        sent["modified_at"] = _time(file.modified_at, f"{place}/modified_at", problems)
    if file.part_sha256:
        sent["part_sha256"] = list(file.part_sha256)
    return sent


def _time(sent: Any, place: str, problems: list[Problem]) -> Any:
    try:
        return parse_time(sent, place)
    except InvalidInput as error:
        problems += error.problems
        return None


_SIDES = {messages.SAVE_SIDE_HEAD: MergeSide.HEAD, messages.SAVE_SIDE_BRANCH: MergeSide.BRANCH}


def parse_units(sent: Mapping[str, Any]) -> dict[str, MergeSide] | None:
    """Parses the sides of a merge; without any it is None. Raises InvalidInput."""
    wrong = [name for name, side in sent.items() if side not in _SIDES]
    if wrong:
        raise InvalidInput(*(Problem("missing", pointer=f"units{pointer_step(name)}") for name in wrong))
    return {name: _SIDES[side] for name, side in sent.items()} or None
