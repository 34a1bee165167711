"""What changes for a member when the games of one owner change: decisions on plain values, no I/O, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ListedProduct:
    """A product as the rows of a member have it."""

    product_id: UUID
    product_type: str | None
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Offer:
    """One owner's share of a product."""

    owner_user_id: UUID
    added_at: datetime
    active_since: datetime
    link_id: UUID

    @property
    def since(self) -> datetime:
        return max(self.added_at, self.active_since)

    @property
    def order(self) -> tuple[datetime, UUID]:
        """The oldest link counts."""
        return self.active_since, self.link_id


@dataclass(frozen=True, slots=True)
class ShareDifference:
    """What has to be written so that a member's rows are what an owner shares."""

    written: tuple[ListedProduct, ...]
    removed: tuple[ListedProduct, ...]


def difference(stored: Mapping[UUID, ListedProduct], shared: Mapping[UUID, ListedProduct]) -> ShareDifference:
    """Compares the rows that a member has of an owner with what the owner shares now."""
    written = tuple(one for product_id, one in shared.items() if stored.get(product_id) != one)
    removed = tuple(one for product_id, one in stored.items() if product_id not in shared)
    return ShareDifference(written, removed)


@dataclass(frozen=True, slots=True)
class SeenProduct:
    """How a member sees a product apart from the share of one owner."""

    product_id: UUID
    item_id: UUID
    is_barred: bool
    """Whether no share of it is visible: the member owns it, or the Catalog forbids sharing it."""
    other: Offer | None
    """The share of another owner that counts."""


def counting(own: Offer | None, other: Offer | None) -> Offer | None:
    """Returns which of two shares the member sees."""
    offers = [offer for offer in (own, other) if offer]
    return min(offers, key=lambda offer: offer.order, default=None)
