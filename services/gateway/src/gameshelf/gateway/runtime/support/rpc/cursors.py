"""Cursors of listings: where the last page ended, in characters that are safe on a command line."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from gameshelf.kernel.errors import InvalidInput, Problem

_LONGEST = 2000


def pack(*place: object) -> str:
    """Encodes a place as a cursor: times, ids and texts."""
    texts = [one.isoformat() if isinstance(one, datetime) else str(one) for one in place]
    return urlsafe_b64encode(json.dumps(texts, ensure_ascii=False).encode()).decode().rstrip("=")


def unpack(cursor: str, *parts: Callable[[str], Any]) -> list[Any]:
    """Decodes the place of a cursor; ``parts`` parse its elements. Raises InvalidInput for an invalid cursor."""
    try:
        texts = json.loads(urlsafe_b64decode(cursor[:_LONGEST] + "=" * (-len(cursor) % 4)))
        return [part(_storable(text)) for part, text in zip(parts, texts, strict=True)]
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        raise InvalidInput(Problem("not_a_cursor", pointer="cursor")) from None


def moment(text: str) -> datetime:
    """Parses a time of a cursor, in UTC. Raises ValueError, OverflowError."""
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError(text)
    return read.astimezone(UTC)


def _storable(text: str) -> str:
    """Checks that the database accepts a text. Raises ValueError, TypeError."""
    if b"\0" in text.encode():  # raises for a lone surrogate
        raise ValueError(text)
    return text
