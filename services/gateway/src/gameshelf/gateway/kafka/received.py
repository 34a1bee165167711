"""A record as it is read: an event of ours, nothing for us, or Malformed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from gameshelf.gateway.kafka.consumed import CONSUMED, ConsumedEvent
from gameshelf.gateway.kafka.event_types import CATALOG
from gameshelf.gateway.kafka.incoming import (
    MAX_ID,
    WRONG_TOPIC,
    BadElement,
    Incoming,
    Malformed,
    parse_data,
    parse_envelope,
)
from gameshelf.kernel.clock import EARLIEST, LATEST
from pydantic_core import from_json

_NO_TIME = (LATEST - EARLIEST) // timedelta(milliseconds=1)
"""The end of the times that count, in milliseconds since 1970."""


class Record(Protocol):
    """What a record of Kafka has; a record that was set aside has the same."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int:
        """When it was sent, in milliseconds since 1970; negative if that was not said."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record that did not just come from Kafka: one that was set aside, or a part of one."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Event:
    """A record whose envelope and data are good."""

    record: Record
    envelope: Incoming
    data: Any
    consumed: ConsumedEvent
    bad_elements: Sequence[BadElement] = ()
    """What is left out of ``data``: each of them is a dead letter of its own."""

    @property
    def subject_id(self) -> UUID:
        """The user that the event is about; the product for facts of the Catalog."""
        subject: UUID = self.data.product_id if self.is_of_product else self.data.user_id
        return subject

    @property
    def said_at(self) -> datetime | None:
        """The time that the event says it is of, else that of its record; None where neither says one."""
        if self.envelope.time is not None:
            return self.envelope.time
        milliseconds = self.record.timestamp
        return EARLIEST + timedelta(milliseconds=milliseconds) if 0 < milliseconds < _NO_TIME else None

    @property
    def is_of_product(self) -> bool:
        return self.consumed.topic == CATALOG


def read(record: Record) -> Event | None:
    """The event in a record; None for a type that means nothing here. Raises Malformed.

    A type of ours on the topic of another service is refused: who may write to one topic may not say what only the
    owner of another topic knows.
    """
    envelope = parse_envelope(record.value)
    consumed = CONSUMED.get(envelope.type)
    if consumed is None:
        return None
    if consumed.topic != record.topic:
        raise Malformed(WRONG_TOPIC, f"type: {envelope.type} counts only on {consumed.topic}")
    data, bad_elements = parse_data(consumed.data, envelope.data)
    return Event(record, envelope, data, consumed, bad_elements)


def event_of(event: Event, element: BadElement) -> tuple[str, bytes]:
    """One element of an event's list as an event of its own, which can be applied once it is right: the name of the
    element, and the whole event with nothing else in that list (contract in detail, section 6).
    """
    name = f"#{element.field}[{element.index}]"
    document = from_json(event.record.value or b"")
    document["id"] = document["id"][: MAX_ID - len(name)] + name
    document["data"][element.field] = [document["data"][element.field][element.index]]
    return name, json.dumps(document, ensure_ascii=False).encode()
