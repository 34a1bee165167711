"""The port by which family sharing asks about running sessions; the application implements it."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol
from uuid import UUID


class Players(Protocol):
    """Reports which sessions run. It is called inside a transaction, under the lock of the copy."""

    async def own_copy_played_since(self, user_id: UUID, product_id: UUID) -> datetime | None:
        """Returns since when a user plays their own copy of a product; None while they do not."""
        ...

    async def running(self, user_id: UUID, session_ids: Collection[UUID]) -> set[UUID]:
        """Returns those of a user's sessions that run and play a copy of another user."""
        ...
