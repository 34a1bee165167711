"""REST of the files of saves: their list, and their download (contract, section 3.6)."""

import asyncio
from typing import Any
from uuid import UUID

from gameshelf.gateway.domains.savegames import use_cases
from gameshelf.gateway.domains.savegames.resources import SAVE_ID
from gameshelf.gateway.domains.savegames.resources_sets import SAVEGAME_DOWNLOAD, SAVEGAME_FILE, SignedFiles
from gameshelf.gateway.domains.savegames.rest_common import ACCESS, NO_VERSION, VERSION, save_routes
from gameshelf.gateway.domains.savegames.sets import SetSigner
from gameshelf.gateway.domains.savegames.use_cases import Saves
from gameshelf.gateway.runtime.http.action import RestAction
from gameshelf.gateway.runtime.http.parse import parameters
from gameshelf.gateway.runtime.http.reply import BASE, Reply, ok, render_collection
from gameshelf.gateway.runtime.http.routing import Read, Write
from gameshelf.savegames import DownloadSet, FilesFilter, SetDownload

routes = save_routes()
_FILES_IN_LOOP = 500
"""Longer lists are rendered in a thread."""


@routes.read(
    f"/savegames/<uuid:savegame_id>/versions/{VERSION}/files",
    query=FilesFilter,
    answers=SAVEGAME_FILE.collection(f"/savegames/{SAVE_ID}/versions/7/files"),
    refuses=NO_VERSION,
)
async def list_files(read: Read, savegame_id: UUID, version_number: int, query: FilesFilter) -> Reply:
    """Lists the files of a version.

    Returns a page of the files, by their paths; `limit` may be up to 1,000. A save that is a single file has one, whose
    path is null.
    """
    found = await use_cases.list_files(read.connection, read.user_id, savegame_id, version_number, query.slice)
    path = f"{BASE}/savegames/{savegame_id}/versions/{version_number}/files"
    shown = [SAVEGAME_FILE.render(one) for one in found.items]
    return Reply(200, render_collection(path, parameters(query), shown, found.total, query.slice))


@routes.action(
    "POST",
    "/savegames/<uuid:savegame_id>/download",
    body=DownloadSet,
    example={"have_version": 5, "device_id": "3f0c2d9e-5a1b-4b7e-9d57-0c8a6f1e2b34"},
    answers=SAVEGAME_DOWNLOAD.document,
    refuses=(*ACCESS, *NO_VERSION),
)
async def download_save(
    action: RestAction, savegame_id: UUID, body: DownloadSet, saves: Saves, signer: SetSigner
) -> Reply:
    """Returns the files of a version, with URLs.

    Returns all files of the head, or of the version that the request names, and presigned URLs for the bytes that the
    device does not have (`have`, `have_version`), 100 at most. With `want` it returns those files alone. Needs access
    to the product. A device that has stored the bytes reports that by `/synced`.
    """

    async def find(write: Write) -> SetDownload:
        write.transaction.discard()  # nothing that the user sees has changed
        return await use_cases.find_download(write.transaction.connection, write.user_id, savegame_id, body)

    async def renew(write: Write, kept: Any) -> SetDownload:
        again = body.model_copy(update={"version": kept["version"]})
        return await use_cases.find_download(write.transaction.connection, write.user_id, savegame_id, again)

    async def respond(found: SetDownload) -> Any:
        urls = await signer.sign_downloads(use_cases.objects_of(found))
        about = (found.missing_bytes, found.missing_count, saves.url_ttl_seconds)
        signed = SignedFiles(found.version, found.files, urls, *about)
        if len(found.files) <= _FILES_IN_LOOP:
            return {"data": SAVEGAME_DOWNLOAD.render(signed)}
        return {"data": await asyncio.to_thread(SAVEGAME_DOWNLOAD.render, signed)}

    if action.key is not None:
        return await action.answer_afterwards(find, respond, lambda found: {"version": found.version.version}, renew)
    async with action.read() as read:
        found = await use_cases.find_download(read.connection, read.user_id, savegame_id, body)
    return ok(await respond(found))
