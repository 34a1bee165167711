"""Deletes everything that is stored about one user."""

from gameshelf.kernel.sql import Erasure
from gameshelf.wishlist.models import HeldBackWisher, PriceNotification, SaleNotification, WishlistItem

ERASURE = Erasure((HeldBackWisher, WishlistItem, PriceNotification, SaleNotification))
