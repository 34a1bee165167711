"""What this package needs answered by whoever composes it."""

from collections.abc import Mapping
from typing import Protocol
from uuid import UUID

from gameshelf.kernel.errors import DomainError


class Access(Protocol):
    """Who may play what. Asked inside the user's transaction."""

    async def refusals(self, user_id: UUID, product_ids: set[UUID]) -> Mapping[UUID, DomainError]:
        """Of these products those that the user may not play now, each with what refuses it."""
        ...
