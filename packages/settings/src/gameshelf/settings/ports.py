"""What this package needs answered by whoever composes it."""

from typing import Protocol
from uuid import UUID


class Access(Protocol):
    """Who may play what. Asked inside the user's transaction."""

    async def require(self, user_id: UUID, product_id: UUID) -> None:
        """Raises PermissionDenied, or a refusal that says more, when the user may not play the product now."""
        ...
