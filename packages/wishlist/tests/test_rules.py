"""When a price is a sale and whose conditions it meets, on plain values."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from gameshelf.wishlist import Conditions, Price, discount, notification_id

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)


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
    ("said", "new", "old", "percent"),
    [(30, 500, 1000, 30), (None, 500, 1000, 50), (None, 667, 1000, 33), (None, 1000, 1000, 0), (None, 500, None, 0)],
)
def test_a_discount_is_what_was_said_or_what_the_old_price_makes_of_it(said, new, old, percent):
    assert discount(said, new, old) == percent


def test_the_id_of_a_notification_follows_from_sale_and_user():
    user = UUID(int=7)
    assert notification_id("summer", user) == UUID("28c5ab0c-c592-55ec-bcff-de0a565d0268")
    assert len({notification_id(sale, UUID(int=n)) for sale in ("a", "b") for n in range(3)}) == 6
    assert notification_id("summer", user).version == 5
