"""What a token says of itself. It explains a refusal by the service and decides nothing, so nothing is verified."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

from gameshelf.libctl.times import minute, span


def problem_of(token: str, now: datetime) -> str | None:
    """Returns why a service may have refused a token: it isn't one, has expired, or is not valid yet. None: unknown.

    The times are those of this machine's clock, so the sentence names them.
    """
    claims = _claims(token)
    if claims is None:
        return "is not a JWT"
    expires, begins = _time(claims.get("exp")), _time(claims.get("nbf"))
    if expires and expires <= now:
        return f"expired {minute(expires)} UTC, {span(int((now - expires).total_seconds()))} ago"
    if begins and begins > now:
        return f"is valid only from {minute(begins)} UTC; this machine's clock says {minute(now)} UTC"
    return None


def _claims(token: str) -> dict[str, Any] | None:
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return None
    return claims if isinstance(claims, dict) else None


def _time(value: object) -> datetime | None:
    """Converts a claim; None for one that is absent or holds no time."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
