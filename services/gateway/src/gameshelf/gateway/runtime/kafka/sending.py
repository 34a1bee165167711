"""Sends outbox records of one partition in their order, and reports the outcome."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    CorruptRecordException,
    InvalidTimestampError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    RecordListTooLargeError,
    UnknownError,
)
from asyncpg import Record
from gameshelf.gateway.runtime.outbox.refused import KafkaRefusal
from gameshelf.gateway.runtime.outbox.store import RecordKey

_SEND_SECONDS = 20.0

# With these the record is at fault for certain, if it was sent alone.
_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)
# With these the record or the broker is at fault. aiokafka has no name for code 87, with which a broker refuses a
# record (one without a key on a compacted topic): it raises UnknownError, as for a failure inside the broker.
_SUSPICIOUS = (CorruptRecordException, InvalidTimestampError, PolicyViolationError, UnknownError)


@dataclass
class SendOutcome:
    """The outcome of sending some records."""

    sent: list[RecordKey] = field(default_factory=list)
    refused: list[KafkaRefusal] = field(default_factory=list)
    failure: Exception | None = None
    """Why the other records were not sent; they are sent again."""
    suspected: list[KafkaRefusal] = field(default_factory=list)
    """Those of the refused records where the broker may be at fault."""
    suspicion: KafkaError | None = None
    """The error of the first of them."""


async def send_records(
    producer: AIOKafkaProducer, topic: str, partition: int, records: Sequence[Record]
) -> SendOutcome:
    """Sends records of one partition. A broker takes a batch whole or not at all, which keeps the order inside it.

    Records that do not fit into a batch are neither sent nor refused. Suspected records count as refused if the broker
    took any other one. Raises nothing: an error is the outcome's ``failure``.
    """
    try:
        outcome = await _send_chunk(producer, topic, partition, records)
    except Exception as error:
        return SendOutcome(failure=error)
    if outcome.sent or not outcome.suspicion:
        return outcome
    certain = [one for one in outcome.refused if one not in outcome.suspected]
    return SendOutcome(refused=certain, failure=outcome.failure or outcome.suspicion)


async def _send_chunk(producer: AIOKafkaProducer, topic: str, partition: int, records: Sequence[Record]) -> SendOutcome:
    """Sends a batch; if its content is refused, its halves, down to the record that is refused and skipped."""
    try:
        return SendOutcome(sent=await _send_batch(producer, topic, partition, records))
    except (*_TOO_LARGE, *_SUSPICIOUS) as error:
        if len(records) == 1:
            one = KafkaRefusal(_key(records[0]), f"{type(error).__name__}: {error}")
            if isinstance(error, _TOO_LARGE):
                return SendOutcome(refused=[one])
            return SendOutcome(refused=[one], suspected=[one], suspicion=error)
    except KafkaError as error:
        return SendOutcome(failure=error)
    half = len(records) // 2
    first = await _send_chunk(producer, topic, partition, records[:half])
    if first.failure or len(first.sent) + len(first.refused) < half:  # unsent records come before later ones
        return first
    second = await _send_chunk(producer, topic, partition, records[half:])
    return SendOutcome(
        first.sent + second.sent,
        first.refused + second.refused,
        second.failure,
        first.suspected + second.suspected,
        first.suspicion or second.suspicion,
    )


async def _send_batch(
    producer: AIOKafkaProducer, topic: str, partition: int, records: Sequence[Record]
) -> list[RecordKey]:
    batch = producer.create_batch()
    taken = []
    for record in records:
        key = record["record_key"]
        fits = batch.append(key=key.encode() if key else None, value=record["value"], timestamp=None)
        if fits is None:
            break
        taken.append(_key(record))
    batch.close()
    delivered = await producer.send_batch(batch, topic, partition=partition)
    try:
        async with asyncio.timeout(_SEND_SECONDS):
            await delivered
    except TimeoutError:
        raise KafkaTimeoutError from None  # a TimeoutError would mean PostgreSQL
    return taken


def _key(record: Record) -> RecordKey:
    return RecordKey(record["user_id"], record["id"])
