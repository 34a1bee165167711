"""The resources of the wishlist, as REST shows them."""

from gameshelf.gateway.runtime.http.schemas import COUNT, TEXT, TIME, UUID, closed, nullable, value

PRICE = closed(
    {
        "price_minor": COUNT,
        "currency": TEXT,
        "discount_percent": {"type": "integer", "minimum": 0, "maximum": 100},
        "sale_id": nullable(TEXT),
        "sale_ends_at": nullable(TIME),
    }
)


WISHLIST_ITEM = value(
    "wishlistItem",
    {
        "product_id": UUID,
        "title": nullable(TEXT),
        "cover_image_url": nullable(TEXT),
        "added_at": TIME,
        "priority": nullable(COUNT),
        "notes": nullable(TEXT),
        "target_price_minor": nullable(COUNT),
        "target_currency": nullable(TEXT),
        "min_discount_percent": nullable(COUNT),
        "current_price": nullable(PRICE),
    },
)
