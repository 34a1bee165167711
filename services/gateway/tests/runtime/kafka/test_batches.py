"""Batches that the client can't decode, or that would fill the memory: a dead letter, and the partition continues."""

import re
import struct
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.codec import gzip_encode, lz4_encode, snappy_encode, zstd_encode
from aiokafka.errors import CorruptRecordException, UnknownError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.record.util import calc_crc32c
from gameshelf.gateway.runtime.kafka.batches import LEAST_BYTES, MAX_RATIO, FetchedBatches
from gameshelf.gateway.runtime.kafka.records import MOST_HEADERS
from hypothesis import given
from hypothesis import strategies as st

PAYMENTS = "com.platform.payment.events.v1"
PARTITION = 3
CODECS = {1: gzip_encode, 2: snappy_encode, 3: lz4_encode, 4: zstd_encode}
CRC_AT, CHECKED_AT, CODEC_AT, LAST_AT, COUNT_AT, RECORDS_AT = slice(17, 21), 21, 22, 23, 57, 61
EVERY_RECORD = [(b"key", b"value", [("name", b"1"), ("another", None)]), (None, None, []), (b"", b"", [("", b"")])]


def batch(*records, codec=0):
    """The bytes of a batch of records: key, value and headers."""
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, -1, -1, 1 << 30)
    for offset, (key, value, headers) in enumerate(records):
        assert builder.append(offset, 1_000 + offset, key, value, headers) is not None
    return bytearray(builder.build())


def checked(sent):
    """The batch with the length and the checksum that fit."""
    sent[8:12] = (len(sent) - 12).to_bytes(4, "big")
    sent[CRC_AT] = calc_crc32c(bytes(sent[CHECKED_AT:])).to_bytes(4, "big")
    return sent


def packed(sent, codec, plain=None):
    """The batch with compressed records."""
    sent[CODEC_AT] |= codec
    sent[RECORDS_AT:] = CODECS[codec](bytes(sent[RECORDS_AT:] if plain is None else plain))
    return checked(sent)


def renamed(sent):
    """The batch with the name ``AAAA`` of a header in no encoding."""
    at = sent.index(b"AAAA")
    sent[at : at + 4] = b"\xff\xfe\xc0\x80"
    return checked(sent)


def garbled(sent, codec):
    """The batch with something in the place of its compressed records."""
    sent[CODEC_AT] = codec
    sent[RECORDS_AT:] = b"garbage" * ((len(sent) - RECORDS_AT) // 7)
    return checked(sent)


def with_int(sent, at, number):
    """The batch with another number in its header."""
    struct.pack_into(">i", sent, at, number)
    return checked(sent)


def with_control(sent):
    sent[CODEC_AT] |= 0x20
    return checked(sent)


def old(magic, codec=0):
    builder = LegacyRecordBatchBuilder(magic, codec, 1000)
    assert builder.append(0, 1_000 if magic else None, b"key", b"value")
    return bytearray(builder.build())


def read(sent):
    batches = FetchedBatches(bytes(sent))
    found = []
    while batches.has_next():
        one = batches.next_batch()
        assert one.validate_crc()
        found += [(record.offset, record.key, record.value, record.headers) for record in one]
    return found


def problems(sent):
    """The offsets of records that can't be read, and why."""
    return [(offset, value.decode()) for offset, key, value, _ in read(sent) if key is None and b":" in (value or b"")]


@pytest.mark.parametrize("codec", [0, *CODECS])
def test_records_are_read_as_they_were_sent(codec):
    sent = batch(*EVERY_RECORD, codec=codec)
    assert read(sent + sent + sent[:-1]) == [(offset, *one) for offset, one in enumerate(EVERY_RECORD)] * 2


@pytest.mark.parametrize("codec", [0, *CODECS])
def test_a_header_with_a_name_in_no_encoding_keeps_nothing_back(codec):
    records = [(b"k", b"before", []), (None, b"this", [("a", b"1"), ("AAAA", None)]), (b"k", b"behind", [("b", b"")])]
    sent = renamed(batch(*records))
    [before, this, behind] = read(packed(sent, codec) if codec else sent)
    assert (before, behind) == ((0, *records[0]), (2, *records[2]))
    assert this == (1, None, b"this", [("a", b"1"), ("\ufffd" * 4, None)])


@pytest.mark.parametrize("codec", CODECS)
def test_what_is_too_large_is_one_record_that_says_so(codec):
    small, large = (batch((b"k", b"\0" * size, []), codec=codec) for size in (LEAST_BYTES - 100, 32 * 2**20))
    assert len(read(small)[0][2]) == LEAST_BYTES - 100
    most = max(LEAST_BYTES, MAX_RATIO * (len(large) - RECORDS_AT))
    assert problems(large) == [(0, f"the rest of the batch of 0 to 0: more than {most} bytes")]


def test_a_fetch_ends_when_much_was_decompressed():
    sent = batch((b"k", b"\0" * (LEAST_BYTES // 2), []), codec=4)
    assert len(read(sent * 100)) == 2


@pytest.mark.parametrize("codec", range(1, 8))
def test_what_no_codec_has_made_is_one_record_that_says_so(codec):
    [(offset, why)] = problems(garbled(batch(*EVERY_RECORD), codec))
    assert offset == 2
    assert why.startswith("the rest of the batch of 0 to 2: ")


@pytest.mark.parametrize("codec", CODECS)
def test_cut_off_records_are_not_read_at_all(codec):
    sent = batch((b"k", b"text" * 10_000, []), codec=codec)
    [(offset, _)] = problems(checked(sent[:-9]))
    assert offset == 0


def test_a_record_that_can_not_be_read_keeps_no_other_back():
    sent = batch((b"k", b"before", []), (b"k", b"this", [("AAAA", None)]), (b"k", b"behind", []))
    sent[sent.index(b"AAAA") - 1] = 98  # the length of the name, doubled
    [before, this, behind] = read(checked(sent))
    assert (before[2], behind[2]) == (b"before", b"behind")
    assert this == (1, None, b"a field ends outside of its record", [])


def test_of_many_headers_the_first_are_read():
    [(*_, headers)] = read(batch((b"k", b"v", [(f"h{number}", None) for number in range(400_000)])))
    assert headers == [(f"h{number}", None) for number in range(MOST_HEADERS)]


def test_offsets_stay_within_the_batch():
    """An offset far beyond the partition's end would make the client begin at the beginning again."""
    sent = batch(*EVERY_RECORD)
    assert problems(with_int(sent, LAST_AT, 1)) == [(1, "the rest of the batch of 0 to 1: a record has the offset 2")]


@pytest.mark.parametrize("count", [-1, 1, 2, 4, 2**30])
def test_a_wrong_number_of_records_is_not_passed_over(count):
    [(offset, why)] = problems(with_int(batch(*EVERY_RECORD), COUNT_AT, count))
    assert offset == 2
    assert why.startswith("the rest of the batch of 0 to 2: ")


def test_a_batch_of_no_records_yields_none():
    assert read(with_int(batch(*EVERY_RECORD, codec=1), COUNT_AT, 0)) == []


def test_a_gap_at_the_end_of_a_batch_is_passed():
    batches = FetchedBatches(bytes(with_int(batch(*EVERY_RECORD), LAST_AT, 9)))
    one = batches.next_batch()
    assert [record.offset for record in one] == [0, 1, 2]
    assert one.next_offset == 10


@pytest.mark.parametrize("magic", [0, 1])
def test_records_of_the_formats_before_batches_are_read(magic):
    assert read(old(magic)) == [(0, b"key", b"value", [])]
    assert problems(old(magic, codec=1))


@pytest.mark.parametrize("size", [1, 11, 12, 16, 17, 33, 60])
def test_what_is_no_batch_is_an_error_of_its_partition(size):
    """It was an error that made the consumer connect again and again, for all partitions."""
    cut = batch(*EVERY_RECORD)[:size]
    cut[8:12] = (max(size - 12, 0)).to_bytes(4, "big")[: len(cut[8:12])]
    batches = FetchedBatches(bytes(cut))
    assert batches.has_next()
    with pytest.raises(CorruptRecordException):
        batches.next_batch()


@given(at=st.integers(0, 200), byte=st.integers(0, 255), codec=st.sampled_from([0, *CODECS]), inside=st.booleans())
def test_whatever_the_records_are_reading_ends_within_the_batch(at, byte, codec, inside):
    sent = batch(*EVERY_RECORD, codec=0 if inside else codec)
    sent[at % (len(sent) - RECORDS_AT) + RECORDS_AT] = byte
    found = read(packed(sent, codec) if inside and codec else checked(sent))
    assert len(found) <= len(EVERY_RECORD) + 1
    assert all(0 <= one[0] <= 2 for one in found)


@pytest.fixture
async def producer(platform):
    made = AIOKafkaProducer(bootstrap_servers=platform.kafka.address)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def accepts(producer):
    """Sends a batch as it stands; returns whether the broker accepts it. Apache Kafka decompresses what it gets."""

    async def send(sent):
        made = BatchBuilder(len(sent), 0)
        assert made.append(key=b"k", value=b"v", timestamp=None)
        made.close()
        made._build()
        made._buffer = sent
        try:
            await (await producer.send_batch(made, PAYMENTS, partition=PARTITION))
        except UnknownError:
            return False
        return True

    return send


BY_EVERY_BROKER = {
    "of 0 to 0: more than 4194304 bytes": lambda: batch((None, b"\0" * 300 * 2**20, []), codec=4),
    "of 0 to 1: more than 4194304 bytes": lambda: batch(*[(None, b"\0" * 16 * 2**20, [])] * 2, codec=3),
    "of 0 to 2: more than 4194304 bytes": lambda: batch(*[(None, b"\0" * 8 * 2**20, [])] * 3, codec=1),
}
BY_SOME = {
    "of 0 to 2: gzip": lambda: garbled(batch(*EVERY_RECORD), 1),
    "of 0 to 2: snappy": lambda: garbled(batch(*EVERY_RECORD), 2),
    "of 0 to 2: lz4": lambda: garbled(batch(*EVERY_RECORD), 3),
    "of 0 to 2: Unknown frame": lambda: garbled(batch(*EVERY_RECORD), 4),
    "of 0 to 2: a record ends outside": lambda: garbled(batch(*EVERY_RECORD), 0),
}


@pytest.mark.long
async def test_batches_that_can_not_be_read_stop_nobody(
    accepts, producer, player, purchase_of, owns, connection, grown
):
    """One of them was enough to end a process, and each that was started after it, or to take all memory."""
    marker = str(uuid4()).encode()
    assert await accepts(renamed(batch((None, marker, [("AAAA", b"")]))))
    sent = [text for text, make in BY_EVERY_BROKER.items() if await accepts(make())]
    assert sent == list(BY_EVERY_BROKER)
    sent += [text for text, make in BY_SOME.items() if await accepts(make())]
    game = uuid4()
    await producer.send_and_wait(PAYMENTS, purchase_of(player.id, game).encode(), partition=PARTITION)
    await owns(player, game)
    assert grown() < 64 * 2**20
    query = "SELECT detail FROM gateway.dead_letters WHERE topic = $1 AND reason = 'UNREADABLE' AND value IS NULL"
    details = "\n".join(
        re.sub(r"of (\d+) to (\d+)", lambda found: f"of 0 to {int(found[2]) - int(found[1])}", row["detail"])
        for row in await connection.fetch(query, PAYMENTS)
    )
    assert [text for text in sent if text not in details] == []
    assert await connection.fetchval("SELECT count(*) FROM gateway.dead_letters WHERE value = $1", marker) == 1


@pytest.mark.long
async def test_the_marker_of_a_transaction_is_no_record_that_waits(
    accepts, producer, player, purchase_of, owns, nothing_waits
):
    """It has an offset, which is never committed. A partition without news seemed to be stalled until the next one."""
    game = uuid4()
    await producer.send_and_wait(PAYMENTS, purchase_of(player.id, game).encode(), partition=PARTITION)
    assert await accepts(with_control(batch((b"\0\0\0\1", None, []))))
    await owns(player, game)
    await nothing_waits()
