"""Ports: questions that the application which uses this package answers."""

from typing import Protocol
from uuid import UUID


class Products(Protocol):
    """Answers questions about products, inside the user's transaction."""

    async def owns(self, user_id: UUID, product_id: UUID) -> bool:
        """Whether the user owns the product personally."""
        ...

    async def title(self, product_id: UUID) -> str | None:
        """The product's title as a notification names it; None while it is unknown."""
        ...
