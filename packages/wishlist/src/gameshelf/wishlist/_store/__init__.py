"""Writing wishlists: every statement that changes the schema, and the reads that a decision needs.

Whatever writes rows of a user requires that the caller has serialised the user.
"""

from gameshelf.wishlist._store.erasure import ERASURE
from gameshelf.wishlist._store.fanouts import Fanout, SaleFanouts, Wishers
from gameshelf.wishlist._store.prices import PriceStore
from gameshelf.wishlist._store.release_before import OldPrices, ReleaseBefore
from gameshelf.wishlist._store.wishes import Wish, WishlistStore

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
]
