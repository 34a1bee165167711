"""``libctl wishlist``: why somebody was notified of a price, or was not."""

import asyncio
from uuid import uuid4

import httpx
import pytest
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS, wait_for

TITLE = "Дальний горизонт — очень длинное название, которое не помещается в строку"


@pytest.fixture(scope="module")
def shop(platform, service):
    return Shop(platform, service)


class Shop:
    """A product, those who wish for it, and the Catalog that states its prices."""

    def __init__(self, platform, service):
        self.platform, self.service, self.game = platform, service, uuid4()
        self.says("product.updated", newTitle={"ru": TITLE, "en": "Far Horizon"})

    def says(self, what, **data):
        event = CloudEvent(f"com.platform.catalog.{what}.v1", {"productId": str(self.game), **data})
        asyncio.run(publish(self.platform.kafka.address, [event]))

    def wisher(self, **conditions):
        """Somebody with the product on their list."""
        user = uuid4()
        headers = {"Authorization": f"Bearer {self.platform.token(user)}"}
        attributes = {"product_id": str(self.game), **conditions}
        body = {"data": {"type": "wishlistItem", "attributes": attributes}}
        url = f"{self.service.api}/wishlist/items"
        added = httpx.post(url, json=body, headers=headers, timeout=PATIENCE_SECONDS)
        assert added.status_code == 201, added.text
        return user


def _reasons(support, user, game):
    return {one["price"]["currency"]: one["unmet"] for one in support.data("wishlist", "explain", user, game)["prices"]}


def test_a_wish_is_explained_before_during_and_after_a_sale(shop, support):
    glad = shop.wisher()
    picky = shop.wisher(target_price_minor=40000, target_currency="RUB", min_discount_percent=60)
    abroad = shop.wisher(target_price_minor=40000, target_currency="USD")
    assert "none known" in support.shows("wishlist", "explain", glad, shop.game)
    sale = {"saleId": "winter", "saleEndsAt": "2100-01-01T00:00:00Z", "discountPercent": 50}
    shop.says("price.updated", priceMinor=50000, currency="RUB", **sale)
    wait_for(lambda: support.data("wishlist", "explain", glad, shop.game)["notifications"])
    found = support.data("wishlist", "explain", glad, shop.game)
    [price] = found["prices"]
    assert (price["is_seen"], price["unmet"], price["notification"]["sale_id"]) == (True, [], "winter")
    assert found["notifications"][0]["notification_id"] == price["notification"]["notification_id"]
    assert _reasons(support, picky, shop.game) == {"RUB": ["above_target", "discount_too_small"]}
    assert _reasons(support, abroad, shop.game) == {"RUB": ["other_currency"]}
    shown = support.shows("wishlist", "explain", picky, shop.game)
    for words in (
        "400.00 RUB or less, 60% off or more",
        "500.00 RUB, 50% off",
        "sale winter",
        "above the target price",
    ):
        assert words in shown
    assert "the user was notified 20" in support.shows("wishlist", "explain", glad, shop.game)


def test_what_is_not_on_the_list_says_whether_it_is_owned(shop, support):
    assert "not on the wishlist" in support.shows("wishlist", "explain", uuid4(), shop.game)
    found = support.data("wishlist", "explain", uuid4(), uuid4())
    assert (found["wish"], found["is_owned"], found["prices"], found["title"]) == (None, False, [], "")


def test_a_wishlist_fits_a_narrow_terminal_with_ids_in_one_piece(shop, staff):
    somebody = staff("support")
    user = shop.wisher(target_price_minor=40000, target_currency="RUB", min_discount_percent=60)
    wait_for(lambda: somebody.data("wishlist", "show", user)["items"][0]["title"] == "Far Horizon")
    for columns in (80, 120):
        somebody.columns = columns
        shown = somebody.shows("--language", "ru", "wishlist", "show", user)
        assert str(shop.game) in shown
        assert max(map(len, shown.splitlines())) <= columns
        assert "Дальний" in shown
    assert somebody.data("wishlist", "show", user)["total_items"] == 1
    assert somebody.data("wishlist", "show", user, "--page", "2")["items"] == []
    assert "empty" in somebody.shows("wishlist", "show", uuid4())


def test_an_erased_user_has_no_wishlist(admin, support, shop):
    user = shop.wisher()
    admin.applies("user", "erase", user, "--confirm", user)
    assert support.refused("wishlist", "show", user) == (3, "NOT_FOUND")
    assert support.refused("wishlist", "explain", user, shop.game) == (3, "NOT_FOUND")
