"""Events of playing."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStarted(Event):
    """A session started."""

    session_id: UUID
    product_id: UUID
    device_id: str
    platform: str | None
    started_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionResumed(Event):
    """A running session was started once more, which is a sign of life."""

    session_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCopyChanged(Event):
    """A running session continues on another copy of its product. An owner is None for the user's own copy."""

    session_id: UUID
    product_id: UUID
    copy_owner_user_id: UUID | None
    left_owner_user_id: UUID | None
    """The owner of the copy that it played until now; its seat there has to be freed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded(Event):
    """A session ended, or one that was played offline was imported. Seconds are whole."""

    session_id: UUID
    product_id: UUID
    started_at: datetime
    ended_at: datetime
    duration_seconds: int
    end_reason: str
    total_playtime_seconds: int
    """Of the product, with this session."""
    seat_number: int | None = None
    """The fencing number of the seat that was taken, when a shared copy was played."""
    copy_owner_user_id: UUID | None = None
    """Whose copy was played; None for the user's own. With a seat number the seat is to be freed."""


@dataclass(frozen=True, slots=True)
class ProductPlaytime:
    """The current total of one product, corrections included."""

    product_id: UUID
    total_playtime_seconds: int
    last_played_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaytimeChanged(Event):
    """Totals of products changed together, for any reason: the new totals."""

    products: tuple[ProductPlaytime, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyFound(Event):
    """Impossible play was stored, and flagged for support. ``kind`` is ``long_day`` or ``fast_import``."""

    kind: str
    subject: str
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaytimeCorrected(Event):
    """Support changed a product's total."""

    product_id: UUID
    seconds: int
    total_playtime_seconds: int
