"""Converts times of PostgreSQL that Python cannot represent.

PostgreSQL has infinity and years beyond 9999. asyncpg decodes infinity as a naive time, which can't be compared with
aware ones, and fails on later years. One such value, stored by an earlier release or by hand, would make every
statement fail that reads it, and with it a page, an export or a job. So the nearest aware time of Python replaces it.
The first and last time of Python are written as infinity again, so that keys and cursors with them match their row.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

LAST = datetime.max.replace(tzinfo=UTC)
FIRST = datetime.min.replace(tzinfo=UTC)

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000
_AT_LAST, _AT_FIRST = (LAST - _EPOCH) // _MICROSECOND, (FIRST - _EPOCH) // _MICROSECOND
_INFINITY, _NEGATIVE_INFINITY = 2**63 - 1, -(2**63)


def decoded(value: tuple[int]) -> datetime:
    """Converts microseconds since 2000 to a time, or to the nearest one that Python can represent."""
    (microseconds,) = value
    if _AT_FIRST < microseconds < _AT_LAST:
        return _EPOCH + _MICROSECOND * microseconds
    return LAST if microseconds > 0 else FIRST


def encoded(moment: datetime) -> tuple[int]:
    """Converts an aware time to microseconds since 2000. Raises TypeError for a naive one."""
    past = moment - _EPOCH
    microseconds = (past.days * 86_400 + past.seconds) * _SECOND + past.microseconds
    if _AT_FIRST < microseconds < _AT_LAST:
        return (microseconds,)
    return (_INFINITY if microseconds > 0 else _NEGATIVE_INFINITY,)


async def read_any_time(connection: Any) -> None:
    """Sets this conversion on an asyncpg connection, also for arrays. One round trip."""
    await connection.set_type_codec(
        "timestamptz", schema="pg_catalog", encoder=encoded, decoder=decoded, format="tuple"
    )
