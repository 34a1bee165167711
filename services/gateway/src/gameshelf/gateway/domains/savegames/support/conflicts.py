"""``conflicts list|show|resolve``: open conflicts between versions of saves."""

from uuid import UUID

from gameshelf.gateway.domains.savegames.changes.conflicts import ResolveConflict
from gameshelf.gateway.domains.savegames.grpc import parse_resolution
from gameshelf.gateway.domains.savegames.grpc_sets import parse_units
from gameshelf.gateway.domains.savegames.messages import conflict_message, save_message
from gameshelf.gateway.runtime.grpc.calls import parse_id, parse_message, parse_optional_id
from gameshelf.gateway.runtime.grpc.convert import timestamp
from gameshelf.gateway.runtime.identity import Identity
from gameshelf.gateway.runtime.support.commands import ANY, change_command, read_command
from gameshelf.gateway.runtime.support.rpc.context import (
    SupportContext,
    page_limit,
    parse_options,
)
from gameshelf.gateway.runtime.support.rpc.cursors import moment, pack, unpack
from gameshelf.kernel.database import Connection
from gameshelf.kernel.paging import Page
from gameshelf.protos.library.v1 import admin_saves_pb2 as messages
from gameshelf.protos.library.v1.cloud_save_service_pb2 import SAVE_SIDE_BRANCH, SAVE_SIDE_HEAD
from gameshelf.savegames import (
    ConflictNotFound,
    ConflictPlace,
    MergeSide,
    PathDifference,
    Resolve,
    SaveFile,
    SavegameQueries,
    SavegameSetQueries,
    SavegameSupport,
    UnitDifference,
    UserConflict,
)

COMMANDS = (
    read_command("conflicts list", "ListSaveConflicts"),
    read_command("conflicts show", "ShowSaveConflict"),
    change_command("conflicts resolve", "ResolveSaveConflict", ANY),
)
_IDS = frozenset({"user_id", "conflict_id", "change"})
_MAX_VERSIONS = 100
_MAX_DIFFERENCES = 100
_SIDES = {MergeSide.HEAD: SAVE_SIDE_HEAD, MergeSide.BRANCH: SAVE_SIDE_BRANCH}


class Conflicts:
    """Serves conflicts."""

    def __init__(self, context: SupportContext) -> None:
        self._context = context

    async def ListSaveConflicts(
        self, request: messages.ListSaveConflictsRequest, by: Identity
    ) -> messages.ListSaveConflictsResponse:
        user_id = parse_optional_id(request.user_id, "user_id")
        product_id = parse_optional_id(request.product_id, "product_id")
        place = _place(request.cursor) if request.cursor else None
        limit = page_limit(request.limit)
        if user_id:
            async with self._context.reading(user_id) as connection:
                return await self._listed(connection, user_id, product_id, place, limit)
        async with self._context.acquire() as connection:
            return await self._listed(connection, None, product_id, place, limit)

    async def _listed(
        self,
        connection: Connection,
        user_id: UUID | None,
        product_id: UUID | None,
        place: ConflictPlace | None,
        limit: int,
    ) -> messages.ListSaveConflictsResponse:
        found = await SavegameSupport(connection).conflicts(user_id, product_id, place, limit + 1)
        page = found[:limit]
        erased = await self._context.streams.being_erased(connection, {one.user_id for one in page})
        titles = await self._context.titles(connection, [one.conflict.head.product_id for one in page])
        last = page[-1].conflict if len(found) > limit else None
        return messages.ListSaveConflictsResponse(
            conflicts=[_conflict(one, titles) for one in page if one.user_id not in erased],
            next_cursor=pack(last.opened_at, last.id) if last else "",
        )

    async def ShowSaveConflict(
        self, request: messages.ShowSaveConflictRequest, by: Identity
    ) -> messages.ShowSaveConflictResponse:
        user_id, conflict_id = parse_id(request.user_id, "user_id"), parse_id(request.conflict_id, "conflict_id")
        async with self._context.reading(user_id) as connection:
            queries = SavegameQueries(connection)
            found = await queries.conflict(user_id, conflict_id)
            if found is None:
                raise ConflictNotFound
            versions = await queries.versions(user_id, found.head.slot_id, Page(1, _MAX_VERSIONS))
            differences = await SavegameSetQueries(connection).differences(user_id, conflict_id)
            titles = await self._context.titles(connection, [found.head.product_id])
        if differences is None:
            raise ConflictNotFound  # it was resolved meanwhile
        shown = conflict_message(found)
        shown.base_version, shown.differences_count = differences.base_version or 0, differences.file_count
        files = [(unit, path) for unit in differences.units for path in unit.paths]
        start = (max(request.differences_page, 1) - 1) * _MAX_DIFFERENCES
        return messages.ShowSaveConflictResponse(
            conflict=shown,
            differences=[_difference(*one) for one in files[start : start + _MAX_DIFFERENCES]],
            unit_count=len(differences.units),
            unnamed_count=differences.unnamed_count,
            versions=[save_message(one) for one in versions.items],
            title=titles.get(found.head.product_id, ""),
        )

    async def ResolveSaveConflict(
        self, request: messages.ResolveSaveConflictRequest, by: Identity
    ) -> messages.ResolveSaveConflictResponse:
        user_id, conflict_id = parse_id(request.user_id, "user_id"), parse_id(request.conflict_id, "conflict_id")
        options = parse_options(request.change)
        given = {"resolution": parse_resolution(request.resolution), "units": parse_units(request.units)}
        choice = parse_message(Resolve, request, _IDS | {"units"}, **given)
        done = await self._context.make_change(ResolveConflict(user_id, conflict_id, choice), options, by)
        return messages.ResolveSaveConflictResponse(result=done)


def _place(cursor: str) -> ConflictPlace:
    opened_at, conflict_id = unpack(cursor, moment, UUID)
    return ConflictPlace(opened_at, conflict_id)


def _difference(unit: UnitDifference, of: PathDifference) -> messages.SaveDifference:
    return messages.SaveDifference(
        path=of.path,
        unit=unit.unit,
        kind=unit.kind,
        suggested=_SIDES[unit.suggested] if unit.suggested else None,
        base=_side(of.base),
        head=_side(of.head),
        branch=_side(of.branch),
    )


def _side(of: SaveFile | None) -> messages.SaveDifferenceSide | None:
    if of is None:
        return None
    return messages.SaveDifferenceSide(
        sha256=of.sha256.hex(), size_bytes=of.size, modified_at=timestamp(of.modified_at)
    )


def _conflict(of: UserConflict, titles: dict[UUID, str]) -> messages.AdminConflict:
    return messages.AdminConflict(
        user_id=str(of.user_id),
        conflict=conflict_message(of.conflict),
        title=titles.get(of.conflict.head.product_id, ""),
    )
