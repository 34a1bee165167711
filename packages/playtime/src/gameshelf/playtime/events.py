"""What happens when somebody plays."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStarted(Event):
    """A session began."""

    session_id: UUID
    product_id: UUID
    device_id: str
    platform: str | None
    started_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionResumed(Event):
    """A session that runs was started once more: a sign of life."""

    session_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCopyChanged(Event):
    """A session that runs goes on on another copy of its product. An owner is None for the user's own copy."""

    session_id: UUID
    product_id: UUID
    copy_owner_user_id: UUID | None
    left_owner_user_id: UUID | None
    """Whose copy it played until now: its seat there is to be freed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded(Event):
    """A session is over, or was played offline and told of now. Seconds are whole."""

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


@dataclass(frozen=True, slots=True)
class ProductPlaytime:
    """What one product's ledger adds up to now, corrections included."""

    product_id: UUID
    total_playtime_seconds: int
    last_played_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaytimeChanged(Event):
    """What was played of these products has changed, for whatever reason: the new totals, all that changed together."""

    products: tuple[ProductPlaytime, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyFound(Event):
    """Play that can't be was kept, and flagged for support. ``kind`` is ``long_day`` or ``fast_import``."""

    kind: str
    subject: str
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaytimeCorrected(Event):
    """Support changed a product's total."""

    product_id: UUID
    seconds: int
    total_playtime_seconds: int
