"""A record as it is read: an event of ours, nothing for us, or Malformed."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from gameshelf.gateway.runtime.kafka.consumed import CONSUMED, ConsumedEvent
from gameshelf.gateway.runtime.kafka.event_types import CATALOG
from gameshelf.gateway.runtime.kafka.incoming import (
    MAX_ID,
    WRONG_TOPIC,
    BadElement,
    Incoming,
    Malformed,
    parse_data,
    parse_envelope,
)
from gameshelf.kernel.clock import EARLIEST, LATEST
from pydantic.alias_generators import to_camel
from pydantic_core import from_json

_NO_TIME = (LATEST - EARLIEST) // timedelta(milliseconds=1)
"""The end of the times that count, in milliseconds since 1970."""
_PART = re.compile(r"#\w+\[\d+\]$")
_LONGEST_REST = 16 * 1024
"""Up to how many bytes of an event stand in each of its parts; of more those that are read."""


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
    data, bad_elements = parse_data(consumed.data, envelope.data, is_part=bool(_PART.search(envelope.id)))
    return Event(record, envelope, data, consumed, bad_elements)


@dataclass(frozen=True, slots=True)
class Part:
    """Elements of an event's list as an event of its own, which can be applied once they are right."""

    name: str
    """What tells it from other parts, such as ``#items[3]``."""
    value: bytes
    detail: str
    """What is wrong with it."""


def event_of(event: Event, element: BadElement) -> tuple[str, bytes]:
    """One element of an event's list as an event of its own: its name, and the whole event with nothing else in that
    list (contract in detail, section 6).
    """
    [part] = _parts(event, [(element, [element.index])])
    return part.name, part.value


def parts_of(event: Event) -> Iterator[Part]:
    """What is wrong in the event's lists: a part for each bad element.

    Equal products of an order add up, and of two events of an order the larger quantity counts. So the part of a bad
    element has the other elements of its product, too: applied alone it would count for less than what was applied of
    the event already.
    """
    return _parts(event, _together(event))


def _together(event: Event) -> Iterator[tuple[BadElement, Sequence[int]]]:
    """Bad elements, each with the places of those that it has to be applied with; of several such the first."""
    key = event.consumed.data.adds_up_by  # type: ignore[attr-defined]
    places: dict[tuple[str, UUID], list[int]] = {}
    elements = event.envelope.data
    for field in {one.field for one in event.bad_elements} if key else ():
        for index, element in enumerate(elements[field]):
            if (subject := _subject(element, key)) is not None:
                places.setdefault((field, subject), []).append(index)
    done = set()
    for bad in event.bad_elements:
        subject = _subject(elements[bad.field][bad.index], key) if key else None
        if subject is None:
            yield bad, [bad.index]
        elif (bad.field, subject) not in done:
            done.add((bad.field, subject))
            yield bad, places[bad.field, subject]


def _subject(element: Any, key: str) -> UUID | None:
    """What an element is about, where that can be read."""
    if not isinstance(element, dict):
        return None
    try:
        return UUID(element.get(to_camel(key), element.get(key)))
    except (ValueError, TypeError, AttributeError):
        return None


def _parts(event: Event, elements: Iterable[tuple[BadElement, Sequence[int]]]) -> Iterator[Part]:
    document = from_json(event.record.value or b"")
    rests: dict[str, Mapping[str, Any]] = {}
    for bad, places in elements:
        if bad.field not in rests:
            rests[bad.field] = _rest(event, document, bad.field)
        rest, name = rests[bad.field], f"#{bad.field}[{bad.index}]"
        part = {**rest, "id": document["id"][: MAX_ID - len(name)] + name}
        part["data"] = {**rest["data"], bad.field: [document["data"][bad.field][place] for place in places]}
        if len(places) > 1:
            part["partof"] = event.envelope.partof or event.envelope.id
        yield Part(name, json.dumps(part, ensure_ascii=False).encode(), bad.detail)


def _rest(event: Event, document: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    """An event without one of its lists. It stands in every part, so a long one has nothing that is not read."""
    whole = {**document, "data": {**document["data"], field: []}}
    if len(json.dumps(whole, ensure_ascii=False)) <= _LONGEST_REST:
        return whole
    read_names = {one for name in event.consumed.data.model_fields for one in (name, to_camel(name))}
    data = {name: value for name, value in whole["data"].items() if name in read_names}
    return {**{name: value for name, value in document.items() if name in Incoming.model_fields}, "data": data}
