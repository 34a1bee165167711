"""Reads the batches of a fetch, in the place of the client's own reader, so that no batch can end or fill the process.

The client raises an error of any class for a batch that it can't decode, and one is enough to keep every partition of
the process back: the name of a header that is not UTF-8, which every broker accepts. It decompresses a batch whatever
that becomes. Here a batch is decompressed up to a size, and what can't be read of it becomes a record that says so: a
dead letter, behind which the partition continues. Only a wrong checksum is still an error (see damage.py).

The client has no setting for this. ``MemoryRecords`` is its narrowest place: bytes become batches and records there,
and offsets, markers of transactions and checksums remain the client's work.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.legacy_records import LegacyRecordBatch
from gameshelf.gateway.runtime.kafka.decompress import decompress
from gameshelf.gateway.runtime.kafka.records import Origin, Record, read_records, unreadable

LEAST_BYTES = 4 * 1024 * 1024
"""A batch may always be decompressed to this size: four times what a producer makes by default."""
MAX_RATIO = 8
"""A batch may be decompressed to so many times its size, for brokers that are configured to accept larger ones."""
MOST_OF_FETCH = LEAST_BYTES
"""After so many decompressed bytes the rest of a fetch is fetched again: a megabyte may have 5,000 such batches."""

_INT = struct.Struct(">i")
_LENGTH_AT, _MAGIC_AT, _OLD_CODEC_AT, _CODEC_AT, _COUNT_AT, _RECORDS_AT = 8, 16, 17, 22, 57, 61
_LENGTH_END = _LENGTH_AT + _INT.size
_LEAST_OLD_BYTES = 34
_CODEC = 0b111
_MARKER_BYTES = 4


def use_own_batches() -> None:
    """Makes every consumer of this process read batches by this module."""
    fetcher.MemoryRecords = FetchedBatches


class FetchedBatches:
    """The batches that a broker has sent of one partition; the last one may be cut off. The names are the client's."""

    def __init__(self, fetched: bytes | None) -> None:
        self._fetched = fetched or b""  # the protocol allows null
        self._at = 0
        self._decompressed = 0

    def size_in_bytes(self) -> int:
        return len(self._fetched)

    def has_next(self) -> bool:
        if self._at == 0:  # a broker never cuts the first one off
            return bool(self._fetched)
        return self._decompressed < MOST_OF_FETCH and self._end() is not None

    def next_batch(self) -> "FetchedBatch":
        """Returns the next batch. Raises CorruptRecordException for one that is no batch of a known format."""
        end = self._end()
        if end is None:
            raise CorruptRecordException("a batch has no end")
        sent = bytes(self._fetched[self._at : end])
        if len(sent) < (_LEAST_OLD_BYTES if sent[_MAGIC_AT : _MAGIC_AT + 1] in (b"\0", b"\1") else _RECORDS_AT):
            raise CorruptRecordException("a batch is shorter than its header")
        self._at = end
        return FetchedBatch(sent, self._count)

    def _count(self, size: int) -> None:
        self._decompressed += size

    def _end(self) -> int | None:
        """Returns where the next batch ends; None if it is cut off."""
        if self._at + _LENGTH_END > len(self._fetched):
            return None
        end: int = self._at + _LENGTH_END + _INT.unpack_from(self._fetched, self._at + _LENGTH_AT)[0]
        return end if self._at + _LENGTH_END <= end <= len(self._fetched) else None


class FetchedBatch:
    """One batch. It has the attributes of the client's own, and yields all of its records."""

    def __init__(self, sent: bytes, count: Callable[[int], None]) -> None:
        self._sent = sent
        self._count = count
        self._is_old = sent[_MAGIC_AT] < 2
        self._client = LegacyRecordBatch(sent, sent[_MAGIC_AT]) if self._is_old else DefaultRecordBatch(sent)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def __iter__(self) -> Iterator[Any]:
        """Yields the records. Never raises: what can't be read is yielded as one record, at the batch's last offset."""
        last = self._client.next_offset - 1
        first = last if self._is_old else self._client.base_offset
        try:
            for record in self._old_records() if self._is_old else self._records():
                if not first <= record.offset <= last:
                    raise ValueError(f"a record has the offset {record.offset}")
                yield record
        except Exception as error:
            # Whatever it is depends on the batch only: its checksum is right, and it would fail in the same way again.
            time = -1 if self._is_old else self._client.max_timestamp
            yield unreadable(last, time, f"the rest of the batch of {first} to {last}: {error}")

    def __next__(self) -> Record:
        """Returns the first record: the client reads the marker of a transaction's end from its key."""
        first = next(iter(self), None) or unreadable(self._client.base_offset, -1, "")
        return replace(first, key=(first.key or b"").ljust(_MARKER_BYTES, b"\xff"))

    def _old_records(self) -> Iterator[Any]:
        if self._sent[_OLD_CODEC_AT] & _CODEC:
            raise ValueError("compressed records of a format before Kafka 0.11")
        return iter(self._client)

    def _records(self) -> Iterator[Record]:
        [count] = _INT.unpack_from(self._sent, _COUNT_AT)
        if count == 0:  # all of them were compacted
            return iter(())
        origin = Origin(
            self._client.base_offset,
            self._client.first_timestamp,
            self._client.max_timestamp if self._client.timestamp_type else None,
        )
        return read_records(self._plain(), count, origin)

    def _plain(self) -> bytearray:
        """Returns the records without compression."""
        codec = self._sent[_CODEC_AT] & _CODEC
        packed = self._sent[_RECORDS_AT:]
        if not codec:
            return bytearray(packed)
        most = max(LEAST_BYTES, MAX_RATIO * len(packed))
        try:
            plain = decompress(codec, packed, most)
        except ValueError:
            self._count(most)
            raise
        self._count(len(plain))
        return bytearray(plain)
