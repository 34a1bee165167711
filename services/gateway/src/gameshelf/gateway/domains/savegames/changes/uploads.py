"""The cancellation of an upload by support."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from gameshelf.gateway.runtime.support.audit import State
from gameshelf.gateway.runtime.transaction import Transaction
from gameshelf.savegames import SavegameUploads, SavegameVersionNotFound, UploadQueries


@dataclass(frozen=True, slots=True)
class CancelUpload:
    """Cancels an open upload of either kind. The device requests a new one."""

    user_id: UUID
    upload_id: UUID
    command: ClassVar[str] = "uploads cancel"

    def target(self) -> State:
        return {"upload_id": self.upload_id}

    async def state(self, transaction: Transaction) -> State:
        try:
            found = await UploadQueries(transaction.connection).upload(
                self.user_id, self.upload_id, transaction.clock()
            )
        except SavegameVersionNotFound:
            raise SavegameVersionNotFound(reason="no_open_upload") from None
        return {
            "status": found.status,
            "slot_name": found.slot_name,
            "product_id": found.product_id,
            "device_id": found.device_id,
            "size": found.size,
        }

    async def act(self, transaction: Transaction) -> None:
        try:
            await transaction.of(SavegameUploads).cancel(self.user_id, self.upload_id)
        except SavegameVersionNotFound:
            raise SavegameVersionNotFound(reason="no_open_upload") from None
