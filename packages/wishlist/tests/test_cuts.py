"""Prices that are lowered for good: who has a target at or above is told once, and nobody who wishes later."""

from datetime import timedelta
from uuid import uuid4

from gameshelf.wishlist import WishChanges

TARGET = {"target_price_minor": 600, "target_currency": "RUB"}
PLAIN = {"sale": None, "discount_percent": 0}


async def test_a_lasting_cut_is_told_once_to_those_whose_target_it_meets(wishers):
    product, users = uuid4(), sorted(uuid4() for _ in range(3))
    for user in users:
        await wishers.wish(user, product, **TARGET)
    await wishers.wish(uuid4(), product)
    await wishers.wish(uuid4(), product, target_price_minor=499, target_currency="RUB")
    await wishers.wish(uuid4(), product, target_price_minor=600, target_currency="USD")
    await wishers.say(product, price_minor=1000, **PLAIN)
    assert await wishers.told() == []
    wishers.later(days=1)
    await wishers.say(product, **PLAIN)
    assert await wishers.told() == users
    wishers.later(days=1)
    await wishers.say(product, **PLAIN)
    assert await wishers.told() == []
    await wishers.say(product, price_minor=400, at=wishers.now + timedelta(seconds=1), **PLAIN)
    assert await wishers.told() != []


async def test_a_price_that_goes_up_and_down_again_is_another_cut(wishers):
    product, user = uuid4(), uuid4()
    await wishers.wish(user, product, **TARGET)
    for price, told in ((1000, []), (500, [user]), (1000, []), (500, [user])):
        await wishers.say(product, price_minor=price, **PLAIN)
        assert await wishers.told() == told
        wishers.later(days=1)


async def test_the_end_of_a_sale_is_no_cut_and_a_sale_is_none(wishers):
    product, user = uuid4(), uuid4()
    await wishers.wish(user, product, **TARGET)
    await wishers.say(product, price_minor=1000, **PLAIN)
    await wishers.say(product, at=wishers.now + timedelta(seconds=1))
    assert await wishers.told() == [user]
    await wishers.say(product, price_minor=1000, at=wishers.now + timedelta(seconds=2), **PLAIN)
    assert await wishers.told() == []
    rows = await wishers.connection.fetch("SELECT sale_id FROM wishlist.price_notifications")
    assert [row["sale_id"] for row in rows] == ["sale"]


async def test_the_event_tells_the_price_of_before_where_none_is_known(wishers):
    product, user = uuid4(), uuid4()
    await wishers.wish(user, product, **TARGET)
    await wishers.say(product, old_price_minor=1000, **PLAIN)
    fanout = await wishers.take()
    assert fanout.price.cut.old_price_minor == 1000
    assert await wishers.told() == [user]


async def test_wishes_that_are_added_or_changed_later_are_not_told_of_a_cut(wishers):
    product, busy, late, changed = (uuid4() for _ in range(4))
    await wishers.wish(busy, product, **TARGET)
    wish = await wishers.wish(changed, product, target_price_minor=100, target_currency="RUB")
    await wishers.say(product, price_minor=1000, **PLAIN)
    wishers.later(minutes=1)
    await wishers.say(product, **PLAIN)
    wishers.later(minutes=1)
    await wishers.wish(late, product, **TARGET)
    await wishers.service.change(changed, wish.id, WishChanges(target_price_minor=600))
    assert "PriceDropped" not in wishers.kinds()
    assert not await wishers.service.tell_of_price(late, product)
    assert await wishers.service.tell_of_price(busy, product)
    assert late not in await wishers.told()
    [dropped] = [event for event in wishers.events if type(event).__name__ == "PriceDropped"]
    assert (dropped.user_id, dropped.price_minor, dropped.old_price_minor) == (busy, 500, 1000)
