"""Lasting cuts: wishers with a target at or above the price are notified once; those who wish later are not."""

from datetime import timedelta
from uuid import uuid4

from gameshelf.wishlist import WishChanges

TARGET = {"target_price_minor": 600, "target_currency": "RUB"}
PLAIN = {"sale": None, "discount_percent": 0}


async def test_a_lasting_cut_notifies_wishers_whose_target_it_meets_once(wishers):
    product, users = uuid4(), sorted(uuid4() for _ in range(3))
    for user in users:
        await wishers.wish(user, product, **TARGET)
    await wishers.wish(uuid4(), product)
    await wishers.wish(uuid4(), product, target_price_minor=499, target_currency="RUB")
    await wishers.wish(uuid4(), product, target_price_minor=600, target_currency="USD")
    await wishers.set_price(product, price_minor=1000, **PLAIN)
    assert await wishers.notify_all() == []
    wishers.later(days=1)
    await wishers.set_price(product, **PLAIN)
    assert await wishers.notify_all() == users
    wishers.later(days=1)
    await wishers.set_price(product, **PLAIN)
    assert await wishers.notify_all() == []
    await wishers.set_price(product, price_minor=400, at=wishers.now + timedelta(seconds=1), **PLAIN)
    assert await wishers.notify_all() != []


async def test_a_price_that_goes_up_and_down_again_is_another_cut(wishers):
    product, user = uuid4(), uuid4()
    await wishers.wish(user, product, **TARGET)
    for price, notified in ((1000, []), (500, [user]), (1000, []), (500, [user])):
        await wishers.set_price(product, price_minor=price, **PLAIN)
        assert await wishers.notify_all() == notified
        wishers.later(days=1)


async def test_the_end_of_a_sale_is_no_cut_and_a_sale_is_none(wishers):
    product, user = uuid4(), uuid4()
    await wishers.wish(user, product, **TARGET)
    await wishers.set_price(product, price_minor=1000, **PLAIN)
    await wishers.set_price(product, at=wishers.now + timedelta(seconds=1))
    assert await wishers.notify_all() == [user]
    await wishers.set_price(product, price_minor=1000, at=wishers.now + timedelta(seconds=2), **PLAIN)
    assert await wishers.notify_all() == []
    rows = await wishers.connection.fetch("SELECT sale_id FROM wishlist.price_notifications")
    assert [row["sale_id"] for row in rows] == ["sale"]


async def test_the_event_has_the_old_price_of_the_catalog_if_none_is_known(wishers):
    product, user = uuid4(), uuid4()
    await wishers.wish(user, product, **TARGET)
    await wishers.set_price(product, old_price_minor=1000, **PLAIN)
    fanout = await wishers.lock_fanout()
    assert fanout.price.cut.old_price_minor == 1000
    assert await wishers.notify_all() == [user]


async def test_wishes_added_or_changed_later_are_not_notified_of_a_cut(wishers):
    product, busy, late, changed = (uuid4() for _ in range(4))
    await wishers.wish(busy, product, **TARGET)
    wish = await wishers.wish(changed, product, target_price_minor=100, target_currency="RUB")
    await wishers.set_price(product, price_minor=1000, **PLAIN)
    wishers.later(minutes=1)
    await wishers.set_price(product, **PLAIN)
    wishers.later(minutes=1)
    await wishers.wish(late, product, **TARGET)
    await wishers.service.change_item(changed, wish.id, WishChanges(target_price_minor=600))
    assert "PriceDropped" not in wishers.kinds()
    assert not await wishers.service.notify_of_price(late, product)
    assert await wishers.service.notify_of_price(busy, product)
    assert late not in await wishers.notify_all()
    [dropped] = [event for event in wishers.events if type(event).__name__ == "PriceDropped"]
    assert (dropped.user_id, dropped.price_minor, dropped.old_price_minor) == (busy, 500, 1000)


async def test_a_fan_out_uses_the_conditions_of_when_the_cut_was_made(wishers):
    product, (first, *users) = uuid4(), sorted(uuid4() for _ in range(7))
    met, unmet = TARGET, {"target_price_minor": 100, "target_currency": "RUB"}
    without = {"target_price_minor": None, "target_currency": None}
    became_met, became_unmet, still_met, dropped, twice, again = users
    before = {
        first: met,
        became_met: unmet,
        became_unmet: met,
        still_met: met,
        dropped: met,
        twice: met,
        again: unmet,
    }
    wishes = {user: await wishers.wish(user, product, **conditions) for user, conditions in before.items()}
    await wishers.set_price(product, price_minor=1000, **PLAIN)
    wishers.later(minutes=1)
    await wishers.set_price(product, **PLAIN)
    fanout = await wishers.lock_fanout()
    assert await wishers.fanouts.record_notifications(fanout, [first])
    assert await wishers.fanouts.advance(fanout, first)

    async def change(user, **conditions):
        await wishers.service.change_item(user, wishes[user].id, WishChanges(**conditions))

    wishers.later(minutes=1)
    await change(first, target_price_minor=700)  # was notified already
    await change(became_met, **met)
    await change(became_unmet, **unmet)
    await change(still_met, target_price_minor=700)
    await change(dropped, **without)
    await change(twice, **unmet)
    await change(twice, **met)
    await wishers.service.change_item(again, wishes[again].id, WishChanges(notes="no condition"))

    def dropped_prices():
        return [event.user_id for event in wishers.events if type(event).__name__ == "PriceDropped"]

    notified = [became_unmet, still_met, dropped, twice]
    assert dropped_prices() == notified
    assert await wishers.notify_all() == []
    assert not await wishers.service.notify_of_price(became_met, product)
    wishers.later(days=1)
    await wishers.set_price(product, price_minor=1000, **PLAIN)
    wishers.later(days=1)
    await wishers.set_price(product, price_minor=500, **PLAIN)
    assert await wishers.notify_all() == sorted([first, became_met, still_met, twice])


async def test_a_held_back_wisher_is_notified_by_the_conditions_of_the_cut(wishers):
    product, user = uuid4(), uuid4()
    wish = await wishers.wish(user, product, **TARGET)
    await wishers.set_price(product, price_minor=1000, **PLAIN)
    await wishers.set_price(product, at=wishers.now + timedelta(seconds=1), **PLAIN)
    fanout = await wishers.lock_fanout()
    await wishers.fanouts.hold_back(fanout, [user])
    await wishers.fanouts.finish(fanout)
    await wishers.service.change_item(user, wish.id, WishChanges(target_price_minor=100))
    assert wishers.kinds().count("PriceDropped") == 1
    assert not await wishers.service.notify_of_price(user, product)
