"""Validated input of a client: new items, changes, an order, a page."""

from typing import Annotated
from uuid import UUID

from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.kernel.paging import DEFAULT_LIMIT, Page, PageLimit, PageNumber
from gameshelf.kernel.text import NORMALISED
from pydantic import BaseModel, ConfigDict, Field

MAX_PRIORITY = 1_000_000
MAX_AMOUNT = 10**15
MAX_NOTES = 1000

Priority = Annotated[int, Field(ge=1, le=MAX_PRIORITY)]
Notes = Annotated[str, Field(max_length=MAX_NOTES), NORMALISED]
Amount = Annotated[int, Field(ge=0, le=MAX_AMOUNT)]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", max_length=3)]
Percent = Annotated[int, Field(ge=1, le=100)]

_TARGET = ("target_price_minor", "target_currency")


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NewWish(_Command):
    """A product to wish for, and when to notify the user. The user is notified when all conditions that are set are
    met.
    """

    product_id: UUID
    """Product to wish for."""
    priority: Priority | None = None
    """Place in the list, from 1; items without one are last."""
    notes: Notes | None = None
    """Notes of the user."""
    target_price_minor: Amount | None = None
    """Price to be notified at, in minor units of `target_currency`, which it needs."""
    target_currency: Currency | None = None
    """Currency of the target price by its ISO 4217 code."""
    min_discount_percent: Percent | None = None
    """Smallest discount to be notified at, in percent."""


class WishChanges(_Command):
    """Changes to an item; a field that is left out stays as it is, null clears it."""

    priority: Priority | None = None
    """Place in the list, from 1; items without one are last."""
    notes: Notes | None = None
    """Notes of the user."""
    target_price_minor: Amount | None = None
    """Price to be notified at, in minor units of `target_currency`, which it needs."""
    target_currency: Currency | None = None
    """Currency of the target price by its ISO 4217 code."""
    min_discount_percent: Percent | None = None
    """Smallest discount to be notified at, in percent."""


class Order(_Command):
    """The order of the whole wishlist."""

    item_ids: tuple[UUID, ...] = Field(max_length=10_000)
    """Every item of the wishlist once, the most wanted first."""


class WishlistPage(_Command):
    """Which page of the wishlist."""

    page: PageNumber = 1
    limit: PageLimit = DEFAULT_LIMIT

    @property
    def slice(self) -> Page:
        return Page(self.page, self.limit)


def require_whole_target(price_minor: int | None, currency: str | None) -> None:
    """A target price needs its currency, and a currency its price. Raises InvalidInput that names what is missing."""
    if (price_minor is None) != (currency is None):
        missing = _TARGET[price_minor is not None]
        raise InvalidInput(Problem("missing", pointer=missing))
