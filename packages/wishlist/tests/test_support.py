"""What support sees of a wish: which condition each price does not meet, and what the wisher was notified of."""

from datetime import UTC, datetime, timedelta
from itertools import product as combinations
from uuid import uuid4

import pytest
from gameshelf.wishlist import Conditions, Cut, Price, UnmetCondition, WishlistSupportQueries
from gameshelf.wishlist._rules import unmet

U = UnmetCondition


@pytest.fixture
def explain(wishers):
    async def of(user, game):
        return await WishlistSupportQueries(wishers.connection).explain(user, game, wishers.now)

    return of


async def test_what_is_not_on_the_list_has_prices_and_no_verdict(wishers, explain):
    user, game = uuid4(), uuid4()
    await wishers.set_price(game)
    found = await explain(user, game)
    assert (found.wish, found.notifications) == (None, [])
    [one] = found.prices
    assert (one.price.currency, one.is_seen, one.unmet, one.sent, one.is_pending) == ("RUB", False, (), None, False)
    assert (await explain(user, uuid4())).prices == []


@pytest.mark.parametrize(
    ("wish", "price", "reasons"),
    [
        ({}, {}, []),
        ({}, {"sale": None, "discount_percent": 0}, [U.NOT_ANNOUNCED]),
        ({"min_discount_percent": 51}, {}, [U.DISCOUNT_TOO_SMALL]),
        ({"min_discount_percent": 50}, {}, []),
        ({"target_price_minor": 499, "target_currency": "RUB"}, {}, [U.ABOVE_TARGET]),
        ({"target_price_minor": 500, "target_currency": "RUB"}, {}, []),
        ({"target_price_minor": 10, "target_currency": "USD"}, {}, [U.OTHER_CURRENCY]),
        (
            {"target_price_minor": 1, "target_currency": "RUB", "min_discount_percent": 90},
            {},
            [U.ABOVE_TARGET, U.DISCOUNT_TOO_SMALL],
        ),
    ],
)
async def test_every_condition_that_fails_is_named(wishers, explain, wish, price, reasons):
    user, game = uuid4(), uuid4()
    await wishers.wish(user, game, **wish)
    await wishers.set_price(game, **price)
    notified = await wishers.notify_all()
    [one] = (await explain(user, game)).prices
    assert one.unmet == reasons
    assert (notified == [user]) == (reasons == []) == (one.sent is not None)


async def test_a_sale_that_ended_says_so_and_what_was_sent_of_it(wishers, explain):
    user, game = uuid4(), uuid4()
    await wishers.wish(user, game)
    await wishers.set_price(game, sale="winter", sale_ends_at=wishers.now + timedelta(days=1))
    [one] = (await explain(user, game)).prices
    assert (one.unmet, one.sent, one.is_pending) == ([], None, True)
    await wishers.notify_all()
    [one] = (await explain(user, game)).prices
    assert (one.sent.sale_id, one.is_pending) == ("winter", False)
    wishers.later(days=2)
    found = await explain(user, game)
    assert found.prices[0].unmet == [U.SALE_OVER]
    assert [sent.sale_id for sent in found.notifications] == ["winter"]
    assert found.notifications[0].notification_id


async def test_of_several_currencies_one_is_seen(wishers, explain):
    user, other, game = uuid4(), uuid4(), uuid4()
    await wishers.wish(user, game)
    await wishers.wish(other, game, target_price_minor=600, target_currency="USD")
    for currency in ("RUB", "USD"):
        await wishers.set_price(game, currency=currency)
    assert {one.price.currency: one.unmet for one in (await explain(user, game)).prices} == {
        "RUB": [],
        "USD": [U.OTHER_CURRENCY],
    }
    assert [one.price.currency for one in (await explain(other, game)).prices if one.is_seen] == ["USD"]


async def test_a_lasting_cut_needs_a_target_and_an_older_wish(wishers, explain):
    early, late, without, game = uuid4(), uuid4(), uuid4(), uuid4()
    target = {"target_price_minor": 600, "target_currency": "RUB"}
    await wishers.set_price(game, sale=None, price_minor=1000, discount_percent=0)
    await wishers.wish(early, game, **target)
    await wishers.wish(without, game)
    wishers.later(minutes=1)
    await wishers.set_price(game, sale=None, price_minor=500, discount_percent=0)
    wishers.later(minutes=1)
    await wishers.wish(late, game, **target)
    assert await wishers.notify_all() == [early]
    found = {user: (await explain(user, game)).prices[0] for user in (early, late, without)}
    assert (found[early].unmet, found[early].sent.sale_id) == ([], None)
    assert found[late].unmet == [U.CUT_BEFORE_WISH]
    assert found[without].unmet == [U.CUT_WITHOUT_TARGET]


def test_reasons_are_absent_exactly_where_the_rules_notify():
    """The reasons and the decision are written apart: they agree on all combinations."""
    now = datetime(2026, 5, 20, 12, tzinfo=UTC)
    sales = [(0, None, None), (50, "sale", None), (50, "sale", now), (50, "sale", now + timedelta(days=1))]
    cuts = [None, Cut(1000, now, now)]
    targets = [(None, None), (400, "RUB"), (500, "RUB"), (900, "USD")]
    for (percent, sale, ends), cut, (target, currency), least, before in combinations(
        sales, cuts, targets, (None, 50, 51), (True, False)
    ):
        if cut and sale:
            continue  # a sale is no lasting cut
        price = Price(uuid4(), 500, "RUB", percent, sale, ends, now, cut=cut)
        conditions = Conditions(target, currency, least)
        is_seen = currency in (None, "RUB")
        is_due = price.is_announced(now) and conditions.are_met_by(price) and is_seen and (cut is None or before)
        reasons = unmet(price, conditions, now, is_seen=is_seen, came_before=cut is None or before)
        assert (reasons == []) == is_due, (price, conditions, before, reasons)
