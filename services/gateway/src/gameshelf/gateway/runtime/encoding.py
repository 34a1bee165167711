"""JSON in the form of the contract: UUIDs in lower case, times in RFC 3339 with ``Z``."""

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

JsonText = orjson.Fragment
"""Encoded JSON as a part of a document; the caller has to ensure that it is valid."""


def encode(document: Any) -> bytes:
    """Encodes a document as UTF-8 JSON. Times must be aware and in UTC."""
    return orjson.dumps(document, option=orjson.OPT_UTC_Z, default=_plain)


def decode(text: bytes | str) -> Any:
    """Decodes a JSON text. Raises ValueError, also for lone surrogates and numbers that are not finite."""
    return orjson.loads(text)


def timestamp(moment: datetime) -> str:
    """Formats a time as in JSON."""
    return encode(moment)[1:-1].decode()


def _plain(value: Any) -> str:
    # asyncpg's UUID is a subclass of uuid.UUID, which orjson does not recognise.
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
