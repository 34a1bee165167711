"""REST of uploads (contract, section 3.6). The bytes go from the client to the object store."""

from typing import Any
from uuid import UUID

from gameshelf.gateway.domains.savegames import use_cases
from gameshelf.gateway.domains.savegames.openings import new_upload
from gameshelf.gateway.domains.savegames.resources import (
    CONFIRMED_UPLOAD,
    PRESIGNED_UPLOAD_URL,
    SAVEGAME,
    Signed,
)
from gameshelf.gateway.domains.savegames.resources_conflicts import sides
from gameshelf.gateway.domains.savegames.resources_sets import SAVEGAME_UPLOAD, VERIFYING_UPLOAD
from gameshelf.gateway.domains.savegames.rest_common import (
    ACCESS,
    NO_VERSION,
    differences_of_sides,
    save_routes,
    version_of,
)
from gameshelf.gateway.domains.savegames.sets import SetCommits, SetSigner, VerifyingUpload
from gameshelf.gateway.domains.savegames.upload_states import (
    UploadState,
    reserved_upload,
    signed_upload,
    upload_state,
)
from gameshelf.gateway.domains.savegames.use_cases import ConfirmedUpload, IncompleteUpload, Saves, SignedUpload
from gameshelf.gateway.runtime.http.action import RestAction
from gameshelf.gateway.runtime.http.idempotency import Excerpt, identity_of
from gameshelf.gateway.runtime.http.named_products import with_titles
from gameshelf.gateway.runtime.http.parse import parameters
from gameshelf.gateway.runtime.http.reply import BASE, Reply, no_content, ok, render_collection
from gameshelf.gateway.runtime.http.routing import Read, Write
from gameshelf.kernel.clock import utc_now
from gameshelf.kernel.errors import DomainError
from gameshelf.savegames import (
    ConfirmUpload,
    NewSet,
    NewUpload,
    OpenUpload,
    SavegameSets,
    SavegameUploads,
    SavegameVersionConflict,
    SetReservation,
    UploadOutcome,
    UploadQueries,
    UploadResult,
    UploadsFilter,
)

routes = save_routes()
MAX_LIST_OF_FILES = 8 * 1024**2
"""Size limit of a request with a list of files (contract in detail, section 3)."""
_ASK_AGAIN = "2"
_NOT_CONFIRMED = (
    "SAVEGAME_VERSION_NOT_FOUND",
    "SAVEGAME_UPLOAD_INCOMPLETE",
    "SAVEGAME_HASH_MISMATCH",
    "SAVEGAME_VERSION_CONFLICT",
    "USER_QUOTA_EXCEEDED",
)


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
    refuses=(*ACCESS, *NO_VERSION, "SAVEGAME_SHRINKS", "SAVEGAME_FILE_TOO_LARGE", "USER_QUOTA_EXCEEDED"),
)
async def request_upload_url(action: RestAction, body: NewUpload, saves: Saves) -> Reply:
    """Reserves an upload.

    Reserves quota and returns a presigned request that sends exactly these bytes to the object store. Needs access to
    the product. The same request for an upload that is open returns that upload with a new signature.
    """

    now = utc_now()

    async def reserve(write: Write) -> Reply:
        return ok(_upload_url(await use_cases.reserve_upload(write.transaction, body, saves, now)))

    async def renew(write: Write, kept: Any) -> Any:
        return _upload_url(await use_cases.renew_upload(write.transaction, UUID(kept["data"]["id"]), saves))

    opening = new_upload(action.user_id, body, now)
    return await action.answer(reserve, Excerpt(identity_of, renew, is_secret=True), opening)


@routes.action(
    "POST",
    "/savegames/confirm-upload",
    body=ConfirmUpload,
    example={"internal_save_id": "c9f0f895-fb98-4b91-99f5-1fd0297e236d"},
    answers=CONFIRMED_UPLOAD,
    also={202: VERIFYING_UPLOAD},
    refuses=_NOT_CONFIRMED,
)
async def confirm_upload(action: RestAction, body: ConfirmUpload, commits: SetCommits) -> Reply:
    """Confirms an upload.

    Verifies the bytes that were sent to the object store, and makes a version of them. An upload that is not based on
    the head is kept as a branch and answered with 409; the meta of the error describes both sides. Confirming again
    returns the same result for 30 days. If the verification takes longer than 20 seconds, the response is 202; ask
    again. An upload of a set is confirmed as well, in the way of `/commit`.
    """
    return await _commit(action, body.internal_save_id, commits)


@routes.action(
    "POST",
    "/savegames/uploads",
    body=NewSet,
    example={
        "product_id": "0b9ff5b6-6d5c-4a40-9a06-1cf6f0d1f9a3",
        "save_slot_name": "world 1",
        "base_version": 5,
        "device_id": "3f0c2d9e-5a1b-4b7e-9d57-0c8a6f1e2b34",
        "device_name": "Steam Deck",
        "files": [
            {
                "path": "saves/world-1/level.dat",
                "size_bytes": 52428,
                "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "modified_at": "2026-05-20T19:29:50Z",
            }
        ],
    },
    answers=SAVEGAME_UPLOAD.document,
    refuses=(
        *ACCESS,
        *NO_VERSION,
        "SAVEGAME_SHRINKS",
        "SAVEGAME_BASE_NOT_SYNCED",
        "SAVEGAME_POLICY_CHANGED",
        "SAVEGAME_FILE_TOO_LARGE",
        "USER_QUOTA_EXCEEDED",
        "SAVEGAME_HASH_MISMATCH",
    ),
    max_body_bytes=MAX_LIST_OF_FILES,
    has_long_lists=True,
)
async def begin_upload(action: RestAction, body: NewSet, signer: SetSigner) -> Reply:
    """Reserves an upload of files.

    Takes all files of a save, or what changed against a version (`put`, `remove`, `set_sha256`). Reserves quota, and
    returns presigned requests for the contents that the user does not have yet. Needs access to the product. The same
    request for an upload that is open returns that upload with new signatures. A save that is a single file has one
    entry, whose path is null.
    """

    async def reserve(write: Write) -> SetReservation | OpenUpload:
        return await write.of(SavegameSets).request(write.user_id, body)

    async def renew(write: Write, kept: Any) -> SetReservation | OpenUpload:
        return await use_cases.renew_set(write.transaction, UUID(kept["data"]["id"]))

    async def respond(reserved: SetReservation | OpenUpload) -> Any:
        return {"data": SAVEGAME_UPLOAD.render(await _begun(action, reserved, signer))}

    return await action.answer_afterwards(reserve, respond, _kept, renew)


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
async def get_upload(action: RestAction, upload_id: UUID, saves: Saves, signer: SetSigner) -> Reply:
    """Returns an upload.

    Returns its state, and new presigned requests for what has not arrived, 100 at most. The upload can then be
    confirmed until an hour after those URLs have expired.
    """
    async with action.read() as read:
        found = await use_cases.resumable(read.connection, read.user_id, upload_id, saves, read.now)
    # Outside of the read, so that no connection waits for the store.
    if found.is_plain:
        has_arrived, request = await saves.resume(found.upload, may_play=found.may_play)
        return ok({"data": SAVEGAME_UPLOAD.render(upload_state(found.upload, request, has_arrived=has_arrived))})
    about = (action.user_id, upload_id, found.missing, found.arrived_through)
    signed = await signer.sign_uploads(*about, may_play=found.may_play)
    return ok({"data": SAVEGAME_UPLOAD.render(signed_upload(found.upload, signed))})


@routes.action(
    "POST",
    "/savegames/uploads/<uuid:upload_id>/commit",
    answers=CONFIRMED_UPLOAD,
    also={202: VERIFYING_UPLOAD},
    refuses=_NOT_CONFIRMED,
)
async def commit_upload(action: RestAction, upload_id: UUID, commits: SetCommits) -> Reply:
    """Commits an upload.

    Verifies what was sent to the object store, and makes a version of it: of all files, or of none. An upload that is
    not based on the head is kept as a branch and answered with 409. 422 names what is missing (`meta.missing`) and what
    is wrong (`meta.mismatched`); the upload stays open, and only that has to be sent again. If the verification takes
    longer than 20 seconds, the response is 202; ask again, what is verified stays.
    """
    return await _commit(action, upload_id, commits)


@routes.write("DELETE", "/savegames/uploads/<uuid:upload_id>", status=204, refuses=("SAVEGAME_VERSION_NOT_FOUND",))
async def cancel_upload(write: Write, upload_id: UUID) -> Reply:
    """Cancels an upload.

    This releases the quota that it had reserved.
    """
    await write.of(SavegameUploads).cancel(write.user_id, upload_id)
    return no_content()


def _upload_url(signed: SignedUpload) -> dict[str, Any]:
    return {"data": PRESIGNED_UPLOAD_URL.render(signed.reservation, Signed(signed.request, signed.seconds))}


def _result(outcome: UploadOutcome) -> dict[str, Any]:
    """Returns the fields of an upload's result besides its version."""
    meta: dict[str, Any] = {"result": outcome.result}
    if outcome.regresses_to:
        meta["regresses_to"] = outcome.regresses_to
    if outcome.new_bytes is not None:
        meta["new_bytes"] = outcome.new_bytes
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
    head, branch = [await version_of(write, outcome.slot_id, number) for number in numbers]
    differences = await differences_of_sides(write, outcome.conflict_id, head, branch)
    return SavegameVersionConflict(**sides(outcome.conflict_id, head, branch), **differences)


def _kept(reserved: SetReservation | OpenUpload) -> Any:
    upload_id = reserved.upload_id if isinstance(reserved, SetReservation) else reserved.id
    return {"data": {"type": "savegameUpload", "id": upload_id}}


async def _begun(action: RestAction, reserved: SetReservation | OpenUpload, signer: SetSigner) -> UploadState:
    """Returns the state of an upload with signed requests; an upload that is over has none."""
    if isinstance(reserved, OpenUpload):
        return upload_state(reserved)
    signed = await signer.sign_uploads(
        action.user_id, reserved.upload_id, reserved.missing, reserved.arrived_through, may_play=True
    )
    return reserved_upload(reserved, signed)


async def _commit(action: RestAction, upload_id: UUID, commits: SetCommits) -> Reply:
    """Verifies the bytes of an upload of either kind, and decides its result."""
    if first := await action.first_response():
        return first  # the uploaded objects may have been deleted since, and the first response is still valid
    try:
        verified = await commits.verify(action.user_id, upload_id)
    except DomainError as error:
        return await action.refuse(error)
    if isinstance(verified, VerifyingUpload):
        async with action.read() as read:
            shown = SAVEGAME_UPLOAD.render(
                upload_state(await read.of(UploadQueries).upload(action.user_id, upload_id, read.now))
            )
        meta = {"verified_count": verified.verified, "total_count": verified.total}
        return ok({"data": shown, "meta": meta}, 202, **{"Retry-After": _ASK_AGAIN})

    async def finish(write: Write) -> Reply:
        done = await use_cases.finish_upload(write.transaction, upload_id, verified.single)
        if isinstance(done, ConfirmedUpload):
            return ok({"data": SAVEGAME.render(done.version), "meta": _result(done.outcome)})
        if isinstance(done, IncompleteUpload):
            return write.refuse(done.refusal)
        is_conflict = done.outcome.result is UploadResult.CONFLICT
        return write.refuse(await _conflict(write, done.outcome) if is_conflict else done.refusal)

    return await action.answer(finish)
