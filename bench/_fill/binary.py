"""The binary format of COPY. A field is its length and its bytes, so what many rows have in common is encoded once."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
NULL = b"\xff\xff\xff\xff"
TRUE, FALSE = b"\0\0\0\1\1", b"\0\0\0\1\0"
SECOND = 1_000_000
"""Times are whole numbers of microseconds since 2000, as PostgreSQL stores them."""
DAY = 86_400 * SECOND

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_UUID, _TIMESTAMP = 2950, 1184
_SMALLINT, _INTEGER = struct.Struct(">ih").pack, struct.Struct(">ii").pack
_BIGINT, _DOUBLE = struct.Struct(">iq").pack, struct.Struct(">id").pack
_ARRAY, _EMPTY_ARRAY = struct.Struct(">iiiiii").pack, struct.Struct(">iiii").pack


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A table that is filled, and the columns for which its rows have fields."""

    table: str
    """With its schema."""
    columns: str
    """Separated by spaces."""
    head: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "head", len(self.columns.split()).to_bytes(2, "big"))

    def row(self, *fields: bytes) -> bytes:
        return self.head + b"".join(fields)


def smallint(value: int) -> bytes:
    return _SMALLINT(2, value)


def integer(value: int) -> bytes:
    """An ``integer``, or a ``date`` as days since 2000."""
    return _INTEGER(4, value)


def bigint(value: int) -> bytes:
    """A ``bigint``, or a time."""
    return _BIGINT(8, value)


def time(value: int | None) -> bytes:
    return NULL if value is None else _BIGINT(8, value)


def double(value: float) -> bytes:
    return _DOUBLE(8, value)


def uuid(value: bytes) -> bytes:
    return b"\0\0\0\x10" + value


def octets(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


def text(value: str) -> bytes:
    return octets(value.encode())


def jsonb(value: str) -> bytes:
    return octets(b"\1" + value.encode())


def uuids(values: Sequence[bytes]) -> bytes:
    """An array of ids."""
    return _array(_UUID, [uuid(value) for value in values])


def times(values: Sequence[int]) -> bytes:
    """An array of times."""
    return _array(_TIMESTAMP, [bigint(value) for value in values])


def _array(kind: int, fields: Sequence[bytes]) -> bytes:
    if not fields:
        return _EMPTY_ARRAY(12, 0, 0, kind)
    body = b"".join(fields)
    return _ARRAY(20 + len(body), 1, 0, kind, len(fields), 1) + body


def microseconds(at: datetime) -> int:
    """The time as PostgreSQL stores it, in whole seconds."""
    return int((at - _EPOCH).total_seconds()) * SECOND


def moment(at: int) -> datetime:
    """The time that PostgreSQL stores so."""
    return _EPOCH + timedelta(microseconds=at)
