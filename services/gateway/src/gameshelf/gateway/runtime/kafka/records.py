"""Reads the records of a decompressed batch of Kafka. A record that can't be read is yielded all the same, as such."""

from collections.abc import Iterator
from dataclasses import dataclass

from aiokafka.record.util import decode_varint

MOST_HEADERS = 100
"""How many headers of a record are read: a megabyte has room for half a million, which take fifty times the memory."""

_LAST_INT64 = 2**63


class Unreadable(bytes):
    """Stands in the place of the value of a record that can't be read: why it can't."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record as the client expects it of a batch."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    checksum: None = None


def unreadable(offset: int, timestamp: int, why: str) -> Record:
    """Makes a record that stands in the place of what can't be read."""
    return Record(offset, timestamp, 0, None, Unreadable(why.encode(errors="replace")), [])


@dataclass(frozen=True, slots=True)
class Origin:
    """What the records of a batch are relative to."""

    offset: int
    timestamp: int
    append_time: int | None
    """The time of all records, if it is the broker's."""


def read_records(plain: bytearray, count: int, origin: Origin) -> Iterator[Record]:
    """Yields the records of a batch of today's format. Raises IndexError or ValueError for one whose end is unknown, or
    for bytes behind the last one.
    """
    at = 0
    for _ in range(count):
        length, start = decode_varint(plain, at)
        at = start + length
        if length <= 0 or at > len(plain):
            raise ValueError("a record ends outside of its batch")
        time, after = decode_varint(plain, start + 1)  # behind the attributes, which no version uses
        offset, after = decode_varint(plain, after)
        timestamp = origin.timestamp + time if origin.append_time is None else origin.append_time
        if not -_LAST_INT64 <= timestamp < _LAST_INT64:
            timestamp = -1
        try:
            key, after = _field(plain, after, at)
            value, after = _field(plain, after, at)
            headers = _headers(plain, after, at)
        except (IndexError, ValueError) as error:
            yield unreadable(origin.offset + offset, timestamp, str(error))
        else:
            kind = int(origin.append_time is not None)
            yield Record(origin.offset + offset, timestamp, kind, key, value, headers)
    if at != len(plain):
        raise ValueError("the batch has more than its records")


def _headers(plain: bytearray, at: int, end: int) -> list[tuple[str, bytes | None]]:
    """Reads the first headers. Their names may be no UTF-8: no broker checks that."""
    count, at = decode_varint(plain, at)
    if count < 0:
        raise ValueError(f"a record has {count} headers")
    headers = []
    for _ in range(min(count, MOST_HEADERS)):
        name, at = _field(plain, at, end)
        value, at = _field(plain, at, end)
        headers.append(((name or b"").decode(errors="replace"), value))
    return headers


def _field(plain: bytearray, at: int, end: int) -> tuple[bytes | None, int]:
    size, at = decode_varint(plain, at)
    if size < 0:
        return None, at
    if at + size > end:
        raise ValueError("a field ends outside of its record")
    return bytes(plain[at : at + size]), at + size
