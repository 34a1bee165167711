"""Reads of wishlists: SQL to plain values. Nothing here writes or decides."""

from gameshelf.wishlist._queries.support import PriceVerdict, SentNotification, WishExplanation, WishlistSupportQueries
from gameshelf.wishlist._queries.wishlist import PricedWish, WishlistQueries, count_wishes

__all__ = [
    "PriceVerdict",
    "PricedWish",
    "SentNotification",
    "WishExplanation",
    "WishlistQueries",
    "WishlistSupportQueries",
    "count_wishes",
]
