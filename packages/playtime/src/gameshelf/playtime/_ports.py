"""Ports: questions that the application which uses this package answers, inside the user's transaction."""

from datetime import datetime
from typing import Protocol
from uuid import UUID


class PlayedCopy(Protocol):
    """The copy of a product that a session plays. Both are None for the player's own."""

    @property
    def owner_user_id(self) -> UUID | None: ...

    @property
    def seat_number(self) -> int | None: ...


class Copies(Protocol):
    """Assigns copies of products to sessions."""

    async def take(self, user_id: UUID, product_id: UUID, session_id: UUID) -> PlayedCopy:
        """Assigns a copy to a session of the user. Raises the error that refuses it."""
        ...

    async def owns(self, user_id: UUID, product_id: UUID) -> bool:
        """Whether the user has a copy of their own."""
        ...

    async def take_shared(self, user_id: UUID, product_id: UUID, session_id: UUID) -> PlayedCopy | None:
        """Assigns a shared copy to a running session of a user without their own; None where no seat is free."""
        ...

    async def lock_copies(self, user_id: UUID, product_ids: set[UUID]) -> dict[UUID, list[UUID]]:
        """The owners who share a copy with the user, by product, best first; products of their own are left out.

        Nobody starts to play these copies until the transaction ends.
        """
        ...

    async def players(self, owner_ids: set[UUID], since: datetime) -> set[UUID]:
        """Everybody who may have played a copy of these owners after a moment, the owners among them."""
        ...
