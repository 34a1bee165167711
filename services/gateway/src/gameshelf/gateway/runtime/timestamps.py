"""Times as PostgreSQL keeps them, as Python can hold them.

PostgreSQL knows infinity and years beyond 9999. asyncpg makes a naive time of the one, which can't be compared with
any other, and fails on the other: one such value, stored by an earlier release or by hand, would fail every statement
that reads it, and with it the page, the export or the job of everybody else. Here the nearest time that Python has
stands for it, aware as all others are. Written back, the ends of time are infinity again, so that keys and cursors
that hold one find their row.
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
    """The time of so many microseconds since 2000, or the end of time that is nearest to it."""
    (microseconds,) = value
    if _AT_FIRST < microseconds < _AT_LAST:
        return _EPOCH + _MICROSECOND * microseconds
    return LAST if microseconds > 0 else FIRST


def encoded(moment: datetime) -> tuple[int]:
    """The microseconds since 2000 of an aware time. Raises TypeError for a naive one."""
    past = moment - _EPOCH
    microseconds = (past.days * 86_400 + past.seconds) * _SECOND + past.microseconds
    if _AT_FIRST < microseconds < _AT_LAST:
        return (microseconds,)
    return (_INFINITY if microseconds > 0 else _NEGATIVE_INFINITY,)


async def read_any_time(connection: Any) -> None:
    """Makes an asyncpg connection read and write times so, also those in arrays. One round trip."""
    await connection.set_type_codec(
        "timestamptz", schema="pg_catalog", encoder=encoded, decoder=decoded, format="tuple"
    )
