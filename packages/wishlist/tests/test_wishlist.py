"""Items, their order and their limits on a real PostgreSQL."""

from uuid import uuid4

import pytest
from gameshelf.kernel.errors import InvalidInput
from gameshelf.kernel.paging import Page
from gameshelf.wishlist import (
    GameNotFoundInWishlist,
    NewWish,
    ProductAlreadyOwned,
    WishChanges,
    WishlistItemAlreadyExists,
    WishlistLimitExceeded,
)
from pydantic import ValidationError


async def test_a_wish_is_on_the_list_until_it_is_removed(wishers):
    user, product = uuid4(), uuid4()
    wish = await wishers.wish(user, product, notes="for the holidays", priority=3)
    [listed] = (await wishers.queries.items(user, Page())).items
    assert (listed.wish, listed.price) == (wish, None)
    with pytest.raises(WishlistItemAlreadyExists) as error:
        await wishers.wish(user, product)
    assert error.value.meta == {"wishlist_item_id": str(wish.id)}
    with pytest.raises(GameNotFoundInWishlist):
        await wishers.service.remove_item(uuid4(), wish.id)
    await wishers.service.remove_item(user, wish.id)
    for again in (wishers.service.remove_item(user, wish.id), wishers.service.remove_product(user, product)):
        with pytest.raises(GameNotFoundInWishlist):
            await again
    await wishers.wish(user, product)
    await wishers.service.remove_product(user, product)
    assert wishers.kinds() == ["WishAdded", "WishRemoved"] * 2
    assert (await wishers.queries.items(user, Page())).total == 0


async def test_the_list_has_its_order_and_its_pages(wishers):
    user = uuid4()
    wishes = {}
    for name, priority in (("none", None), ("later none", None), ("two", 2), ("one", 1), ("later two", 2)):
        wishes[name] = await wishers.wish(user, priority=priority)
        wishers.later(seconds=1)
    pages = [await wishers.queries.items(user, Page(number, 2)) for number in (1, 2, 3, 4)]
    shown = [item.wish for page in pages for item in page.items]
    assert shown == [wishes[name] for name in ("one", "two", "later two", "none", "later none")]
    assert {page.total for page in pages} == {5}
    with pytest.raises(WishlistLimitExceeded):
        await wishers.wish(user)


async def test_an_order_names_every_item_once(wishers):
    user = uuid4()
    wishes = [await wishers.wish(user) for _ in range(3)]
    ids = [wish.id for wish in reversed(wishes)]
    await wishers.service.set_order(user, ids)
    ordered = [item.wish for item in await wishers.queries.all_items(user)]
    assert [(wish.id, wish.priority) for wish in ordered] == list(zip(ids, (1, 2, 3), strict=True))
    for stale in (ids[:2], [*ids, uuid4()], [ids[0], ids[0], ids[1]], []):
        with pytest.raises(InvalidInput) as error:
            await wishers.service.set_order(user, stale)
        assert error.value.problems[0].rule == "stale_order"


async def test_an_owned_product_is_not_wished_for(wishers):
    user, product, other = uuid4(), uuid4(), uuid4()
    wishers.shop.owned.add((user, product))
    with pytest.raises(ProductAlreadyOwned):
        await wishers.wish(user, product)
    await wishers.wish(user, other)
    await wishers.service.remove_bought(user, {product, other})
    await wishers.service.remove_bought(user, {other})
    [_, removed] = wishers.events
    assert (removed.product_id, removed.reason) == (other, "purchased")


async def test_changes_change_only_the_fields_that_are_sent(wishers):
    user = uuid4()
    wish = await wishers.wish(user, notes="a", priority=1, min_discount_percent=30)
    changed = await wishers.service.change_item(user, wish.id, WishChanges(notes=None, priority=5))
    assert (changed.notes, changed.priority, changed.min_discount_percent) == (None, 5, 30)
    assert (await wishers.queries.item(user, wish.id)).wish == changed
    with pytest.raises(GameNotFoundInWishlist):
        await wishers.service.change_item(uuid4(), wish.id, WishChanges(priority=1))


async def test_a_target_is_a_price_with_its_currency(wishers):
    user = uuid4()
    for half in ({"target_price_minor": 100}, {"target_currency": "RUB"}):
        with pytest.raises(InvalidInput):
            await wishers.wish(user, **half)
    wish = await wishers.wish(user, target_price_minor=100, target_currency="RUB")
    with pytest.raises(InvalidInput) as error:
        await wishers.service.change_item(user, wish.id, WishChanges(target_currency=None))
    assert error.value.problems[0].pointer == "target_currency"
    await wishers.service.change_item(user, wish.id, WishChanges(target_currency=None, target_price_minor=None))


@pytest.mark.parametrize(
    "wrong",
    [
        {"priority": 0},
        {"min_discount_percent": 0},
        {"min_discount_percent": 101},
        {"target_currency": "rub"},
        {"target_price_minor": -1},
        {"notes": "x" * 1001},
        {"unknown": 1},
    ],
)
def test_an_invalid_wish_is_refused(wrong):
    with pytest.raises(ValidationError):
        NewWish(product_id=uuid4(), **wrong)


async def test_erasing_a_user_deletes_all_their_rows(wishers):
    user, other, product = uuid4(), uuid4(), uuid4()
    for each in (user, other):
        await wishers.wish(each, product)
    await wishers.set_price(product)
    assert len(await wishers.notify_all()) == 2
    while await wishers.service.erase(user, 1):
        pass
    for table in ("wishlist_items", "price_notifications", "sale_notifications"):
        found = await wishers.connection.fetch(f"SELECT user_id FROM wishlist.{table}")
        assert [row["user_id"] for row in found] == [other]
