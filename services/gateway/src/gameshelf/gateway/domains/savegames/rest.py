"""REST of cloud saves (contract, section 3.6). The bytes go from the client to the object store and back."""

from typing import Any
from uuid import UUID

from gameshelf.gateway.domains.savegames import use_cases
from gameshelf.gateway.domains.savegames.resources import (
    CONFIRMED_UPLOAD,
    PRESIGNED_DOWNLOAD_URL,
    PRESIGNED_UPLOAD_URL,
    SAVE_ID,
    SAVEGAME,
    SAVEGAME_QUOTA,
    SAVEGAME_VERSION,
    QuotaUsage,
    Signed,
)
from gameshelf.gateway.domains.savegames.resources_conflicts import RESOLVED_CONFLICT, SAVEGAME_CONFLICT, sides
from gameshelf.gateway.domains.savegames.resources_sets import SAVEGAME_UPLOAD, upload_state
from gameshelf.gateway.domains.savegames.use_cases import ConfirmedUpload, ResolvedConflict, Saves, SignedUpload
from gameshelf.gateway.runtime.http.action import RestAction
from gameshelf.gateway.runtime.http.idempotency import Excerpt, identity_of
from gameshelf.gateway.runtime.http.named_products import name_products, with_titles
from gameshelf.gateway.runtime.http.parse import PageQuery, parameters
from gameshelf.gateway.runtime.http.reply import BASE, Reply, no_content, ok, render_collection
from gameshelf.gateway.runtime.http.routing import Read, Routes, Write
from gameshelf.kernel.errors import DomainError
from gameshelf.savegames import (
    ConfirmUpload,
    ConflictsFilter,
    Deletion,
    Download,
    NewUpload,
    Resolve,
    Restore,
    SavegameQueries,
    SavegameService,
    SavegameSlotNotFound,
    SavegameUploads,
    SavegameVersionConflict,
    SavegameVersionNotFound,
    SavesFilter,
    SaveVersion,
    Synced,
    UploadOutcome,
    UploadQueries,
    UploadResult,
    UploadsFilter,
    VersionChanges,
)

routes = Routes(
    "savegames",
    "Cloud saves: versions, uploads, conflicts and quota. The bytes go directly to the object store and back.",
    {
        "upload_id": ("Id of the upload.", "c9f0f895-fb98-4b91-99f5-1fd0297e236d"),
        "savegame_id": ("Id of the save.", "e4da3b7f-bbce-4234-9777-2b0674a318d5"),
        "version_number": ("Number of the version.", "7"),
        "conflict_id": ("Id of the conflict.", "d3d94468-02a4-4259-b55d-38e6d163e820"),
    },
)

_ACCESS = ("PERMISSION_DENIED", "FAMILY_ACCESS_RESTRICTED")
_NO_SLOT = ("SAVEGAME_SLOT_NOT_FOUND",)
_NO_VERSION = ("SAVEGAME_SLOT_NOT_FOUND", "SAVEGAME_VERSION_NOT_FOUND")


@routes.action(
    "POST",
    "/savegames/upload-url",
    body=NewUpload,
    example={
        "product_id": "0b9ff5b6-6d5c-4a40-9a06-1cf6f0d1f9a3",
        "save_slot_name": "autosave",
        "file_size_bytes": 52428,
        "file_hash_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "base_version": 5,
        "device_id": "deck-7",
    },
    answers=PRESIGNED_UPLOAD_URL.document,
    refuses=(*_ACCESS, *_NO_VERSION, "SAVEGAME_FILE_TOO_LARGE", "USER_QUOTA_EXCEEDED"),
)
async def request_upload_url(action: RestAction, body: NewUpload, saves: Saves) -> Reply:
    """Reserves an upload.

    Reserves quota and returns a presigned request that sends exactly these bytes to the object store. Needs access to
    the product. The same request for an upload that is open returns that upload with a new signature.
    """

    async def reserve(write: Write) -> Reply:
        return ok(_upload_url(await use_cases.reserve_upload(write.transaction, body, saves)))

    async def renew(write: Write, kept: Any) -> Any:
        return _upload_url(await use_cases.renew_upload(write.transaction, UUID(kept["data"]["id"]), saves))

    return await action.answer(reserve, Excerpt(identity_of, renew, is_secret=True))


@routes.action(
    "POST",
    "/savegames/confirm-upload",
    body=ConfirmUpload,
    example={"internal_save_id": "c9f0f895-fb98-4b91-99f5-1fd0297e236d"},
    answers=CONFIRMED_UPLOAD,
    refuses=(
        "SAVEGAME_VERSION_NOT_FOUND",
        "SAVEGAME_UPLOAD_INCOMPLETE",
        "SAVEGAME_HASH_MISMATCH",
        "SAVEGAME_VERSION_CONFLICT",
        "USER_QUOTA_EXCEEDED",
    ),
)
async def confirm_upload(action: RestAction, body: ConfirmUpload, saves: Saves) -> Reply:
    """Confirms an upload.

    Verifies the bytes that were sent to the object store, and makes a version of them. An upload that is not based on
    the head is kept as a branch and answered with 409; the meta of the error describes both sides. Confirming again
    returns the same result for 30 days.
    """
    if first := await action.first_response():
        return first  # the uploaded object may have been deleted since, and the first response is still valid
    try:
        verified = await saves.verify(action.user_id, body.internal_save_id)
    except DomainError as error:
        return await action.refuse(error)

    async def confirm(write: Write) -> Reply:
        done = await use_cases.confirm_upload(write.transaction, body.internal_save_id, verified)
        if isinstance(done, ConfirmedUpload):
            return ok({"data": SAVEGAME.render(done.version), "meta": _result(done.outcome)})
        is_conflict = done.outcome.result is UploadResult.CONFLICT
        return write.refuse(await _conflict(write, done.outcome) if is_conflict else done.refusal)

    return await action.answer(confirm)


@routes.read("/savegames/uploads", query=UploadsFilter, answers=SAVEGAME_UPLOAD.collection("/savegames/uploads"))
async def list_uploads(read: Read, query: UploadsFilter) -> Reply:
    """Lists the open uploads.

    Returns a page of the uploads that can still be confirmed, the oldest first. The list has no URLs; a single upload
    has one.
    """
    found = await read.of(UploadQueries).uploads(read.user_id, query, read.now)
    uploads = [SAVEGAME_UPLOAD.render(upload_state(one)) for one in found.items]
    shown = await with_titles(read, uploads)
    return Reply(
        200, render_collection(f"{BASE}/savegames/uploads", parameters(query), shown, found.total, query.slice)
    )


@routes.action(
    "GET",
    "/savegames/uploads/<uuid:upload_id>",
    answers=SAVEGAME_UPLOAD.document,
    refuses=("SAVEGAME_VERSION_NOT_FOUND",),
)
async def get_upload(action: RestAction, upload_id: UUID, saves: Saves) -> Reply:
    """Returns an upload.

    Returns its state, and a new presigned request for the bytes that have not arrived. The upload can then be confirmed
    until an hour after that URL has expired.
    """
    async with action.read() as read:
        found = await use_cases.resumable(read.connection, read.user_id, upload_id, saves, read.now)
    # Outside of the read, so that no connection waits for the store.
    has_arrived, signed = await saves.resume(found.upload, may_play=found.may_play)
    return ok({"data": SAVEGAME_UPLOAD.render(upload_state(found.upload, signed, has_arrived=has_arrived))})


@routes.write("DELETE", "/savegames/uploads/<uuid:upload_id>", status=204, refuses=("SAVEGAME_VERSION_NOT_FOUND",))
async def cancel_upload(write: Write, upload_id: UUID) -> Reply:
    """Cancels an upload.

    This releases the quota that it had reserved.
    """
    await write.of(SavegameUploads).cancel(write.user_id, upload_id)
    return no_content()


@routes.read("/savegames", query=SavesFilter, answers=SAVEGAME.collection("/savegames"))
async def list_saves(read: Read, query: SavesFilter) -> Reply:
    """Lists the saves.

    Returns a page of the heads of the saves, the last uploaded first; with `trashed=true` of the saves in the trash.
    """
    found = await read.of(SavegameQueries).saves(read.user_id, query)
    shown = await with_titles(read, [SAVEGAME.render(one) for one in found.items])
    return Reply(200, render_collection(f"{BASE}/savegames", parameters(query), shown, found.total, query.slice))


@routes.read(
    "/savegames/conflicts", query=ConflictsFilter, answers=SAVEGAME_CONFLICT.collection("/savegames/conflicts")
)
async def list_conflicts(read: Read, query: ConflictsFilter) -> Reply:
    """Lists the open conflicts.

    Returns a page of the conflicts with both of their sides, the oldest first.
    """
    found = await read.of(SavegameQueries).conflicts(read.user_id, query)
    shown = await with_titles(read, [SAVEGAME_CONFLICT.render(one) for one in found.items])
    return Reply(
        200, render_collection(f"{BASE}/savegames/conflicts", parameters(query), shown, found.total, query.slice)
    )


@routes.read("/savegames/quota", answers=SAVEGAME_QUOTA.document)
async def get_quota(read: Read, saves: Saves) -> Reply:
    """Returns the quota.

    Returns the bytes that the saves of the user use, also by product, and the limits.
    """
    queries = read.of(SavegameQueries)
    usage, products = await queries.usage(read.user_id), await queries.usage_of_products(read.user_id)
    shown = SAVEGAME_QUOTA.render(QuotaUsage(read.user_id, usage, products, saves.quota_bytes))
    await name_products(read, shown["attributes"]["products"])
    return ok({"data": shown})


@routes.read("/savegames/<uuid:savegame_id>", answers=SAVEGAME.document, refuses=_NO_SLOT)
async def get_save(read: Read, savegame_id: UUID) -> Reply:
    """Returns a save.

    The save is described by its head.
    """
    found = await read.of(SavegameQueries).save(read.user_id, savegame_id)
    if found is None:
        raise SavegameSlotNotFound
    return ok({"data": SAVEGAME.render(found)})


@routes.read(
    "/savegames/<uuid:savegame_id>/versions",
    query=PageQuery,
    answers=SAVEGAME_VERSION.collection(f"/savegames/{SAVE_ID}/versions"),
    refuses=_NO_SLOT,
)
async def list_versions(read: Read, savegame_id: UUID, query: PageQuery) -> Reply:
    """Lists the versions of a save.

    Returns a page of its history, a tree in which each version names its parents. It includes versions without bytes,
    which were pruned.
    """
    found = await read.of(SavegameQueries).versions(read.user_id, savegame_id, query.slice)
    if not found.total:
        raise SavegameSlotNotFound
    path = f"{BASE}/savegames/{savegame_id}/versions"
    shown = [SAVEGAME_VERSION.render(one) for one in found.items]
    return Reply(200, render_collection(path, {}, shown, found.total, query.slice))


@routes.read(
    "/savegames/<uuid:savegame_id>/download-url",
    query=Download,
    answers=PRESIGNED_DOWNLOAD_URL.document,
    refuses=(*_ACCESS, *_NO_VERSION, "SAVEGAME_IS_A_SET"),
)
async def request_download_url(read: Read, savegame_id: UUID, query: Download, saves: Saves) -> Reply:
    """Returns a URL for a download.

    Returns a presigned URL of the head, or of the version that the query names. Needs access to the product. A device
    that has stored the bytes reports that by `/synced`.
    """
    signed = await use_cases.request_download(read.connection, read.user_id, savegame_id, query.version, saves)
    return ok({"data": PRESIGNED_DOWNLOAD_URL.render(signed.version, Signed(signed.request, saves.url_ttl_seconds))})


@routes.write(
    "POST",
    "/savegames/<uuid:savegame_id>/synced",
    body=Synced,
    example={"version": 7, "device_id": "deck-7"},
    status=204,
    refuses=_NO_VERSION,
)
async def report_synced(write: Write, savegame_id: UUID, body: Synced) -> Reply:
    """Reports that a device has a version.

    The device's next upload without a base version is based on this version.
    """
    await write.of(SavegameService).synced(write.user_id, savegame_id, body)
    return no_content()


@routes.write(
    "POST",
    "/savegames/<uuid:savegame_id>/restore",
    body=Restore,
    example={"version": 3},
    answers=SAVEGAME.document,
    refuses=_NO_VERSION,
)
async def restore_version(write: Write, savegame_id: UUID, body: Restore) -> Reply:
    """Restores a version.

    Makes a new head from the bytes of an older version. No version is lost.
    """
    await write.of(SavegameService).restore(write.user_id, savegame_id, body.version)
    return await _head(write, savegame_id)


@routes.write(
    "PATCH",
    "/savegames/<uuid:savegame_id>/versions/<int(min=1, max=9007199254740992):version_number>",
    body=VersionChanges,
    example={"is_pinned": True},
    answers=SAVEGAME_VERSION.document,
    refuses=_NO_VERSION,
)
async def update_version(write: Write, savegame_id: UUID, version_number: int, body: VersionChanges) -> Reply:
    """Changes a version.

    Pins it, so that it is never pruned, or changes its comment. A field that is left out stays as it is; null clears
    the comment.
    """
    await write.of(SavegameService).change_version(write.user_id, savegame_id, version_number, body)
    return ok({"data": SAVEGAME_VERSION.render(await _version(write, savegame_id, version_number))})


@routes.write("DELETE", "/savegames/<uuid:savegame_id>", query=Deletion, status=204, refuses=_NO_SLOT)
async def delete_save(write: Write, savegame_id: UUID, query: Deletion) -> Reply:
    """Deletes a save.

    Puts the save into the trash; with `permanent=true` deletes it at once, from the trash too.
    """
    await write.of(SavegameService).delete(write.user_id, savegame_id, permanent=query.permanent)
    return no_content()


@routes.write("POST", "/savegames/<uuid:savegame_id>/undelete", answers=SAVEGAME.document, refuses=_NO_SLOT)
async def undelete_save(write: Write, savegame_id: UUID) -> Reply:
    """Takes a save out of the trash.

    If its name is taken by another save, it gets a new one.
    """
    await write.of(SavegameService).undelete(write.user_id, savegame_id)
    return await _head(write, savegame_id)


@routes.write(
    "POST",
    "/savegames/conflicts/<uuid:conflict_id>/resolve",
    body=Resolve,
    example={"resolution": "keep_both", "copy_slot_name": "autosave (deck)", "head_version": 6, "branch_version": 7},
    answers=RESOLVED_CONFLICT,
    refuses=(
        "CONFLICT_NOT_FOUND",
        "SAVEGAME_VERSION_NOT_FOUND",
        "SAVEGAME_VERSION_CONFLICT",
        "SAVEGAME_MERGE_SPLITS_UNIT",
        "SAVEGAME_FILE_TOO_LARGE",
    ),
)
async def resolve_conflict(write: Write, conflict_id: UUID, body: Resolve) -> Reply:
    """Resolves a conflict.

    Keeps the branch, the head or both. If a side has changed since the client read the conflict, the response is 409
    and describes the current sides.
    """
    done = await use_cases.resolve_conflict(write.transaction, conflict_id, body)
    if not isinstance(done, ResolvedConflict):
        return write.refuse(SavegameVersionConflict(**sides(conflict_id, done.head, done.branch)))
    resolved = done.resolved
    meta = {"conflict_id": conflict_id, "resolution": resolved.resolution, "copy_savegame_id": resolved.copy_slot_id}
    return ok({"data": SAVEGAME.render(done.head), "meta": meta})


def _upload_url(signed: SignedUpload) -> dict[str, Any]:
    return {"data": PRESIGNED_UPLOAD_URL.render(signed.reservation, Signed(signed.request, signed.seconds))}


def _result(outcome: UploadOutcome) -> dict[str, Any]:
    """Returns the fields of an upload's result besides its version."""
    meta: dict[str, Any] = {"result": outcome.result}
    if outcome.regresses_to:
        meta["regresses_to"] = outcome.regresses_to
    if outcome.result is UploadResult.RESOLVED:
        meta |= {
            "resolution": outcome.resolution,
            "conflict_id": outcome.conflict_id,
            "head_version": outcome.head_version,
            "branch_version": outcome.branch_version,
        }
    return meta


async def _conflict(write: Write, outcome: UploadOutcome) -> SavegameVersionConflict:
    """Describes both sides at the time when the upload became a branch; a repetition returns the same."""
    numbers = (outcome.head_version or 0, outcome.branch_version or 0)
    head, branch = [await _version(write, outcome.slot_id, number) for number in numbers]
    return SavegameVersionConflict(**sides(outcome.conflict_id, head, branch))


async def _version(write: Write, slot_id: UUID, number: int) -> SaveVersion:
    found = await SavegameQueries(write.transaction.connection).version(write.user_id, slot_id, number)
    if found is None:
        raise SavegameVersionNotFound
    return found


async def _head(write: Write, slot_id: UUID) -> Reply:
    found = await SavegameQueries(write.transaction.connection).save(write.user_id, slot_id)
    if found is None:
        raise SavegameSlotNotFound
    return ok({"data": SAVEGAME.render(found)})
