"""Anomalies: impossible play, which counts and is shown to support (contract, section 3.3). On plain values."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from gameshelf.kernel.clock import MAX_CLOCK_LEAD

LONG_DAY = "long_day"
"""24 hours or more of raw play on one UTC day, all products and devices together."""
FAST_IMPORT = "fast_import"
"""An import with more play than the time since the user's last one, on any device. For the first import, the time since
the user's first access to one of the products counts."""

_DAY = timedelta(days=1)
LONGEST_SESSION = timedelta(days=7)
"""How long before a day a session may start and still be looked at: this bounds the work."""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Play that is impossible. ``subject`` is the day, or the time of the import and its device, if that is one;
    ``seconds`` is the amount of play.
    """

    kind: str
    subject: str
    seconds: int


def long_day(start: datetime, seconds: int) -> Anomaly | None:
    """The anomaly of a UTC day with so many seconds of raw play; None if it is possible."""
    return Anomaly(LONG_DAY, start.date().isoformat(), seconds) if seconds >= _DAY.total_seconds() else None


def fast_import(seconds: int, device_ids: Collection[str], since: datetime, now: datetime) -> Anomaly | None:
    """The anomaly of an import with more seconds than have passed ``since`` the last one; None if it is possible.

    Clocks of clients may run ahead by ``MAX_CLOCK_LEAD``.
    """
    if seconds <= (now - since + MAX_CLOCK_LEAD).total_seconds():
        return None
    device_id = next(iter(device_ids)) if len(device_ids) == 1 else ""
    return Anomaly(FAST_IMPORT, f"{now:%Y-%m-%dT%H:%M:%SZ} {device_id}".strip()[:100], seconds)
