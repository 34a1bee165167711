"""What a client may ask and change, validated."""

from typing import Annotated
from uuid import UUID

from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.kernel.paging import DEFAULT_LIMIT, MAX_LIMIT, MAX_PAGE, Page
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
    """A product to be put on the wishlist, and when to tell of a sale of it."""

    product_id: UUID
    priority: Priority | None = None
    notes: Notes | None = None
    target_price_minor: Amount | None = None
    target_currency: Currency | None = None
    min_discount_percent: Percent | None = None


class WishChanges(_Command):
    """Changes to an item; what is left out stays as it is, null clears."""

    priority: Priority | None = None
    notes: Notes | None = None
    target_price_minor: Amount | None = None
    target_currency: Currency | None = None
    min_discount_percent: Percent | None = None


class Order(_Command):
    """Every item of the wishlist, the most wanted first."""

    item_ids: tuple[UUID, ...] = Field(max_length=10_000)


class WishlistPage(_Command):
    """Which page of the wishlist."""

    page: int = Field(default=1, ge=1, le=MAX_PAGE)
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)

    @property
    def slice(self) -> Page:
        return Page(self.page, self.limit)


def require_whole_target(price_minor: int | None, currency: str | None) -> None:
    """A target price needs its currency, and a currency its price. Raises InvalidInput that names what is missing."""
    if (price_minor is None) != (currency is None):
        missing = _TARGET[price_minor is not None]
        raise InvalidInput(Problem("missing", pointer=f"/data/attributes/{missing}"))
