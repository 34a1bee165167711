"""Wishlists, and the sales of which users were notified."""

from _fill.binary import DAY, NULL, Target, bigint, integer, smallint, text, uuid
from _fill.catalog import Product, popular
from _fill.draws import between, random_id
from _fill.people import Person
from _fill.rows import Rows

ITEMS = Target(
    "wishlist.wishlist_items",
    "user_id id product_id added_at priority notes target_price_minor target_currency min_discount_percent",
)
NOTIFICATIONS = Target("wishlist.price_notifications", "user_id id product_id sale_id notified_at")
WISHLIST = (ITEMS, NOTIFICATIONS)

MEAN, MOST = 3, 300
RANKED, NOTED, WITH_TARGET, WITH_DISCOUNT, NOTIFIED = 0.2, 0.05, 0.1, 0.2, 0.05
_RUB, _SALE, _NOTE = text("RUB"), text("sale-3"), text("когда будет скидка")


def add_wishlist(rows: Rows, of: Person, products: tuple[Product, ...]) -> None:
    """Adds the rows of what a user wishes for, and does not own."""
    draw, owned = of.draw, {game.product.number for game in of.games}
    wished = {
        product.number: product
        for product in (popular(draw, products) for _ in range(min(int(draw.expovariate(1 / MEAN)), MOST)))
        if product.number not in owned
    }
    for product in wished.values():
        _add_wish(rows, of, product)


def _add_wish(rows: Rows, of: Person, product: Product) -> None:
    draw = of.draw
    target = (bigint(between(draw, 1, 20) * 10_000), _RUB) if draw.random() < WITH_TARGET else (NULL, NULL)
    rows.add(
        ITEMS,
        of.key,
        uuid(random_id(draw)),
        product.field,
        bigint(of.now - between(draw, 1, 900) * DAY),
        integer(between(draw, 1, 10)) if draw.random() < RANKED else NULL,
        _NOTE if draw.random() < NOTED else NULL,
        *target,
        smallint(between(draw, 10, 90)) if draw.random() < WITH_DISCOUNT else NULL,
    )
    if draw.random() < NOTIFIED:
        at = bigint(of.now - between(draw, 1, 80) * DAY)
        rows.add(NOTIFICATIONS, of.key, uuid(random_id(draw)), product.field, _SALE, at)
