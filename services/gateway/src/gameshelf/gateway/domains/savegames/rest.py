"""REST of saves and their versions (contract, section 3.6)."""

from uuid import UUID

from gameshelf.gateway.domains.savegames import use_cases
from gameshelf.gateway.domains.savegames.resources import (
    PRESIGNED_DOWNLOAD_URL,
    SAVE_ID,
    SAVEGAME,
    SAVEGAME_QUOTA,
    SAVEGAME_VERSION,
    QuotaUsage,
    Signed,
)
from gameshelf.gateway.domains.savegames.rest_common import (
    ACCESS,
    NO_SLOT,
    NO_VERSION,
    VERSION,
    save_routes,
    version_of,
)
from gameshelf.gateway.domains.savegames.use_cases import Saves
from gameshelf.gateway.runtime.http.named_products import name_products, with_titles
from gameshelf.gateway.runtime.http.parse import PageQuery, parameters
from gameshelf.gateway.runtime.http.reply import BASE, Reply, no_content, ok, render_collection
from gameshelf.gateway.runtime.http.routing import Read, Write
from gameshelf.savegames import (
    Deletion,
    Download,
    Restore,
    SavegameQueries,
    SavegameService,
    SavegameSlotNotFound,
    SavesFilter,
    Synced,
    VersionChanges,
)

routes = save_routes()


@routes.read("/savegames", query=SavesFilter, answers=SAVEGAME.collection("/savegames"))
async def list_saves(read: Read, query: SavesFilter) -> Reply:
    """Lists the saves.

    Returns a page of the heads of the saves, the last uploaded first; with `trashed=true` of the saves in the trash.
    """
    found = await read.of(SavegameQueries).saves(read.user_id, query)
    shown = await with_titles(read, [SAVEGAME.render(one) for one in found.items])
    return Reply(200, render_collection(f"{BASE}/savegames", parameters(query), shown, found.total, query.slice))


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


@routes.read("/savegames/<uuid:savegame_id>", answers=SAVEGAME.document, refuses=NO_SLOT)
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
    refuses=NO_SLOT,
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
    refuses=(*ACCESS, *NO_VERSION, "SAVEGAME_IS_A_SET"),
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
    refuses=NO_VERSION,
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
    refuses=(*NO_VERSION, "SAVEGAME_MERGE_SPLITS_UNIT", "SAVEGAME_FILE_TOO_LARGE"),
)
async def restore_version(write: Write, savegame_id: UUID, body: Restore) -> Reply:
    """Restores a version.

    Makes a new head from the bytes of an older version, or of some units of it. No version is lost. A device has the
    new head only once it reports that by `/synced`.
    """
    await write.of(SavegameService).restore(
        write.user_id, savegame_id, body.version, device_id=body.device_id, units=body.units
    )
    return await _head(write, savegame_id)


@routes.write(
    "PATCH",
    f"/savegames/<uuid:savegame_id>/versions/{VERSION}",
    body=VersionChanges,
    example={"is_pinned": True},
    answers=SAVEGAME_VERSION.document,
    refuses=NO_VERSION,
)
async def update_version(write: Write, savegame_id: UUID, version_number: int, body: VersionChanges) -> Reply:
    """Changes a version.

    Pins it, so that it is never pruned, or changes its comment. A field that is left out stays as it is; null clears
    the comment.
    """
    await write.of(SavegameService).change_version(write.user_id, savegame_id, version_number, body)
    return ok({"data": SAVEGAME_VERSION.render(await version_of(write, savegame_id, version_number))})


@routes.write("DELETE", "/savegames/<uuid:savegame_id>", query=Deletion, status=204, refuses=NO_SLOT)
async def delete_save(write: Write, savegame_id: UUID, query: Deletion) -> Reply:
    """Deletes a save.

    Puts the save into the trash; with `permanent=true` deletes it at once, from the trash too.
    """
    await write.of(SavegameService).delete(write.user_id, savegame_id, permanent=query.permanent)
    return no_content()


@routes.write("POST", "/savegames/<uuid:savegame_id>/undelete", answers=SAVEGAME.document, refuses=NO_SLOT)
async def undelete_save(write: Write, savegame_id: UUID) -> Reply:
    """Takes a save out of the trash.

    If its name is taken by another save, it gets a new one.
    """
    await write.of(SavegameService).undelete(write.user_id, savegame_id)
    return await _head(write, savegame_id)


async def _head(write: Write, slot_id: UUID) -> Reply:
    found = await SavegameQueries(write.transaction.connection).save(write.user_id, slot_id)
    if found is None:
        raise SavegameSlotNotFound
    return ok({"data": SAVEGAME.render(found)})
