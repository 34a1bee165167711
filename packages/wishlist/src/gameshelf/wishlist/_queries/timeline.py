"""What a user wished for and was notified of, for the timeline of support."""

from gameshelf.kernel.happenings import Happenings
from gameshelf.kernel.sql import user
from gameshelf.wishlist._models import PriceNotification, WishlistItem
from sqlalchemy import Text, cast, select
from sqlmodel import col

_W, _N = WishlistItem, PriceNotification
TIMELINE = (
    Happenings(
        "wish_added",
        select(
            col(_W.added_at).label("at"),
            cast(col(_W.id), Text).label("key"),
            col(_W.product_id),
            col(_W.id).label("wishlist_item_id"),
        ).where(col(_W.user_id) == user()),
    ),
    Happenings(
        "price_notified",
        select(
            col(_N.notified_at).label("at"),
            cast(col(_N.id), Text).label("key"),
            col(_N.product_id),
            col(_N.id).label("notification_id"),
            col(_N.sale_id),
        ).where(col(_N.user_id) == user()),
    ),
)
"""Wishes that are on the list, and notifications of prices."""
