"""The settings of the wishlist."""

from typing import Annotated

from gameshelf.gateway.runtime.setting_fields import SettingsSection, var
from pydantic import Field


class WishlistSection(SettingsSection):
    """The settings of the wishlist."""

    max_items: Annotated[int, Field(ge=1, le=10_000)] = var(
        "WISHLIST_MAX_ITEMS_PER_USER", "Maximum number of products on a wishlist", 100
    )
    default_currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = var(
        "WISHLIST_DEFAULT_CURRENCY",
        "The currency of wishes without a target price, where a product has a price in it (three letters, ISO 4217)",
        "RUB",
    )
