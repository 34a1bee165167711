"""``uploads list|cancel``: uploads of saves that are not committed."""

from gameshelf.gateway.domains.savegames.changes.uploads import CancelUpload
from gameshelf.gateway.domains.savegames.messages import upload_message
from gameshelf.gateway.domains.savegames.upload_states import upload_state
from gameshelf.gateway.runtime.grpc.calls import parse_id, parse_message
from gameshelf.gateway.runtime.grpc.convert import text
from gameshelf.gateway.runtime.identity import Identity
from gameshelf.gateway.runtime.support.commands import ANY, change_command, read_command
from gameshelf.gateway.runtime.support.rpc.context import SupportContext, parse_options
from gameshelf.protos.library.v1 import admin_saves_pb2 as messages
from gameshelf.savegames import UploadQueries, UploadsFilter

COMMANDS = (
    read_command("uploads list", "ListSaveUploads"),
    change_command("uploads cancel", "CancelSaveUploadOfUser", ANY),
)
_IDS = frozenset({"user_id"})


class Uploads:
    """Serves uploads."""

    def __init__(self, context: SupportContext) -> None:
        self._context = context

    async def ListSaveUploads(
        self, request: messages.ListSaveUploadsRequest, by: Identity
    ) -> messages.ListSaveUploadsResponse:
        user_id = parse_id(request.user_id, "user_id")
        of = parse_message(UploadsFilter, request, _IDS)
        async with self._context.reading(user_id) as connection:
            found = await UploadQueries(connection).uploads(user_id, of, self._context.clock())
            titles = await self._context.titles(connection, [one.product_id for one in found.items])
        return messages.ListSaveUploadsResponse(
            uploads=[
                messages.AdminSaveUpload(
                    upload=upload_message(upload_state(one)),
                    file_size_bytes=one.size,
                    file_hash_sha256=one.content.hex(),
                    content_identity=one.identity.hex(),
                    base_version=one.base_version,
                    device_id=text(one.device_id),
                    title=titles.get(one.product_id, ""),
                )
                for one in found.items
            ],
            total_items=found.total,
        )

    async def CancelSaveUploadOfUser(
        self, request: messages.CancelSaveUploadOfUserRequest, by: Identity
    ) -> messages.CancelSaveUploadOfUserResponse:
        user_id, upload_id = parse_id(request.user_id, "user_id"), parse_id(request.upload_id, "upload_id")
        options = parse_options(request.change)
        done = await self._context.make_change(CancelUpload(user_id, upload_id), options, by)
        return messages.CancelSaveUploadOfUserResponse(result=done)
