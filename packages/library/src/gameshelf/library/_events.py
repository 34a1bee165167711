"""Events of a library."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from gameshelf.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class GameAdded(Event):
    """A game came into the library: the first grant of it, or the first after all earlier ones had ended."""

    item_id: UUID
    product_id: UUID
    acquisition_type: str
    added_at: datetime
    """The source's own time (of the purchase, the gift …), not that of processing."""
    was_shared: bool = False
    """Whether the user saw the game before because somebody shares it with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GameRemoved(Event):
    """The last reason to own a game ended. ``reason`` is ``refund``, ``revoked`` (a key or gift) or ``support``."""

    item_id: UUID
    product_id: UUID
    reason: str
    shared_from_user_id: UUID | None = None
    """Who shares the game with the user, who can still see and play it then; None where it is gone."""
    shared_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemUpdated(Event):
    """An owned item changed.

    ``changes`` holds the new values by attribute name, as ItemView has them; the ids of ``category_ids`` are text.
    """

    item_id: UUID
    product_id: UUID
    changes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryUpdated(Event):
    """So many items changed at once that clients have to read the library again."""

    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryUpdated(Event):
    """A category was created, changed or deleted; of a deleted one the rest is what it was."""

    category_id: UUID
    name: str
    display_order: int
    is_deleted: bool = False
