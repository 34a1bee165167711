"""Events of family sharing. Each party gets its own event."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkUpdated(Event):
    """A link of the user was created, or its status, scope or end changed."""

    link_id: UUID
    owner_user_id: UUID
    shared_with_user_id: UUID
    status: str
    mode: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatReclaimed(Event):
    """The owner starts the copy that the user plays: the user may continue until ``lost_at``."""

    owner_user_id: UUID
    product_id: UUID
    session_id: UUID
    lost_at: datetime
    grace_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareWithdrawn(Event):
    """The user may no longer play these copies of an owner: sessions that play them end at once."""

    owner_user_id: UUID
    product_ids: tuple[UUID, ...]
    session_id: UUID | None = None
    """The session that has to end: the user may have access again, and a new session, before this event is handled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedGameAdded(Event):
    """The user can play one more game: an owner who shares with them has got it, or has widened the scope."""

    item_id: UUID
    product_id: UUID
    owner_user_id: UUID
    added_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedGameRemoved(Event):
    """An owner lost a game that they shared with the user, or took it out of the scope; nobody else shares it."""

    item_id: UUID
    product_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedLibraryUpdated(Event):
    """So many games that an owner shares with the user changed at once that clients have to read the library again."""

    link_id: UUID
    owner_user_id: UUID
    added: int
    removed: int
