"""A price for each currency: which one a wisher sees and is told of, and what is said again."""

from datetime import timedelta
from uuid import uuid4

import pytest
from gameshelf.wishlist import SaleFanouts, WishlistQueries

RUB = {"currency": "RUB", "price_minor": 25_000}
USD = {"currency": "USD", "price_minor": 300}


async def shown(wishers, user):
    [item] = await wishers.queries.all(user)
    return item.price and (item.price.currency, item.price.price_minor)


@pytest.mark.parametrize("order", [(RUB, USD), (USD, RUB)])
async def test_each_wisher_is_told_in_the_currency_that_they_wish_in(wishers, order):
    product, plain, rub, usd, eur = (uuid4() for _ in range(5))
    await wishers.wish(plain, product)
    for user, currency in ((rub, "RUB"), (usd, "USD"), (eur, "EUR")):
        await wishers.wish(user, product, target_price_minor=30_000, target_currency=currency)
    for price in order:
        await wishers.say(product, **price)
    prices = {}
    while fanout := await wishers.take():
        found = await wishers.fanouts.wishers(fanout, 10)
        for user in await wishers.fanouts.note(fanout, found.met):
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
    await wishers.say(product, **USD)
    await wishers.say(product, currency="EUR", price_minor=280)
    assert await shown(wishers, user) == ("EUR", 280)
    assert await wishers.told() == [user]
    dollars = WishlistQueries(wishers.connection, "USD")
    assert (await dollars.all(user))[0].price.currency == "USD"


async def test_the_default_currency_is_a_setting(wishers):
    product, user = uuid4(), uuid4()
    await wishers.wish(user, product)
    await wishers.say(product, **RUB)
    await wishers.say(product, **USD)
    fanouts = SaleFanouts(wishers.connection, lambda: wishers.now, "USD")
    told = {currency: await fanouts.take(product, currency) for currency in ("RUB", "USD")}
    assert [(await fanouts.wishers(fanout, 5)).met for fanout in told.values()] == [[], [user]]


async def test_a_price_in_one_currency_does_not_stop_what_another_one_began(wishers):
    product, rub = uuid4(), uuid4()
    await wishers.wish(rub, product)
    await wishers.say(product, **RUB)
    await wishers.say(product, **USD, sale=None, discount_percent=0)
    assert await wishers.told() == [rub]


async def test_the_same_price_said_again_does_not_begin_anew(wishers):
    product, users = uuid4(), sorted(uuid4() for _ in range(6))
    for user in users:
        await wishers.wish(user, product)
    await wishers.say(product)
    cursors = []
    for _ in users:  # one that began anew with each of them would go on for ever
        fanout = await wishers.take()
        found = await wishers.fanouts.wishers(fanout, 2)
        if found.last is None:
            await wishers.fanouts.finish(fanout)
            break
        await wishers.fanouts.note(fanout, found.met)
        await wishers.fanouts.advance(fanout, found.last)
        cursors.append(found.last)
        wishers.later(minutes=1)
        await wishers.say(product)  # as a Catalog that repeats its prices does
    assert cursors == users[1::2]
    await wishers.say(product, at=wishers.now + timedelta(seconds=1))
    assert await wishers.take() is None
    price = (await wishers.queries.all(users[0]))[0].price
    assert price.said_at == wishers.now + timedelta(seconds=1)


async def test_another_end_of_the_same_sale_begins_anew_and_tells_nobody_twice(wishers):
    product, user = uuid4(), uuid4()
    await wishers.wish(user, product)
    await wishers.say(product)
    assert await wishers.told() == [user]
    await wishers.say(product, sale_ends_at=wishers.now + timedelta(days=1))
    assert await wishers.take()
    assert await wishers.told() == []
