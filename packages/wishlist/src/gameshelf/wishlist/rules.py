"""Decisions on plain values: when a price is a sale, and whose conditions it meets. No I/O, no clock."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

_NAMESPACE = UUID("6f0f2a5e-5b3c-5d0e-9d59-0b6f3c1e7a41")
"""Of the ids of notifications; never to be changed."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a product costs. Amounts are in minor units of the currency; times are aware."""

    product_id: UUID
    price_minor: int
    currency: str
    discount_percent: int
    """0 without a discount."""
    sale_id: str | None
    sale_ends_at: datetime | None
    said_at: datetime

    def is_sale(self, now: datetime) -> bool:
        """Whether wishers are told of it (contract, section 3.5)."""
        has_ended = self.sale_ends_at is not None and self.sale_ends_at <= now
        return self.discount_percent > 0 and self.sale_id is not None and not has_ended


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a price has to be for its wisher to hear of it; what is None does not matter."""

    target_price_minor: int | None = None
    target_currency: str | None = None
    min_discount_percent: int | None = None

    def are_met_by(self, price: Price) -> bool:
        """Whether a price meets all of those that are set; a price in another currency says nothing."""
        if self.target_price_minor is not None and (
            self.target_currency != price.currency or price.price_minor > self.target_price_minor
        ):
            return False
        return self.min_discount_percent is None or price.discount_percent >= self.min_discount_percent


def discount(said: int | None, price_minor: int, old_price_minor: int | None) -> int:
    """The discount in percent: as it was said, else what the old price makes of it, rounded down."""
    if said is not None:
        return said
    if not old_price_minor or price_minor >= old_price_minor:
        return 0
    return (old_price_minor - price_minor) * 100 // old_price_minor


def notification_id(sale_id: str, user_id: UUID) -> UUID:
    """The id of the one notification that a user gets of a sale."""
    return uuid5(_NAMESPACE, f"{sale_id}\n{user_id}")
