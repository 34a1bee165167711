"""Amounts of money."""

import pytest
from gameshelf.libctl.money import money


@pytest.mark.parametrize(
    ("minor", "currency", "said"),
    [
        (149900, "RUB", "1,499.00 RUB"),
        (5, "USD", "0.05 USD"),
        (0, "EUR", "0.00 EUR"),
        (-150, "EUR", "-1.50 EUR"),
        (1980, "JPY", "1,980 JPY"),
        (12345, "KWD", "12.345 KWD"),
    ],
)
def test_an_amount_has_the_digits_of_its_currency(minor, currency, said):
    assert money(minor, currency) == said
