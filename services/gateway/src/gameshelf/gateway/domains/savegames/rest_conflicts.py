"""REST of conflicts (contract, section 3.6)."""

from uuid import UUID

from gameshelf.gateway.domains.savegames import use_cases
from gameshelf.gateway.domains.savegames.resources import CONFLICT_ID, SAVEGAME
from gameshelf.gateway.domains.savegames.resources_conflicts import (
    RESOLVED_CONFLICT,
    SAVEGAME_CONFLICT,
    SAVEGAME_DIFFERENCE,
    conflict_with_differences,
    differences_of,
    sides,
)
from gameshelf.gateway.domains.savegames.rest_common import differences_of_sides, save_routes
from gameshelf.gateway.domains.savegames.use_cases import ResolvedConflict
from gameshelf.gateway.runtime.http.named_products import with_titles
from gameshelf.gateway.runtime.http.parse import PageQuery, parameters
from gameshelf.gateway.runtime.http.reply import BASE, Reply, ok, render_collection
from gameshelf.gateway.runtime.http.routing import Read, Write
from gameshelf.savegames import (
    ConflictDifferences,
    ConflictNotFound,
    ConflictsFilter,
    Resolve,
    SavegameQueries,
    SavegameSetQueries,
    SavegameVersionConflict,
)

routes = save_routes()


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


@routes.read(
    "/savegames/conflicts/<uuid:conflict_id>", answers=SAVEGAME_CONFLICT.document, refuses=("CONFLICT_NOT_FOUND",)
)
async def get_conflict(read: Read, conflict_id: UUID) -> Reply:
    """Returns a conflict.

    Returns an open conflict with both of its sides, and the first 100 files that differ between them.
    """
    [shown] = await with_titles(read, [conflict_with_differences(await _differences(read, conflict_id))])
    return ok({"data": shown})


@routes.read(
    "/savegames/conflicts/<uuid:conflict_id>/differences",
    query=PageQuery,
    answers=SAVEGAME_DIFFERENCE.collection(f"/savegames/conflicts/{CONFLICT_ID}/differences"),
    refuses=("CONFLICT_NOT_FOUND",),
)
async def list_differences(read: Read, conflict_id: UUID, query: PageQuery) -> Reply:
    """Lists the differences of a conflict.

    Returns a page of the files that differ between the sides of an open conflict, by units and paths. A merge takes
    each unit from one side.
    """
    files = differences_of((await _differences(read, conflict_id)).units)
    page = files[query.slice.offset : query.slice.offset + query.slice.limit]
    shown = [SAVEGAME_DIFFERENCE.render(one) for one in page]
    path = f"{BASE}/savegames/conflicts/{conflict_id}/differences"
    return Reply(200, render_collection(path, {}, shown, len(files), query.slice))


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

    Keeps the branch, the head or both, or merges them: `units` names the side of each unit that both sides have
    changed, and may name others. If a side has changed since the client read the conflict, the response is 409
    and describes the current sides.
    """
    done = await use_cases.resolve_conflict(write.transaction, conflict_id, body)
    if not isinstance(done, ResolvedConflict):
        differences = await differences_of_sides(write, conflict_id, done.head, done.branch)
        return write.refuse(SavegameVersionConflict(**sides(conflict_id, done.head, done.branch), **differences))
    resolved = done.resolved
    meta = {"conflict_id": conflict_id, "resolution": resolved.resolution, "copy_savegame_id": resolved.copy_slot_id}
    return ok({"data": SAVEGAME.render(done.head), "meta": meta})


async def _differences(read: Read, conflict_id: UUID) -> ConflictDifferences:
    found = await read.of(SavegameSetQueries).differences(read.user_id, conflict_id)
    if found is None:
        raise ConflictNotFound
    return found
