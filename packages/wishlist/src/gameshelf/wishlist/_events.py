"""Events of wishlists."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class WishAdded(Event):
    """A product was put on a wishlist."""

    item_id: UUID
    product_id: UUID
    added_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WishRemoved(Event):
    """A product was taken from a wishlist. ``reason`` is ``removed`` or ``purchased``."""

    item_id: UUID
    product_id: UUID
    added_at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WishlistChanged(Event):
    """An item has other notes, conditions or another priority; or, without a product, the list another order."""

    product_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleNoticed(Event):
    """A wished product is on sale, and meets the wisher's conditions: once for each user, sale and product."""

    notification_id: UUID
    """UUIDv5 of the sale, the product and the user: always the same."""
    item_id: UUID
    product_id: UUID
    title: str | None
    sale_id: str
    price_minor: int
    currency: str
    discount_percent: int
    sale_ends_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceDropped(Event):
    """A wished product costs the wisher's target or less from now on, without a sale: once for each user and price."""

    notification_id: UUID
    """UUIDv5 of product, currency, price, time and user."""
    item_id: UUID
    product_id: UUID
    title: str | None
    price_minor: int
    currency: str
    old_price_minor: int
