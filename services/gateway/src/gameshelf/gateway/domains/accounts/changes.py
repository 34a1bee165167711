"""Erasure of an account by support."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.runtime.support.audit import State
from gameshelf.gateway.runtime.support.overview import UserOverview
from gameshelf.gateway.runtime.transaction import Transaction


@dataclass(frozen=True, slots=True)
class EraseUser:
    """Ends an account, like ``com.platform.account.user.deleted.v1``: from this commit on its data can neither be read
    nor written, and the erasure job deletes it.
    """

    user_id: UUID
    streams: UserStreams
    overview: UserOverview
    command: ClassVar[str] = "user erase"

    def target(self) -> State:
        return {}

    async def state(self, transaction: Transaction) -> State:
        if await self.streams.erased(transaction.connection, self.user_id):
            return {"erased": True}
        counts = await self.overview.count(transaction.connection, self.user_id)
        return {"erased": False, **self.overview.stable(counts)}

    async def act(self, transaction: Transaction) -> None:
        await self.streams.mark_erased(transaction.connection, self.user_id)
