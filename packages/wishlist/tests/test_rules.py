"""When a price is a sale and whose conditions it meets, on plain values."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from gameshelf.wishlist import Conditions, Cut, Price, discount, notification_id, wishers_currency
from gameshelf.wishlist._rules import succeed

NOW, DAY = datetime(2026, 5, 20, 12, tzinfo=UTC), timedelta(days=1)


def price(**more):
    values = {
        "product_id": UUID(int=1),
        "price_minor": 500,
        "currency": "RUB",
        "discount_percent": 50,
        "sale_id": "s",
        "sale_ends_at": None,
        "said_at": NOW,
    }
    return Price(**(values | more))


@pytest.mark.parametrize(
    ("more", "is_sale"),
    [
        ({}, True),
        ({"discount_percent": 0}, False),
        ({"sale_id": None}, False),
        ({"sale_ends_at": NOW + timedelta(seconds=1)}, True),
        ({"sale_ends_at": NOW}, False),
    ],
)
def test_a_sale_has_a_discount_and_an_id_and_has_not_ended(more, is_sale):
    assert price(**more).is_sale(NOW) is is_sale


@pytest.mark.parametrize(
    ("conditions", "are_met"),
    [
        ({}, True),
        ({"target_price_minor": 500, "target_currency": "RUB"}, True),
        ({"target_price_minor": 499, "target_currency": "RUB"}, False),
        ({"target_price_minor": 900, "target_currency": "EUR"}, False),
        ({"min_discount_percent": 50}, True),
        ({"min_discount_percent": 51}, False),
        ({"target_price_minor": 500, "target_currency": "RUB", "min_discount_percent": 51}, False),
        ({"target_price_minor": 500, "target_currency": "RUB", "min_discount_percent": 10}, True),
    ],
)
def test_all_conditions_that_are_set_have_to_be_met(conditions, are_met):
    assert Conditions(**conditions).are_met_by(price()) is are_met


@pytest.mark.parametrize(
    ("stated", "new", "old", "percent"),
    [(30, 500, 1000, 30), (None, 500, 1000, 50), (None, 667, 1000, 33), (None, 1000, 1000, 0), (None, 500, None, 0)],
)
def test_a_discount_is_the_stated_one_or_follows_from_the_old_price(stated, new, old, percent):
    assert discount(stated, new, old) == percent


def test_the_id_of_a_notification_follows_from_sale_product_and_user():
    user, product = UUID(int=7), {"product_id": UUID(int=2)}
    assert notification_id(price(), user).version == 5
    assert notification_id(price(), user) == notification_id(price(currency="USD", price_minor=3), user)
    others = [price(), price(sale_id="b"), price(**product), price(sale_id="b", **product)]
    assert len({notification_id(one, UUID(int=n)) for one in others for n in range(3)}) == 12


def test_the_id_of_a_cut_is_derived_from_what_it_is_about():
    cut = Cut(1000, NOW, NOW)
    lowered = {"sale_id": None, "discount_percent": 0, "cut": cut}
    others = [
        price(**lowered),
        price(**lowered, currency="USD"),
        price(**lowered, price_minor=499),
        price(**lowered, product_id=UUID(int=2)),
        price(**{**lowered, "cut": replace(cut, said_at=NOW + timedelta(seconds=1))}),
    ]
    assert len({notification_id(one, UUID(int=n)) for one in others for n in range(3)}) == 15
    assert notification_id(price(**{**lowered, "cut": Cut(900, NOW, NOW + DAY)}), UUID(int=1)) == notification_id(
        price(**lowered), UUID(int=1)
    )


PLAIN = {"sale_id": None, "discount_percent": 0}


@pytest.mark.parametrize(
    ("kept", "new", "cut_from"),
    [
        (1000, {**PLAIN, "price_minor": 900}, 1000),
        (1000, {**PLAIN, "price_minor": 1100}, None),
        (1000, {**PLAIN, "price_minor": 900, "old_price_minor": 5000}, 1000),
        (None, {**PLAIN, "price_minor": 900, "old_price_minor": 5000}, 5000),
        (None, {**PLAIN, "price_minor": 900}, None),
        (1000, {"price_minor": 900}, None),  # a sale
        (1000, {"price_minor": 900, "sale_ends_at": NOW - timedelta(days=1)}, None),  # one that has ended
        (1000, {"price_minor": 900, "sale_id": None}, 1000),  # a discount of no sale
    ],
)
def test_a_lower_price_without_a_sale_is_a_lasting_cut(kept, new, cut_from):
    before = price(**PLAIN, price_minor=kept) if kept else None
    after = succeed(before, price(**new), NOW + DAY)
    assert after.cut == (Cut(cut_from, NOW, NOW + DAY) if cut_from else None)


def test_of_the_same_price_stated_again_only_the_time_counts():
    kept = succeed(price(**PLAIN, price_minor=1000), price(**PLAIN), NOW)
    again = succeed(kept, price(**PLAIN, said_at=NOW + DAY, old_price_minor=700), NOW + DAY)
    assert again == replace(kept, said_at=NOW + DAY)
    for other in ({"price_minor": 499}, {"discount_percent": 1}, {"sale_id": "x"}, {"sale_ends_at": NOW}):
        assert succeed(kept, price(**{**PLAIN, "said_at": NOW + DAY, **other}), NOW + DAY).said_at == NOW + DAY
        assert not price(**{**PLAIN, **other}).has_the_terms_of(kept)


@pytest.mark.parametrize(
    ("conditions", "are_met"),
    [
        ({}, False),
        ({"target_price_minor": 500, "target_currency": "RUB"}, True),
        ({"target_price_minor": 499, "target_currency": "RUB"}, False),
        ({"target_price_minor": 900, "target_currency": "EUR"}, False),
        ({"min_discount_percent": 50}, False),
        ({"target_price_minor": 500, "target_currency": "RUB", "min_discount_percent": 50}, True),
        ({"target_price_minor": 500, "target_currency": "RUB", "min_discount_percent": 51}, False),
    ],
)
def test_a_lasting_cut_needs_a_target_and_its_discount_is_its_own(conditions, are_met):
    assert Conditions(**conditions).are_met_by(price(**PLAIN, cut=Cut(1000, NOW, NOW))) is are_met


@pytest.mark.parametrize(
    ("target", "known", "currency"),
    [
        ("EUR", {"EUR", "RUB"}, "EUR"),
        ("EUR", {"RUB"}, None),
        (None, {"USD", "RUB", "EUR"}, "RUB"),
        (None, {"USD", "EUR"}, "EUR"),
        (None, set(), None),
    ],
)
def test_a_wish_shows_the_price_in_its_targets_currency_or_the_default(target, known, currency):
    assert wishers_currency(target, known, "RUB") == currency
