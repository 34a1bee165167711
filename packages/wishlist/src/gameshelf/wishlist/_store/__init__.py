"""Writing wishlists: every statement that changes the schema, and the reads that a decision needs.

Whatever writes rows of a user requires that the caller has serialised the user.
"""

from gameshelf.wishlist._store.erasure import ERASURE
from gameshelf.wishlist._store.fanouts import Fanout, SaleFanouts, Wishers
from gameshelf.wishlist._store.prices import PriceStore, lock_of_price, lookup_prices
from gameshelf.wishlist._store.release_before import OldPrices, ReleaseBefore
from gameshelf.wishlist._store.wishes import Wish, WishlistStore, lookup_new

__all__ = [
    "ERASURE",
    "Fanout",
    "OldPrices",
    "PriceStore",
    "ReleaseBefore",
    "SaleFanouts",
    "Wish",
    "Wishers",
    "WishlistStore",
    "lock_of_price",
    "lookup_new",
    "lookup_prices",
]
