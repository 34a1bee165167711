"""Whether two bodies hold the same values (contract in detail, section 3, Idempotency)."""

import json
from decimal import Decimal
from hashlib import sha256
from typing import Any, NoReturn

from gameshelf.gateway.runtime.problems import count_separators

_MOST_VALUES = 100_000
"""A body of more is refused whatever it says; its bytes stand for its values, since reading it would take too long."""
_EXACT = 1e30
"""Below it a whole number that is written with a point or an exponent is compared exactly."""


def values_hash(body: bytes) -> bytes | None:
    """The SHA-256 of what a body says: objects without order, lists in order, numbers by value, strings code point by
    code point. An absent body has one of its own. None for what is no JSON.
    """
    if not body or count_separators(body) > _MOST_VALUES:
        return sha256(body).digest()
    try:
        document = json.loads(body, parse_float=_number, parse_constant=_refuse)
        # Escaped, so that what has no encoding, such as half of a surrogate pair, has a hash like anything else.
        return sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).digest()
    except (ValueError, RecursionError):
        return None


def _number(text: str) -> Any:
    """A number with a point or an exponent: 1.0 and 1e0 are 1. What is not whole is compared as doubles are."""
    double = float(text)
    if not double.is_integer() or abs(double) > _EXACT:
        return double
    exact = Decimal(text)
    whole = int(exact)
    return whole if whole == exact else double


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
