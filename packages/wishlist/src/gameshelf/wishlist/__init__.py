"""Wishlists of players: items, conditions, prices, and notifications of sales.

This is the package's whole public API; nothing deeper is meant to be imported.
"""

from gameshelf.kernel.migrations import Migrations
from gameshelf.wishlist._commands import NewWish, Order, WishChanges, WishlistPage
from gameshelf.wishlist._errors import (
    GameNotFoundInWishlist,
    ProductAlreadyOwned,
    WishlistItemAlreadyExists,
    WishlistLimitExceeded,
)
from gameshelf.wishlist._events import PriceDropped, SaleNoticed, WishAdded, WishlistChanged, WishRemoved
from gameshelf.wishlist._models import METADATA, SCHEMA
from gameshelf.wishlist._notices import notice
from gameshelf.wishlist._ports import Products
from gameshelf.wishlist._prices import Prices
from gameshelf.wishlist._queries import (
    PricedWish,
    PriceVerdict,
    SentNotification,
    WishExplanation,
    WishlistQueries,
    WishlistSupportQueries,
    count_wishes,
)
from gameshelf.wishlist._queries.timeline import TIMELINE
from gameshelf.wishlist._rules import (
    DEFAULT_CURRENCY,
    Conditions,
    Cut,
    Price,
    UnmetCondition,
    discount,
    notification_id,
    wishers_currency,
)
from gameshelf.wishlist._service import DEFAULT_MAX_ITEMS, WishlistService
from gameshelf.wishlist._store import Fanout, OldPrices, ReleaseBefore, SaleFanouts, Wish, Wishers

__version__ = "0.3.0.dev0"

MIGRATIONS = Migrations("gameshelf.wishlist", SCHEMA)

__all__ = [
    "DEFAULT_CURRENCY",
    "DEFAULT_MAX_ITEMS",
    "METADATA",
    "MIGRATIONS",
    "TIMELINE",
    "Conditions",
    "Cut",
    "Fanout",
    "GameNotFoundInWishlist",
    "NewWish",
    "OldPrices",
    "Order",
    "Price",
    "PriceDropped",
    "PriceVerdict",
    "PricedWish",
    "Prices",
    "ProductAlreadyOwned",
    "Products",
    "ReleaseBefore",
    "SaleFanouts",
    "SaleNoticed",
    "SentNotification",
    "UnmetCondition",
    "Wish",
    "WishAdded",
    "WishChanges",
    "WishExplanation",
    "WishRemoved",
    "Wishers",
    "WishlistChanged",
    "WishlistItemAlreadyExists",
    "WishlistLimitExceeded",
    "WishlistPage",
    "WishlistQueries",
    "WishlistService",
    "WishlistSupportQueries",
    "count_wishes",
    "discount",
    "notice",
    "notification_id",
    "wishers_currency",
]
