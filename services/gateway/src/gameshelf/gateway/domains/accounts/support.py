"""``user show|timeline|export|erase``: summarises, lists, exports or erases a user's data."""

from collections.abc import Iterable, Mapping, Set
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from gameshelf.gateway.domains.accounts.changes import EraseUser
from gameshelf.gateway.runtime.encoding import encode
from gameshelf.gateway.runtime.grpc.calls import parse_id, parse_time
from gameshelf.gateway.runtime.grpc.convert import text, timestamp
from gameshelf.gateway.runtime.identity import Identity
from gameshelf.gateway.runtime.streams import StreamState
from gameshelf.gateway.runtime.support.commands import ADMIN, ANY, audited_read_command, change_command, read_command
from gameshelf.gateway.runtime.support.export import ExportedFile
from gameshelf.gateway.runtime.support.rpc.context import SupportContext, page_limit, parse_options
from gameshelf.gateway.runtime.support.rpc.cursors import moment, pack, unpack
from gameshelf.kernel.database import Connection
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.kernel.happenings import Happening, HappeningPlace, place_before
from gameshelf.protos.library.v1 import admin_users_pb2 as messages

COMMANDS = (
    audited_read_command("user show", "ShowUser", ANY),
    read_command("user timeline", "ListTimeline"),
    audited_read_command("user export", "ExportUser", ADMIN),
    change_command("user erase", "EraseUser", ADMIN),
)
_BEGINNING, _END = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)


class Users:
    """Serves users."""

    def __init__(self, context: SupportContext) -> None:
        self._context = context

    async def ShowUser(self, request: messages.ShowUserRequest, by: Identity) -> messages.ShowUserResponse:
        user_id = parse_id(request.user_id, "user_id")
        async with self._context.acquire() as connection:
            gone = await self._context.streams.erased(connection, user_id)
            if gone is None:
                state = await self._context.streams.state(connection, user_id)
                return await self._shown(connection, user_id, state)
        return messages.ShowUserResponse(
            user_id=str(user_id),
            erased_at=timestamp(gone.erased_at),
            erasure="running" if gone.is_running else "done",
        )

    async def _shown(self, connection: Connection, user_id: UUID, state: StreamState) -> messages.ShowUserResponse:
        counts = await self._context.overview.count(connection, user_id)
        fields: dict[str, Any] = {
            name: timestamp(value) if isinstance(value, datetime) else value for name, value in counts.items()
        }
        return messages.ShowUserResponse(
            user_id=str(user_id), version=state.version, last_sequence=state.last_sequence, **fields
        )

    async def ListTimeline(self, request: messages.ListTimelineRequest, by: Identity) -> messages.ListTimelineResponse:
        user_id, limit = parse_id(request.user_id, "user_id"), page_limit(request.limit)
        kinds = _kinds(request.kinds, self._context.timeline.kinds.keys())
        since = parse_time(request.since, "since") if request.HasField("since") else _BEGINNING
        after = _place(request)
        async with self._context.reading(user_id) as connection:
            found = await self._context.timeline.page(connection, user_id, kinds, since, after, limit + 1)
            shown = found[:limit]
            products = {one.product_id for one in shown if one.product_id}
            titles = await self._context.titles(connection, list(products))
        last = shown[-1].place if len(found) > limit else None
        return messages.ListTimelineResponse(
            entries=[_entry(one, titles) for one in shown],
            next_cursor=pack(last.at, last.kind, last.key) if last else "",
        )

    async def ExportUser(self, request: messages.ExportUserRequest, by: Identity) -> messages.ExportUserResponse:
        user_id = parse_id(request.user_id, "user_id")
        async with self._context.reading(user_id) as connection:
            part = await self._context.export.part(connection, user_id, request.cursor)
        return messages.ExportUserResponse(
            rows=[messages.ExportedRows(table=table, rows=rows) for table, rows in part.rows.items()],
            files=[await self._file(file) for file in part.files],
            next_cursor=part.cursor,
            done=part.done,
            total=max(part.total, part.done),
        )

    async def _file(self, of: ExportedFile) -> messages.ExportedFile:
        return messages.ExportedFile(
            name=of.file.name,
            download_url=await self._context.export.sign(of),
            file_size_bytes=of.file.size,
            file_hash_sha256=of.file.sha256.hex(),
        )

    async def EraseUser(self, request: messages.EraseUserRequest, by: Identity) -> messages.EraseUserResponse:
        user_id, options = parse_id(request.user_id, "user_id"), parse_options(request.change)
        done = await self._context.make_change(
            EraseUser(user_id, self._context.streams, self._context.overview), options, by
        )
        return messages.EraseUserResponse(result=done)


def _kinds(sent: Iterable[str], known: Set[str]) -> Set[str]:
    """Checks the kinds of happenings; none means all. Raises InvalidInput."""
    asked = set(sent)
    if asked - known:
        raise InvalidInput(Problem("enum", pointer="kinds", params={"expected": ", ".join(sorted(known))}))
    return asked or known


def _place(request: messages.ListTimelineRequest) -> HappeningPlace:
    """Returns where the page begins. Raises InvalidInput."""
    if request.cursor:
        return HappeningPlace(*unpack(request.cursor, moment, str, str))
    return place_before(parse_time(request.until, "until") if request.HasField("until") else _END)


def _entry(of: Happening, titles: Mapping[UUID, str]) -> messages.TimelineEntry:
    return messages.TimelineEntry(
        at=timestamp(of.at),
        kind=of.kind,
        product_id=text(of.product_id),
        title=titles.get(of.product_id, "") if of.product_id else "",
        facts=encode(dict(of.facts)).decode(),
    )
