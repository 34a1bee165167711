"""The event that notifies one wisher of a price."""

from datetime import datetime
from uuid import UUID

from gameshelf.wishlist._events import PriceDropped, SaleNoticed
from gameshelf.wishlist._rules import Price, notification_id


def notice(user_id: UUID, item_id: UUID, price: Price, title: str | None, now: datetime) -> SaleNoticed | PriceDropped:
    """The event that notifies a wisher of a sale or a lasting cut."""
    if price.cut:
        return PriceDropped(
            user_id=user_id,
            occurred_at=now,
            notification_id=notification_id(price, user_id),
            item_id=item_id,
            product_id=price.product_id,
            title=title,
            price_minor=price.price_minor,
            currency=price.currency,
            old_price_minor=price.cut.old_price_minor,
        )
    return SaleNoticed(
        user_id=user_id,
        occurred_at=now,
        notification_id=notification_id(price, user_id),
        item_id=item_id,
        product_id=price.product_id,
        title=title,
        sale_id=price.sale_id or "",
        price_minor=price.price_minor,
        currency=price.currency,
        discount_percent=price.discount_percent,
        sale_ends_at=price.sale_ends_at,
    )
