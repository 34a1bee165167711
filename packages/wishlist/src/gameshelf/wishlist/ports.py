"""What this package needs answered by whoever composes it."""

from typing import Protocol
from uuid import UUID


class Products(Protocol):
    """What else is known of products. Asked inside the user's transaction."""

    async def owns(self, user_id: UUID, product_id: UUID) -> bool:
        """Whether the user owns the product personally."""
        ...

    async def title(self, product_id: UUID) -> str | None:
        """The product's title as a notification names it; None while nobody has told it."""
        ...
