"""Amounts of money for people."""

_WHOLE = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"]
)
_THOUSANDTHS = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])
"""Currencies of ISO 4217 whose minor unit is not a hundredth."""


def money(minor: int, currency: str) -> str:
    """An amount in minor units of a currency: ``1,499.00 RUB``."""
    digits = 0 if currency in _WHOLE else 3 if currency in _THOUSANDTHS else 2
    whole, part = divmod(abs(minor), 10**digits)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole:,}{f'.{part:0{digits}}' if digits else ''} {currency}"
