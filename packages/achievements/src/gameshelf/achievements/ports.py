"""What this package needs answered by whoever composes it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from gameshelf.kernel.errors import DomainError


class Access(Protocol):
    """Who may play what. Asked inside the user's transaction."""

    async def first_access(self, user_id: UUID, product_ids: set[UUID]) -> dict[UUID, datetime]:
        """Of these products those that the user may play now, each with the time when they first could, by whatever
        right: one that has ended since counts.
        """
        ...

    async def refusals(self, user_id: UUID, product_ids: set[UUID]) -> Mapping[UUID, DomainError]:
        """Of these products those that the user may not play now, each with what refuses it."""
        ...
