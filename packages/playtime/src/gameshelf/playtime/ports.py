"""What this package needs answered by whoever composes it. All of it is asked inside the user's transaction."""

from typing import Protocol
from uuid import UUID


class Copy(Protocol):
    """The copy of a product that a session plays. Both are None for the player's own."""

    @property
    def owner_user_id(self) -> UUID | None: ...

    @property
    def seat_number(self) -> int | None: ...


class Copies(Protocol):
    """Whose copy of a product somebody plays."""

    async def take(self, user_id: UUID, product_id: UUID, session_id: UUID) -> Copy:
        """The copy that a session of the user's may play from now on. Raises what refuses it."""
        ...

    async def owns(self, user_id: UUID, product_id: UUID) -> bool:
        """Whether the user has a copy of their own."""
        ...

    async def take_shared(self, user_id: UUID, product_id: UUID, session_id: UUID) -> Copy | None:
        """A shared copy that a session of a user without an own one may go on with; None where no seat is free."""
        ...

    async def lock_copies(self, user_id: UUID, product_ids: set[UUID]) -> dict[UUID, list[UUID]]:
        """By product the owners whose copy is shared with the user, best first; nothing for products of their own.

        Nobody begins to play these copies until the transaction ends.
        """
        ...
