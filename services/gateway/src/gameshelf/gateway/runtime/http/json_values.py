"""Hashes the values of a JSON body, to compare two bodies (contract in detail, section 3, Idempotency)."""

import json
from decimal import Decimal
from hashlib import sha256
from typing import Any, NoReturn

from gameshelf.gateway.runtime.problems import count_separators

_MOST_VALUES = 100_000
"""A body with more values is refused anyway; its bytes are hashed instead, since parsing it would take too long."""
_EXACT = 1e30
"""Whole numbers below this that are written with a point or an exponent are compared exactly."""


def values_hash(body: bytes) -> bytes | None:
    """Returns the SHA-256 of a body's values: objects are unordered, lists ordered, numbers are compared by value and
    strings by code points. An absent body has its own hash. Returns None if the body is not JSON.
    """
    if not body or count_separators(body) > _MOST_VALUES:
        return sha256(body).digest()
    try:
        document = json.loads(body, parse_float=_number, parse_constant=_refuse)
        # Escaped, so that text without an encoding, such as half of a surrogate pair, has a hash, too.
        return sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).digest()
    except (ValueError, RecursionError):
        return None


def _number(text: str) -> Any:
    """Parses a number with a point or an exponent: 1.0 and 1e0 are 1. Fractions are compared as doubles."""
    double = float(text)
    if not double.is_integer() or abs(double) > _EXACT:
        return double
    exact = Decimal(text)
    whole = int(exact)
    return whole if whole == exact else double


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
