"""Fills the folded names of categories that another version of the service has created or renamed."""

from uuid import UUID

from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.jobs.isolation import Isolation
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.streams import UserErased
from gameshelf.gateway.runtime.transaction import Transactions
from gameshelf.library import LibraryService, users_without_keys

_AT_ONCE = 500


class CategoryFolding:
    """Fills the folded names, by which the names of a user's categories are unique; one transaction per user."""

    def __init__(self, acquire: Acquire, transactions: Transactions, metrics: Metrics | None = None) -> None:
        self._acquire = acquire
        self._transactions = transactions
        self._isolation = Isolation[UUID]("category folding", metrics)

    async def run_once(self) -> None:
        """Handles all users who have a category without a folded name; skips users whose rows are locked."""
        after = UUID(int=0)
        while True:
            async with self._acquire() as connection:
                users = await users_without_keys(connection, after, _AT_ONCE)
            for user_id in users:
                with self._isolation.attempt(user_id):
                    await self._fold(user_id)
            if len(users) < _AT_ONCE:
                return
            after = users[-1]

    async def _fold(self, user_id: UUID) -> None:
        try:
            async with self._transactions.begin_background(user_id) as transaction:
                await transaction.of(LibraryService).settle_category_keys(user_id)
                transaction.discard()  # the change is invisible to clients
        except UserErased:
            return
