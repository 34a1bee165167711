"""What sharing needs answered by whoever composes it."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol
from uuid import UUID


class Players(Protocol):
    """Who plays what. Asked inside a transaction, under the lock of the copy."""

    async def own_copy_played_since(self, user_id: UUID, product_id: UUID) -> datetime | None:
        """Since when a user plays their own copy of a product; None while they don't."""
        ...

    async def running(self, user_id: UUID, session_ids: Collection[UUID]) -> set[UUID]:
        """Those of a user's sessions that run and play somebody else's copy."""
        ...
