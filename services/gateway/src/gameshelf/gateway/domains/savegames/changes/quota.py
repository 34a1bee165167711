"""Changes of a user's quota by support."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from gameshelf.gateway.runtime.support.audit import Entry, State
from gameshelf.gateway.runtime.support.commands import Change
from gameshelf.gateway.runtime.transaction import Transaction
from gameshelf.savegames import SavegameQueries, SavegameService


@dataclass(frozen=True, slots=True)
class SetQuota:
    """Sets a user's limit in bytes; None returns to the default limit."""

    user_id: UUID
    limit_bytes: int | None
    command: ClassVar[str] = "quota set"

    def target(self) -> State:
        return {"limit_bytes": self.limit_bytes}

    async def state(self, transaction: Transaction) -> State:
        usage = await SavegameQueries(transaction.connection).usage(self.user_id)
        return {"limit_bytes": usage.limit_bytes}

    async def act(self, transaction: Transaction) -> None:
        await transaction.of(SavegameService).set_quota(self.user_id, self.limit_bytes)


@dataclass(frozen=True, slots=True)
class ResetQuota(SetQuota):
    """Returns a user to the default limit."""

    limit_bytes: int | None = None
    command: ClassVar[str] = "quota reset"


def undo(entry: Entry, user_id: UUID) -> Change:
    """Sets the limit from before."""
    return SetQuota(user_id, (entry.before or {})["limit_bytes"])
