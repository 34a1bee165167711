"""REST of cloud saves (contract, section 3.6). The bytes go from the client to the object store and back."""

from typing import Any
from uuid import UUID

from gameshelf.gateway.domains.savegames.resources import (
    PRESIGNED_DOWNLOAD_URL,
    PRESIGNED_UPLOAD_URL,
    RESOLUTION_META,
    SAVEGAME,
    SAVEGAME_CONFLICT,
    SAVEGAME_QUOTA,
    SAVEGAME_UPLOAD,
    SAVEGAME_VERSION,
    UPLOAD_META,
    conflict,
    download_url,
    quota,
    savegame,
    sides,
    upload,
    upload_url,
    version,
)
from gameshelf.gateway.domains.savegames.use_cases import Resumable, Saves, Verified, resumable
from gameshelf.gateway.runtime.http import schemas
from gameshelf.gateway.runtime.http.idempotency import identity_of
from gameshelf.gateway.runtime.http.named_products import name_products, with_titles
from gameshelf.gateway.runtime.http.parse import PageQuery, parameters
from gameshelf.gateway.runtime.http.reply import BASE, Reply, collection, no_content, ok
from gameshelf.gateway.runtime.http.routing import Read, Routes, Write
from gameshelf.library import AccessQueries
from gameshelf.savegames import (
    ConfirmUpload,
    ConflictNotFound,
    ConflictsFilter,
    Deletion,
    Download,
    NewUpload,
    Outcome,
    Overtaken,
    Reservation,
    Resolve,
    Restore,
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
    UploadQueries,
    UploadsFilter,
    UploadStatus,
    VersionChanges,
)

routes = Routes("savegames")

_ACCESS = ("PERMISSION_DENIED", "FAMILY_ACCESS_RESTRICTED")
_NO_SLOT = ("SAVEGAME_SLOT_NOT_FOUND",)
_NO_VERSION = ("SAVEGAME_SLOT_NOT_FOUND", "SAVEGAME_VERSION_NOT_FOUND")


async def sign_anew(write: Write, kept: Any, body: NewUpload) -> Any:
    """The first answer to a request for a URL, with a fresh one of the same reservation; without any once that is over:
    then nothing is left to upload, or it has to be asked for anew.
    """
    upload_id = UUID(kept["data"]["id"])
    leave = await write.of(SavegameUploads).renew(write.user_id, upload_id)
    if leave is not None:
        return {"data": upload_url(leave, await write.saves.sign_upload(leave), write.saves.url_ttl_seconds)}
    try:
        found = await write.reads(UploadQueries).upload(write.user_id, upload_id, write.transaction.clock())
    except SavegameVersionNotFound:
        is_committed = False
    else:
        is_committed = found.status is UploadStatus.COMMITTED
    return {"data": upload_url(Reservation(upload_id, "", 0, not is_committed, False), None, 0)}


async def verified(saves: Saves, user_id: UUID, body: ConfirmUpload) -> Verified:
    """Makes the object of what was uploaded, before the transaction that decides on it."""
    return await saves.verify(user_id, body.internal_save_id)


@routes.write(
    "POST",
    "/savegames/upload-url",
    body=NewUpload,
    answers=schemas.single(PRESIGNED_UPLOAD_URL),
    refuses=(*_ACCESS, *_NO_VERSION, "SAVEGAME_FILE_TOO_LARGE", "USER_QUOTA_EXCEEDED"),
    brief=identity_of,
    is_secret=True,
    renew=sign_anew,
)
async def request_upload_url(write: Write, body: NewUpload) -> Reply:
    """Reserves quota for a save and returns a presigned URL that takes just these bytes."""
    leave = await write.of(SavegameUploads).request(write.user_id, body)
    signed = await write.saves.sign_upload(leave)
    return ok({"data": upload_url(leave, signed, write.saves.url_ttl_seconds)})


@routes.write(
    "POST",
    "/savegames/confirm-upload",
    body=ConfirmUpload,
    answers=schemas.single(SAVEGAME, UPLOAD_META),
    refuses=(
        "SAVEGAME_VERSION_NOT_FOUND",
        "SAVEGAME_UPLOAD_INCOMPLETE",
        "SAVEGAME_HASH_MISMATCH",
        "SAVEGAME_VERSION_CONFLICT",
        "USER_QUOTA_EXCEEDED",
    ),
    prepare=verified,
)
async def confirm_upload(write: Write, body: ConfirmUpload, prepared: Verified) -> Reply:
    """Says that the bytes have been sent: they are verified, and become a version. A conflict is a result too."""
    outcome = await write.of(SavegameUploads).finish(
        write.user_id, body.internal_save_id, prepared.attempt, prepared.digest
    )
    return await _told(write, outcome)


@routes.read("/savegames/uploads", query=UploadsFilter, answers=schemas.collection(schemas.named(SAVEGAME_UPLOAD)))
async def list_uploads(read: Read, query: UploadsFilter) -> Reply:
    """Open uploads, the oldest first. Whether bytes have arrived, and a URL for them, is told of each alone."""
    found = await read.of(UploadQueries).uploads(read.user_id, query, read.now)
    shown = await with_titles(read, [upload(one, has_arrived=not one.is_required) for one in found.items])
    return Reply(200, collection(f"{BASE}/savegames/uploads", parameters(query), shown, found.total, query.slice))


async def resumed(saves: Saves, found: Resumable) -> Reply:
    """What has arrived of an upload, and a fresh URL for what has not."""
    has_arrived, signed = await saves.resume(found.upload, may_play=found.may_play)
    return ok({"data": upload(found.upload, has_arrived=has_arrived, signed=signed)})


@routes.read(
    "/savegames/uploads/<uuid:upload_id>",
    answers=schemas.single(SAVEGAME_UPLOAD),
    refuses=("SAVEGAME_VERSION_NOT_FOUND",),
    finish=resumed,
)
async def get_upload(read: Read, upload_id: UUID) -> Resumable:
    """An upload, with what has arrived, and a fresh URL for what has not: one that was interrupted goes on."""
    return await resumable(read.connection, read.user_id, upload_id, read.saves, read.now)


@routes.write("DELETE", "/savegames/uploads/<uuid:upload_id>", status=204, refuses=("SAVEGAME_VERSION_NOT_FOUND",))
async def cancel_upload(write: Write, upload_id: UUID) -> Reply:
    """Gives an open upload up: its room is free at once."""
    await write.of(SavegameUploads).cancel(write.user_id, upload_id)
    return no_content()


@routes.read("/savegames", query=SavesFilter, answers=schemas.collection(schemas.named(SAVEGAME)))
async def list_saves(read: Read, query: SavesFilter) -> Reply:
    """The heads of all saves, the one uploaded last first; with trashed=true those in the trash."""
    found = await read.of(SavegameQueries).saves(read.user_id, query)
    shown = await with_titles(read, [savegame(one) for one in found.items])
    return Reply(200, collection(f"{BASE}/savegames", parameters(query), shown, found.total, query.slice))


@routes.read(
    "/savegames/conflicts", query=ConflictsFilter, answers=schemas.collection(schemas.named(SAVEGAME_CONFLICT))
)
async def list_conflicts(read: Read, query: ConflictsFilter) -> Reply:
    """Open conflicts with both of their sides, the oldest first."""
    found = await read.of(SavegameQueries).conflicts(read.user_id, query)
    shown = await with_titles(read, [conflict(one) for one in found.items])
    return Reply(200, collection(f"{BASE}/savegames/conflicts", parameters(query), shown, found.total, query.slice))


@routes.read("/savegames/quota", answers=schemas.single(SAVEGAME_QUOTA))
async def get_quota(read: Read) -> Reply:
    """How much the saves take, and how much they may."""
    queries = read.of(SavegameQueries)
    usage, products = await queries.usage(read.user_id), await queries.usage_of_products(read.user_id)
    shown = quota(read.user_id, usage, products, read.saves.quota_bytes)
    await name_products(read, shown["attributes"]["products"])
    return ok({"data": shown})


@routes.read("/savegames/<uuid:savegame_id>", answers=schemas.single(SAVEGAME), refuses=_NO_SLOT)
async def get_save(read: Read, savegame_id: UUID) -> Reply:
    """A save's head."""
    found = await read.of(SavegameQueries).save(read.user_id, savegame_id)
    if found is None:
        raise SavegameSlotNotFound
    return ok({"data": savegame(found)})


@routes.read(
    "/savegames/<uuid:savegame_id>/versions",
    query=PageQuery,
    answers=schemas.collection(SAVEGAME_VERSION),
    refuses=_NO_SLOT,
)
async def list_versions(read: Read, savegame_id: UUID, query: PageQuery) -> Reply:
    """The history as a tree: every version names its parents. Also those whose bytes are gone."""
    found = await read.of(SavegameQueries).versions(read.user_id, savegame_id, query.slice)
    if not found.total:
        raise SavegameSlotNotFound
    path = f"{BASE}/savegames/{savegame_id}/versions"
    return Reply(200, collection(path, {}, [version(one) for one in found.items], found.total, query.slice))


@routes.read(
    "/savegames/<uuid:savegame_id>/download-url",
    query=Download,
    answers=schemas.single(PRESIGNED_DOWNLOAD_URL),
    refuses=(*_ACCESS, *_NO_VERSION),
)
async def request_download_url(read: Read, savegame_id: UUID, query: Download) -> Reply:
    """A URL that downloads the head, or another version. A device that has got the bytes says so by ``synced``."""
    queries = read.of(SavegameQueries)
    found = await queries.download(read.user_id, savegame_id, query.version)
    if found is None:
        there = await queries.save(read.user_id, savegame_id)
        raise SavegameVersionNotFound if there else SavegameSlotNotFound
    await read.of(AccessQueries).require(read.user_id, found.version.product_id)
    signed = await read.saves.sign_download(found)
    return ok({"data": download_url(found.version, signed, read.saves.url_ttl_seconds)})


@routes.write("POST", "/savegames/<uuid:savegame_id>/synced", body=Synced, status=204, refuses=_NO_VERSION)
async def report_synced(write: Write, savegame_id: UUID, body: Synced) -> Reply:
    """Says that a device has the bytes of a version now: its next upload grows from that, if it does not say."""
    await write.of(SavegameService).synced(write.user_id, savegame_id, body)
    return no_content()


@routes.write(
    "POST",
    "/savegames/<uuid:savegame_id>/restore",
    body=Restore,
    answers=schemas.single(SAVEGAME),
    refuses=_NO_VERSION,
)
async def restore_version(write: Write, savegame_id: UUID, body: Restore) -> Reply:
    """Makes the bytes of a version those of a new head. Nothing is lost."""
    await write.of(SavegameService).restore(write.user_id, savegame_id, body.version)
    return await _head(write, savegame_id)


@routes.write(
    "PATCH",
    "/savegames/<uuid:savegame_id>/versions/<int(min=1, max=9007199254740992):version_number>",
    body=VersionChanges,
    answers=schemas.single(SAVEGAME_VERSION),
    refuses=_NO_VERSION,
)
async def update_version(write: Write, savegame_id: UUID, version_number: int, body: VersionChanges) -> Reply:
    """Pins a version, so that it is never pruned, or changes its comment; null clears."""
    await write.of(SavegameService).change_version(write.user_id, savegame_id, version_number, body)
    return ok({"data": version(await _version(write, savegame_id, version_number))})


@routes.write("DELETE", "/savegames/<uuid:savegame_id>", query=Deletion, status=204, refuses=_NO_SLOT)
async def delete_save(write: Write, savegame_id: UUID, query: Deletion) -> Reply:
    """Puts a save into the trash; with permanent=true it goes at once, from the trash too."""
    await write.of(SavegameService).delete(write.user_id, savegame_id, permanent=query.permanent)
    return no_content()


@routes.write("POST", "/savegames/<uuid:savegame_id>/undelete", answers=schemas.single(SAVEGAME), refuses=_NO_SLOT)
async def undelete_save(write: Write, savegame_id: UUID) -> Reply:
    """Takes a save out of the trash, under another name where its own is taken."""
    await write.of(SavegameService).undelete(write.user_id, savegame_id)
    return await _head(write, savegame_id)


@routes.write(
    "POST",
    "/savegames/conflicts/<uuid:conflict_id>/resolve",
    body=Resolve,
    answers=schemas.single(SAVEGAME, RESOLUTION_META),
    refuses=("CONFLICT_NOT_FOUND", "SAVEGAME_VERSION_NOT_FOUND", "SAVEGAME_VERSION_CONFLICT"),
)
async def resolve_conflict(write: Write, conflict_id: UUID, body: Resolve) -> Reply:
    """Says what becomes of a branch. Where a side has changed since, a fresh description is the answer."""
    done = await write.of(SavegameConflicts).resolve(write.user_id, conflict_id, body)
    if isinstance(done, Overtaken):
        return write.refuse(await _described(write, conflict_id))
    head = await SavegameQueries(write.transaction.connection).save(write.user_id, done.slot_id)
    if head is None:
        raise SavegameSlotNotFound
    meta = {"conflict_id": conflict_id, "resolution": done.resolution, "copy_savegame_id": done.copy_slot_id}
    return ok({"data": savegame(head), "meta": meta})


async def _told(write: Write, outcome: Outcome) -> Reply:
    """What a client hears of its upload."""
    if outcome.result is Result.MISMATCH:
        return write.refuse(SavegameHashMismatch())
    if outcome.result is Result.CONFLICT:
        return write.refuse(await _conflict(write, outcome))
    meta: dict[str, Any] = {"result": outcome.result}
    if outcome.regresses_to:
        meta["regresses_to"] = outcome.regresses_to
    if outcome.result is Result.RESOLVED:
        meta |= {
            "resolution": outcome.resolution,
            "conflict_id": outcome.conflict_id,
            "head_version": outcome.head_version,
            "branch_version": outcome.branch_version,
        }
    return ok({"data": savegame(await _version(write, outcome.slot_id, outcome.version)), "meta": meta})


async def _conflict(write: Write, outcome: Outcome) -> SavegameVersionConflict:
    """Both sides as they were when the upload turned out to be a branch: asked again, the same."""
    numbers = (outcome.head_version or 0, outcome.branch_version or 0)
    head, branch = [await _version(write, outcome.slot_id, number) for number in numbers]
    return SavegameVersionConflict(**sides(outcome.conflict_id, head, branch))


async def _described(write: Write, conflict_id: UUID) -> SavegameVersionConflict:
    found = await SavegameQueries(write.transaction.connection).conflict(write.user_id, conflict_id)
    if found is None:
        raise ConflictNotFound
    return SavegameVersionConflict(**sides(conflict_id, found.head, found.branch))


async def _version(write: Write, slot_id: UUID, number: int) -> SaveVersion:
    found = await SavegameQueries(write.transaction.connection).version(write.user_id, slot_id, number)
    if found is None:
        raise SavegameVersionNotFound
    return found


async def _head(write: Write, slot_id: UUID) -> Reply:
    found = await SavegameQueries(write.transaction.connection).save(write.user_id, slot_id)
    if found is None:
        raise SavegameSlotNotFound
    return ok({"data": savegame(found)})
