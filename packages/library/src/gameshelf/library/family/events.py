"""What happens between an owner and members. Each party gets an event of its own."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkUpdated(Event):
    """A link of the user's came to be, or changed: its status, scope or end."""

    link_id: UUID
    owner_user_id: UUID
    shared_with_user_id: UUID
    status: str
    mode: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatReclaimed(Event):
    """The owner wants the copy that the user plays: the user may play on until ``lost_at``."""

    owner_user_id: UUID
    product_id: UUID
    session_id: UUID
    lost_at: datetime
    grace_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareWithdrawn(Event):
    """The user may not play these copies of an owner's any more: what runs of them ends at once."""

    owner_user_id: UUID
    product_ids: tuple[UUID, ...]
    session_id: UUID | None = None
    """The session that was meant: the user may have been let in again, and play anew, before they hear of it."""
