"""``user show|export|erase``: summarises, exports or erases a user's data."""

from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.gateway.domains.accounts.changes import EraseUser
from gameshelf.gateway.runtime.grpc.calls import parse_id
from gameshelf.gateway.runtime.grpc.convert import timestamp
from gameshelf.gateway.runtime.identity import Identity
from gameshelf.gateway.runtime.streams import StreamState
from gameshelf.gateway.runtime.support.commands import ADMIN, ANY, audited_read_command, change_command
from gameshelf.gateway.runtime.support.export import ExportedFile
from gameshelf.gateway.runtime.support.rpc.context import SupportContext, parse_options
from gameshelf.kernel.database import Connection
from gameshelf.protos.library.v1 import admin_users_pb2 as messages

COMMANDS = (
    audited_read_command("user show", "ShowUser", ANY),
    audited_read_command("user export", "ExportUser", ADMIN),
    change_command("user erase", "EraseUser", ADMIN),
)


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
