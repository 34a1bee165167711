"""Deletes everything that is stored about one user."""

from gameshelf.kernel.sql import RowErasure
from gameshelf.wishlist._models import HeldBackWisher, PriceNotification, SaleNotification, WishlistItem

ERASURE = RowErasure((HeldBackWisher, WishlistItem, PriceNotification, SaleNotification))
