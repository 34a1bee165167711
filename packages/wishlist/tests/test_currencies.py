"""A price for each currency: which one a wisher sees and is notified of, and prices that are stated again."""

from datetime import timedelta
from uuid import uuid4

import pytest
from gameshelf.wishlist import SaleFanouts, WishlistQueries

RUB = {"currency": "RUB", "price_minor": 25_000}
USD = {"currency": "USD", "price_minor": 300}


async def shown(wishers, user):
    [item] = await wishers.queries.all_items(user)
    return item.price and (item.price.currency, item.price.price_minor)


@pytest.mark.parametrize("order", [(RUB, USD), (USD, RUB)])
async def test_each_wisher_is_notified_in_the_currency_of_their_wish(wishers, order):
    product, plain, rub, usd, eur = (uuid4() for _ in range(5))
    await wishers.wish(plain, product)
    for user, currency in ((rub, "RUB"), (usd, "USD"), (eur, "EUR")):
        await wishers.wish(user, product, target_price_minor=30_000, target_currency=currency)
    for price in order:
        await wishers.set_price(product, **price)
    prices = {}
    while fanout := await wishers.lock_fanout():
        found = await wishers.fanouts.wishers(fanout, 10)
        for user in await wishers.fanouts.record_notifications(fanout, found.met):
            assert user not in prices
            prices[user] = fanout.price.currency
        await wishers.fanouts.finish(fanout)
    assert prices == {plain: "RUB", rub: "RUB", usd: "USD"}
    assert [await shown(wishers, user) for user in (plain, rub, usd, eur)] == [
        ("RUB", 25_000),
        ("RUB", 25_000),
        ("USD", 300),
        None,
    ]


async def test_without_the_default_currency_the_first_by_code_is_used(wishers):
    product, user = uuid4(), uuid4()
    await wishers.wish(user, product)
    await wishers.set_price(product, **USD)
    await wishers.set_price(product, currency="EUR", price_minor=280)
    assert await shown(wishers, user) == ("EUR", 280)
    assert await wishers.notify_all() == [user]
    dollars = WishlistQueries(wishers.connection, "USD")
    assert (await dollars.all_items(user))[0].price.currency == "USD"


async def test_the_default_currency_is_a_setting(wishers):
    product, user = uuid4(), uuid4()
    await wishers.wish(user, product)
    await wishers.set_price(product, **RUB)
    await wishers.set_price(product, **USD)
    fanouts = SaleFanouts(wishers.connection, lambda: wishers.now, "USD")
    running = [await fanouts.lock_fanout(product, currency) for currency in ("RUB", "USD")]
    assert [(await fanouts.wishers(fanout, 5)).met for fanout in running] == [[], [user]]


async def test_a_price_in_one_currency_does_not_stop_the_fan_out_of_another(wishers):
    product, rub = uuid4(), uuid4()
    await wishers.wish(rub, product)
    await wishers.set_price(product, **RUB)
    await wishers.set_price(product, **USD, sale=None, discount_percent=0)
    assert await wishers.notify_all() == [rub]


async def test_the_same_price_again_does_not_restart_its_fan_out(wishers):
    product, users = uuid4(), sorted(uuid4() for _ in range(6))
    for user in users:
        await wishers.wish(user, product)
    await wishers.set_price(product)
    cursors = []
    for _ in users:  # a fan-out that each of them restarted would never end
        fanout = await wishers.lock_fanout()
        found = await wishers.fanouts.wishers(fanout, 2)
        if found.last is None:
            await wishers.fanouts.finish(fanout)
            break
        await wishers.fanouts.record_notifications(fanout, found.met)
        await wishers.fanouts.advance(fanout, found.last)
        cursors.append(found.last)
        wishers.later(minutes=1)
        await wishers.set_price(product)  # as a Catalog that repeats its prices does
    assert cursors == users[1::2]
    await wishers.set_price(product, at=wishers.now + timedelta(seconds=1))
    assert await wishers.lock_fanout() is None
    price = (await wishers.queries.all_items(users[0]))[0].price
    assert price.said_at == wishers.now + timedelta(seconds=1)


async def test_a_new_end_of_a_sale_restarts_it_and_notifies_nobody_twice(wishers):
    product, user = uuid4(), uuid4()
    await wishers.wish(user, product)
    await wishers.set_price(product)
    assert await wishers.notify_all() == [user]
    await wishers.set_price(product, sale_ends_at=wishers.now + timedelta(days=1))
    assert await wishers.lock_fanout()
    assert await wishers.notify_all() == []


async def test_what_is_on_sale_is_what_the_rule_calls_a_sale(wishers):
    user, (half, most, over, unnamed, foreign) = uuid4(), (uuid4() for _ in range(5))
    for product in (half, most, over, unnamed):
        await wishers.wish(user, product)
    await wishers.wish(user, foreign, target_price_minor=1, target_currency="USD")
    await wishers.set_price(half)
    await wishers.set_price(most, discount_percent=75, sale_ends_at=wishers.now + timedelta(hours=1))
    await wishers.set_price(over, sale_ends_at=wishers.now)
    await wishers.set_price(unnamed, None)
    await wishers.set_price(foreign)
    found = await wishers.queries.on_sale(user, wishers.now, 10)
    assert ([one.wish.product_id for one in found.items], found.total) == ([most, half], 2)
    every = {one.wish.product_id: one.price for one in await wishers.queries.all_items(user)}
    assert {one for one, price in every.items() if price and price.is_sale(wishers.now)} == {most, half}
    cut = await wishers.queries.on_sale(user, wishers.now, 1)
    assert ([one.wish.product_id for one in cut.items], cut.total) == ([most], 2)
    later = await wishers.queries.on_sale(user, wishers.now + timedelta(hours=1), 10)
    assert [one.wish.product_id for one in later.items] == [half]
    assert (await wishers.queries.on_sale(uuid4(), wishers.now, 10)).total == 0
