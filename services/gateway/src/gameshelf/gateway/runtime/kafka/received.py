"""Reads events from records: returns None for types that no domain consumes, and raises Malformed."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from gameshelf.gateway.runtime.kafka.consumed import ConsumedEvent, ConsumedEvents, EventSubject
from gameshelf.gateway.runtime.kafka.incoming import (
    MAX_ID,
    UNREADABLE,
    WRONG_TOPIC,
    BadElement,
    Incoming,
    Malformed,
    details_of,
    parse_data,
    parse_envelope,
)
from gameshelf.kernel.clock import EARLIEST, LATEST
from pydantic.alias_generators import to_camel
from pydantic_core import from_json

_NO_TIME = (LATEST - EARLIEST) // timedelta(milliseconds=1)
"""From this time on, in milliseconds since 1970, the time of a record counts as absent."""
_PART = re.compile(r"#(\w+)(?:\[\d+\])?$")
_LONGEST_REST = 16 * 1024
"""Size in bytes up to which parts repeat the rest of an event; of a larger rest they have only the fields read."""


class KafkaRecord(Protocol):
    """A record of Kafka, or a deferred one."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int:
        """The time when it was sent, in milliseconds since 1970; negative if unknown."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record that does not come from Kafka directly: a deferred one, or a rewritten one."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class UnreadableRecord:
    """A record that came from Kafka, but can't be read as one."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    why: str
    key: None = None
    value: None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """The data of an event as one domain reads it."""

    consumed: ConsumedEvent
    data: Any
    """An instance of ``consumed.data``."""
    bad_elements: Sequence[BadElement] = ()
    """Elements that are left out of ``data``: each of them becomes a dead letter of its own."""


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """A record whose envelope and data are good, in the reading of each domain that consumes its type."""

    record: KafkaRecord
    envelope: Incoming
    readings: Sequence[Reading]

    @property
    def subject(self) -> EventSubject:
        return self.readings[0].consumed.subject

    @property
    def subject_id(self) -> UUID:
        """The user or product that the event is about."""
        data = self.readings[0].data
        subject_id: UUID = data.product_id if self.is_of_product else data.user_id
        return subject_id

    @property
    def identity(self) -> tuple[UUID, str, str]:
        """The subject, the source and the id: an event with the same ones is applied once."""
        return self.subject_id, self.envelope.source, self.envelope.id

    @property
    def bad_elements(self) -> Sequence[BadElement]:
        """The elements that any of the readings leaves out."""
        return [element for reading in self.readings for element in reading.bad_elements]

    @property
    def time(self) -> datetime | None:
        """The time in the envelope, else that of the record; None where neither has one."""
        if self.envelope.time is not None:
            return self.envelope.time
        milliseconds = self.record.timestamp
        return EARLIEST + timedelta(milliseconds=milliseconds) if 0 < milliseconds < _NO_TIME else None

    def without_rest(self) -> "ReceivedEvent":
        """Returns the event without what no domain reads: as objects, a megabyte of JSON may take forty."""
        return replace(self, envelope=self.envelope.model_copy(update={"data": None}))

    @property
    def is_of_product(self) -> bool:
        return self.subject is EventSubject.PRODUCT


def read_event(record: KafkaRecord, consumed: ConsumedEvents) -> ReceivedEvent | None:
    """Reads the event in a record; returns None for a type that no domain consumes. Raises Malformed.

    A type on the topic of another service is refused: a service that may write to one topic must not be able to publish
    facts of the owner of another topic.
    """
    if isinstance(record, UnreadableRecord):
        raise Malformed(UNREADABLE, record.why)
    envelope = parse_envelope(record.value)
    consumers = consumed.by_type.get(envelope.type)
    if consumers is None:
        return None
    topic = consumed.topic_of[envelope.type]
    if topic != record.topic:
        raise Malformed(WRONG_TOPIC, f"type: {envelope.type} counts only on {topic}")
    return ReceivedEvent(record, envelope, _readings(consumers, envelope))


def _readings(consumers: Sequence[ConsumedEvent], envelope: Incoming) -> Sequence[Reading]:
    """Parses the data for each of the domains. If one of them fails, raises Malformed with the details of all."""
    part = _PART.search(envelope.id)
    readings: list[Reading] = []
    reasons: list[str] = []
    details: list[str] = []
    for consumer in consumers:
        try:
            readings.append(Reading(consumer, *parse_data(consumer.data, envelope.data, part_of=part and part[1])))
        except Malformed as refusal:
            # The exception itself is not kept: its traceback holds this frame, and the record with it, in a cycle.
            reasons.append(refusal.reason)
            details += refusal.details
    if reasons:
        details += [detail for reading in readings for detail in details_of(reading.bad_elements)]
        raise Malformed(reasons[0], *dict.fromkeys(details))
    return readings


@dataclass(frozen=True, slots=True)
class EventPart:
    """Elements of an event's list, or an object, as an event of its own, which can be applied once it is corrected."""

    name: str
    """Its name within the event, such as ``#items[3]`` or ``#savegamePolicy``."""
    value: bytes
    detail: str
    """The error."""


def event_of(event: ReceivedEvent, element: BadElement) -> tuple[str, bytes]:
    """Makes an event of one element of an event's list, or of an object; returns its name, and the whole event with
    only this element in the list (contract in detail, section 6).
    """
    [part] = _parts(event, [_alone(element)])
    return part.name, part.value


def parts_of(event: ReceivedEvent) -> Iterator[EventPart]:
    """Yields a part for each invalid element of the event's lists, and for each invalid object.

    Equal products of an order add up, and of two events of an order the larger quantity counts. So the part of an
    invalid element also has the other elements of its product: alone it would state less than was applied already.
    """
    together = (pair for reading in event.readings for pair in _together(reading, event.envelope.data))
    return _parts(event, together)


def _together(reading: Reading, elements: Mapping[str, Any]) -> Iterator[tuple[BadElement, Sequence[int]]]:
    """Yields invalid elements with the indexes of the elements to apply them with; of equal products only the first."""
    key = reading.consumed.data.adds_up_by
    if key is None:
        yield from map(_alone, reading.bad_elements)
        return
    places: dict[tuple[str, UUID], list[int]] = {}
    for field in {one.field for one in reading.bad_elements if one.index is not None}:
        for index, element in enumerate(elements[field]):
            if (subject := _subject(element, key)) is not None:
                places.setdefault((field, subject), []).append(index)
    done = set()
    for bad in reading.bad_elements:
        subject = None if bad.index is None else _subject(elements[bad.field][bad.index], key)
        if subject is None:
            yield _alone(bad)
        elif (bad.field, subject) not in done:
            done.add((bad.field, subject))
            yield bad, places[bad.field, subject]


def _alone(bad: BadElement) -> tuple[BadElement, Sequence[int]]:
    return bad, [] if bad.index is None else [bad.index]


def _subject(element: Any, key: str) -> UUID | None:
    """Returns the subject of an element, if it can be read."""
    if not isinstance(element, dict):
        return None
    try:
        return UUID(element.get(to_camel(key), element.get(key)))
    except (ValueError, TypeError, AttributeError):
        return None


def _parts(event: ReceivedEvent, elements: Iterable[tuple[BadElement, Sequence[int]]]) -> Iterator[EventPart]:
    document = from_json(event.record.value or b"")
    rests: dict[str, Mapping[str, Any]] = {}
    for bad, places in elements:
        if bad.field not in rests:
            rests[bad.field] = _rest(event, document, bad.field)
        rest, whole = rests[bad.field], document["data"][bad.field]
        name = f"#{bad.field}" if bad.index is None else f"#{bad.field}[{bad.index}]"
        part = {**rest, "id": document["id"][: MAX_ID - len(name)] + name}
        part["data"] = {**rest["data"], bad.field: [whole[place] for place in places] if places else whole}
        if len(places) > 1:
            part["partof"] = event.envelope.partof or event.envelope.id
        yield EventPart(name, json.dumps(part, ensure_ascii=False).encode(), bad.detail)


def _rest(event: ReceivedEvent, document: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    """Returns an event without one of its lists or objects, and without everything else that is invalid and has a part
    of its own: what every part repeats. Of a long event it has only the read fields.
    """
    others = {one.field for one in event.bad_elements} - {field}
    whole = {**document, "data": {name: one for name, one in document["data"].items() if name not in others}}
    whole["data"][field] = []
    if len(json.dumps(whole, ensure_ascii=False)) <= _LONGEST_REST:
        return whole
    fields = {name for reading in event.readings for name in reading.consumed.data.model_fields}
    read_names = fields | {to_camel(name) for name in fields}
    data = {name: value for name, value in whole["data"].items() if name in read_names}
    return {**{name: value for name, value in document.items() if name in Incoming.model_fields}, "data": data}
