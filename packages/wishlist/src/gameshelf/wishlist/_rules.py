"""Decides on plain values when a price is a sale or a lasting cut, and whose conditions it meets. No I/O, no clock."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

_NAMESPACE = UUID("6f0f2a5e-5b3c-5d0e-9d59-0b6f3c1e7a41")
"""Of the ids of notifications; never to be changed."""


DEFAULT_CURRENCY = "RUB"


@dataclass(frozen=True, slots=True)
class Cut:
    """A price that was lowered for good, without a sale."""

    old_price_minor: int
    said_at: datetime
    """When the Catalog first stated the lower price, by its own clock."""
    received_at: datetime
    """When it was received here, by our clock."""


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a product in a currency. Amounts are in minor units of it; times are aware."""

    product_id: UUID
    price_minor: int
    currency: str
    discount_percent: int
    """0 without a discount."""
    sale_id: str | None
    sale_ends_at: datetime | None
    said_at: datetime
    """When the Catalog stated it, by its own clock."""
    old_price_minor: int | None = None
    """The earlier price according to the Catalog; it matters only where no earlier price is known."""
    cut: Cut | None = None

    @property
    def has_sale(self) -> bool:
        """Whether it is the price of a sale, which may have ended."""
        return self.discount_percent > 0 and self.sale_id is not None

    def is_sale(self, now: datetime) -> bool:
        """Whether it is the price of a sale that has not ended (contract, section 3.5)."""
        has_ended = self.sale_ends_at is not None and self.sale_ends_at <= now
        return self.has_sale and not has_ended

    def is_announced(self, now: datetime) -> bool:
        """Whether wishers are notified of it, as a sale or as a lasting cut."""
        return self.cut is not None or self.is_sale(now)

    def has_the_terms_of(self, other: "Price") -> bool:
        """Whether it is the other price stated again."""
        return all(getattr(self, name) == getattr(other, name) for name in _TERMS)


_TERMS = ("price_minor", "discount_percent", "sale_id", "sale_ends_at")


def succeed(kept: Price | None, new: Price, now: datetime) -> Price:
    """The price of a product and currency after the Catalog stated a newer one (contract, section 3.5).

    Of the same price stated again only the time counts. A lower one without a sale is a lasting cut.
    """
    if kept is not None and new.has_the_terms_of(kept):
        return replace(kept, said_at=new.said_at)
    earlier = kept.price_minor if kept else new.old_price_minor
    is_cut = earlier is not None and earlier > new.price_minor and not new.has_sale
    cut = Cut(earlier, new.said_at, now) if is_cut and earlier is not None else None
    return replace(new, old_price_minor=None, cut=cut)


def wishers_currency(target_currency: str | None, known: Collection[str], default: str) -> str | None:
    """The currency in which a wisher sees a product's price: that of their target, else the default one if the product
    has a price in it, else the first by code. None where there is no such price.
    """
    currency = target_currency or (default if default in known else min(known, default=None))
    return currency if currency in known else None


@dataclass(frozen=True, slots=True)
class Conditions:
    """Conditions of a wisher: they are notified of a price that meets all of them. None is no condition."""

    target_price_minor: int | None = None
    target_currency: str | None = None
    min_discount_percent: int | None = None

    def are_met_by(self, price: Price) -> bool:
        """Whether a price meets all conditions that are set; a price in another currency meets no target.

        A lasting cut needs a target, and its discount is the difference from the earlier price.
        """
        if self.target_price_minor is None:
            is_low_enough = price.cut is None
        else:
            is_low_enough = self.target_currency == price.currency and price.price_minor <= self.target_price_minor
        return is_low_enough and (self.min_discount_percent or 0) <= discount_of(price)


class UnmetCondition(StrEnum):
    """Why a wisher is not notified of a price."""

    NOT_ANNOUNCED = "not_announced"
    """It is neither the price of a sale nor a lasting cut."""
    SALE_OVER = "sale_over"
    """Its sale has ended."""
    OTHER_CURRENCY = "other_currency"
    """The wisher sees the product's price in another currency."""
    CUT_WITHOUT_TARGET = "cut_without_target"
    """It is a lasting cut, of which only wishers with a target price are notified."""
    CUT_BEFORE_WISH = "cut_before_wish"
    """It is a lasting cut that came before the wish, or before its conditions were changed last."""
    ABOVE_TARGET = "above_target"
    """It is higher than the target price."""
    DISCOUNT_TOO_SMALL = "discount_too_small"
    """Its discount is smaller than the wisher wants."""


def unmet(
    price: Price, conditions: Conditions, now: datetime, *, is_seen: bool, came_before: bool
) -> list[UnmetCondition]:
    """Returns all reasons why a wisher is not notified of a price; none where the price meets everything.

    ``is_seen``: the wisher sees the product in its currency. ``came_before``: the wish was there before a lasting cut.
    """
    target = conditions.target_price_minor
    reasons = {
        UnmetCondition.NOT_ANNOUNCED: price.cut is None and not price.has_sale,
        UnmetCondition.SALE_OVER: price.cut is None and price.has_sale and not price.is_sale(now),
        UnmetCondition.OTHER_CURRENCY: not is_seen,
        UnmetCondition.CUT_WITHOUT_TARGET: price.cut is not None and target is None,
        UnmetCondition.CUT_BEFORE_WISH: price.cut is not None and not came_before,
        UnmetCondition.ABOVE_TARGET: is_seen and target is not None and price.price_minor > target,
        UnmetCondition.DISCOUNT_TOO_SMALL: discount_of(price) < (conditions.min_discount_percent or 0),
    }
    return [reason for reason, is_unmet in reasons.items() if is_unmet]


def discount(stated: int | None, price_minor: int, old_price_minor: int | None) -> int:
    """The discount in percent: the stated one, else the difference from the old price, rounded down."""
    if stated is not None:
        return stated
    if not old_price_minor or price_minor >= old_price_minor:
        return 0
    return (old_price_minor - price_minor) * 100 // old_price_minor


def discount_of(price: Price) -> int:
    """The discount in percent that is compared with a wisher's condition."""
    return discount(None, price.price_minor, price.cut.old_price_minor) if price.cut else price.discount_percent


def notification_id(price: Price, user_id: UUID) -> UUID:
    """The id of the one notification that a user gets of a product's sale in any currency, or of a lasting cut."""
    if price.cut is None:
        return uuid5(_NAMESPACE, f"{price.sale_id}\n{price.product_id}\n{user_id}")
    said_at = price.cut.said_at.isoformat()
    return uuid5(_NAMESPACE, f"{price.product_id}\n{price.currency}\n{price.price_minor}\n{said_at}\n{user_id}")
