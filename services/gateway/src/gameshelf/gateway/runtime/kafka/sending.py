"""Sends outbox records of one partition in their order, and says what became of each."""

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
from gameshelf.gateway.runtime.outbox.refused import Refusal

_SEND_SECONDS = 20.0

# These say for certain that it is the record, where one is sent alone.
_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)
# These may be about a record, or about the broker. aiokafka has no name for code 87, by which a broker refuses a record
# (one without a key on a compacted topic): it is an unknown error, as a failure inside of the broker is.
_SUSPICIOUS = (CorruptRecordException, InvalidTimestampError, PolicyViolationError, UnknownError)


@dataclass
class Outcome:
    """What became of some records."""

    sent: list[int] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    failure: Exception | None = None
    """Why the rest was not sent; it is sent again."""
    suspected: list[Refusal] = field(default_factory=list)
    """Those of the refused that may not be at fault themselves."""
    suspicion: KafkaError | None = None
    """What was said of the first one of them."""


async def send_records(producer: AIOKafkaProducer, topic: str, partition: int, records: Sequence[Record]) -> Outcome:
    """Sends records of one partition: a batch is taken whole or not at all, so order can't break inside it.

    What does not fit into a batch is neither sent nor refused. Records that only may be at fault themselves are so if
    the broker took any other. Raises nothing: whatever fails is the outcome's ``failure``.
    """
    try:
        outcome = await _send_chunk(producer, topic, partition, records)
    except Exception as error:
        return Outcome(failure=error)
    if outcome.sent or not outcome.suspicion:
        return outcome
    certain = [one for one in outcome.refused if one not in outcome.suspected]
    return Outcome(refused=certain, failure=outcome.failure or outcome.suspicion)


async def _send_chunk(producer: AIOKafkaProducer, topic: str, partition: int, records: Sequence[Record]) -> Outcome:
    """A batch that is refused for what is in it is sent in halves, down to the record that is refused: the one thing
    that is passed over.
    """
    try:
        return Outcome(sent=await _send_batch(producer, topic, partition, records))
    except (*_TOO_LARGE, *_SUSPICIOUS) as error:
        if len(records) == 1:
            one = Refusal(records[0]["id"], f"{type(error).__name__}: {error}")
            if isinstance(error, _TOO_LARGE):
                return Outcome(refused=[one])
            return Outcome(refused=[one], suspected=[one], suspicion=error)
    except KafkaError as error:
        return Outcome(failure=error)
    half = len(records) // 2
    first = await _send_chunk(producer, topic, partition, records[:half])
    if first.failure or len(first.sent) + len(first.refused) < half:  # what was not sent comes before what follows
        return first
    second = await _send_chunk(producer, topic, partition, records[half:])
    return Outcome(
        first.sent + second.sent,
        first.refused + second.refused,
        second.failure,
        first.suspected + second.suspected,
        first.suspicion or second.suspicion,
    )


async def _send_batch(producer: AIOKafkaProducer, topic: str, partition: int, records: Sequence[Record]) -> list[int]:
    batch = producer.create_batch()
    taken = []
    for record in records:
        key = record["record_key"]
        fits = batch.append(key=key.encode() if key else None, value=record["value"], timestamp=None)
        if fits is None:
            break
        taken.append(record["id"])
    batch.close()
    delivered = await producer.send_batch(batch, topic, partition=partition)
    try:
        await asyncio.wait_for(delivered, _SEND_SECONDS)
    except TimeoutError:
        raise KafkaTimeoutError from None  # told apart from PostgreSQL's
    return taken
