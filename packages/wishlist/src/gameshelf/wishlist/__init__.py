"""Wishlists of players: items, conditions, prices, and notifications of sales.

This is the package's whole public API; nothing deeper is meant to be imported.
"""

from gameshelf.kernel.migrations import Migrations
from gameshelf.wishlist.commands import NewWish, Order, WishChanges, WishlistPage
from gameshelf.wishlist.errors import (
    GameNotFoundInWishlist,
    ProductAlreadyOwned,
    WishlistItemAlreadyExists,
    WishlistLimitExceeded,
)
from gameshelf.wishlist.events import PriceDropped, SaleNoticed, WishAdded, WishlistChanged, WishRemoved
from gameshelf.wishlist.models import METADATA, SCHEMA
from gameshelf.wishlist.notices import notice
from gameshelf.wishlist.ports import Products
from gameshelf.wishlist.prices import Prices
from gameshelf.wishlist.queries import PricedWish, WishlistQueries, count_wishes
from gameshelf.wishlist.rules import (
    DEFAULT_CURRENCY,
    Conditions,
    Cut,
    Price,
    discount,
    notification_id,
    wishers_currency,
)
from gameshelf.wishlist.service import DEFAULT_MAX_ITEMS, WishlistService
from gameshelf.wishlist.store import Fanout, OldPrices, ReleaseBefore, SaleFanouts, Wish, Wishers

__version__ = "0.1.0.dev0"

MIGRATIONS = Migrations("gameshelf.wishlist", SCHEMA)

__all__ = [
    "DEFAULT_CURRENCY",
    "DEFAULT_MAX_ITEMS",
    "METADATA",
    "MIGRATIONS",
    "Conditions",
    "Cut",
    "Fanout",
    "GameNotFoundInWishlist",
    "NewWish",
    "OldPrices",
    "Order",
    "Price",
    "PriceDropped",
    "PricedWish",
    "Prices",
    "ProductAlreadyOwned",
    "Products",
    "ReleaseBefore",
    "SaleFanouts",
    "SaleNoticed",
    "Wish",
    "WishAdded",
    "WishChanges",
    "WishRemoved",
    "Wishers",
    "WishlistChanged",
    "WishlistItemAlreadyExists",
    "WishlistLimitExceeded",
    "WishlistPage",
    "WishlistQueries",
    "WishlistService",
    "count_wishes",
    "discount",
    "notice",
    "notification_id",
    "wishers_currency",
]
