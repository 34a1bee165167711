"""What this package needs answered by whoever composes it."""

from datetime import datetime
from typing import Protocol
from uuid import UUID


class Access(Protocol):
    """Who may play what. Asked inside the user's transaction."""

    async def accessible_since(self, user_id: UUID, product_ids: set[UUID]) -> dict[UUID, datetime]:
        """Of these products those that the user may play now, each with the time since when."""
        ...
