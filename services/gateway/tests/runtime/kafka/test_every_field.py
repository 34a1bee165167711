"""Walks over every field of every consumed event: times that mean "unknown", and optional fields that are empty."""

import json
from datetime import UTC, datetime
from enum import StrEnum
from types import UnionType
from typing import Annotated, Union, get_args, get_origin
from uuid import UUID, uuid4

import pytest
from annotated_types import Ge  # pants: no-infer-dep
from gameshelf.gateway.runtime.kafka.fields import EventData
from gameshelf.gateway.runtime.kafka.incoming import parse_envelope
from gameshelf.gateway.runtime.kafka.received import StoredRecord, read_event
from gameshelf.gateway.wiring import CONSUMED
from pydantic import BaseModel
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

NO_TIMES = (
    None,
    "",
    " ",
    0,
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00",
    "0000-00-00T00:00:00Z",
    "-0001-11-30T00:00:00Z",
    "+275760-09-13T00:00:00.000Z",
    "1969-12-31T23:59:59Z",
    "2200-01-01T00:00:00Z",
    "9999-12-31T23:59:59.9999999Z",
    "9999-12-31T23:59:59.9999999",
    "10000-01-01T00:00:00Z",
    -62_135_596_800_000,
    253_402_300_799_999,
    8_640_000_000_000_000,
    -8_640_000_000_000_000,
    1e300,
    10**400,
)
EMPTY = (None, "", " ", [], {})
SAID = "2026-05-20T12:00:00Z"


def plain(annotation):
    """The types of an annotation without its validators, and the least number that it takes."""
    waiting, kinds, least = [annotation], [], None
    while waiting:
        one = waiting.pop()
        if get_origin(one) is Annotated:
            least = next((mark.ge for mark in flat(one.__metadata__) if isinstance(mark, Ge)), least)
            waiting.append(get_args(one)[0])
        elif get_origin(one) in (Union, UnionType):
            waiting += get_args(one)
        elif one is not type(None):
            kinds.append(one)
    return kinds, least


def flat(marks):
    return [one for mark in marks for one in (mark, *getattr(mark, "metadata", ()))]


def value_of(model, name, field):
    """A good value of a field."""
    [kind], least = plain(Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return document_of(kind) if issubclass(kind, EventData) else {"revision": 1}
    if get_origin(kind) is tuple:
        [element], _ = plain(get_args(kind)[0])
        return [document_of(element), document_of(element)]
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return next(iter(kind)).value
    if name == "currency":
        return "RUB"
    return {UUID: str(uuid4()), str: "text", datetime: SAID, bool: True}.get(kind, least or 1)


def document_of(model):
    """Data with every field that a model has, in camelCase."""
    return {to_camel(name): value_of(model, name, field) for name, field in model.model_fields.items()}


def document_of_type(kind):
    """Data with every field that any of the domains reads which consume the type."""
    return {name: value for one in CONSUMED.by_type[kind] for name, value in document_of(one.data).items()}


def fields_of(model, path=()):
    """Every field of a model and of those inside it: the way to it in a document, and the field.

    A document that a package describes, such as a policy of saves, is one field: the package tests what is in it.
    """
    for name, field in model.model_fields.items():
        here = (*path, to_camel(name))
        yield here, field
        for kind in plain(field.annotation)[0]:
            inside = plain(get_args(kind)[0])[0][0] if get_origin(kind) is tuple else kind
            if isinstance(inside, type) and issubclass(inside, EventData):
                yield from fields_of(inside, (*here, 0) if get_origin(kind) is tuple else here)


def is_time(field):
    return datetime in plain(field.annotation)[0]


def at(document, path):
    for step in path:
        document = document[step] if isinstance(document, dict | list | tuple) else getattr(document, snake(step))
    return document


def snake(name):
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def event_of(kind, data, **envelope):
    document = {"specversion": "1.0", "id": "e", "source": "s", "type": kind, "data": data, **envelope}
    return StoredRecord(CONSUMED.by_type[kind][0].topic, 0, 0, 0, None, json.dumps(document).encode())


def event(kind, data):
    return read_event(event_of(kind, data), CONSUMED)


def with_value(document, path, value):
    document = json.loads(json.dumps(document))
    at(document, path[:-1])[path[-1]] = value
    return document


def attribute(event, model, path):
    """Returns the value that the domain of this model has read at a place."""
    [data] = [reading.data for reading in event.readings if reading.consumed.data is model]
    for step in path:
        data = data[step] if isinstance(step, int) else getattr(data, snake(step))
    return data


WALK = [
    (kind, one.data, path, field)
    for kind, consumers in CONSUMED.by_type.items()
    for one in consumers
    for path, field in fields_of(one.data)
]
TIMES = [(kind, model, path) for kind, model, path, field in WALK if is_time(field)]
OPTIONAL = [(kind, model, path, field) for kind, model, path, field in WALK if not field.is_required()]


def named(value):
    """Returns the part of a test's name for a parameter: the same in every process."""
    if isinstance(value, FieldInfo):
        return "field"
    if isinstance(value, type):
        return value.__name__
    return ".".join(map(str, value)) if isinstance(value, tuple) else value.removeprefix("com.platform.")


def test_the_walks_find_fields_inside_of_others():
    paths = {".".join(map(str, path)) for _, _, path, _ in OPTIONAL}
    assert {"purchaseTimestamp", "items.0.quantity", "newTitle.en", "achievements.0.name.en"} <= paths
    assert set(CONSUMED.by_type) - {kind for kind, _, _ in TIMES} == {"com.platform.social.review.submitted.v1"}


@pytest.mark.parametrize("kind", CONSUMED.by_type)
def test_an_event_with_every_field_is_read(kind):
    found = event(kind, document_of_type(kind))
    assert not found.bad_elements
    for where, model, path, _ in OPTIONAL:
        if where == kind:
            assert attribute(found, model, path) is not None, path


@pytest.mark.parametrize(("kind", "model", "path"), TIMES, ids=named)
def test_a_placeholder_for_no_time_is_read_as_none(kind, model, path):
    for nothing in NO_TIMES:
        found = event(kind, with_value(document_of_type(kind), path, nothing))
        assert not found.bad_elements, nothing
        assert attribute(found, model, path) is None, nothing


@pytest.mark.parametrize(("kind", "model", "path"), TIMES, ids=named)
def test_any_other_time_is_aware_and_in_utc(kind, model, path):
    for said, expected in (
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
        ("2199-12-31T23:59:59Z", datetime(2199, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2200-01-01T02:00:00+03:00", datetime(2199, 12, 31, 23, tzinfo=UTC)),
        ("2026-05-20T12:00:00", datetime(2026, 5, 20, 12, tzinfo=UTC)),
        (1_779_278_400, datetime(2026, 5, 20, 12, tzinfo=UTC)),
    ):
        found = attribute(event(kind, with_value(document_of_type(kind), path, said)), model, path)
        assert (found, found.utcoffset()) == (expected, expected.utcoffset())


def envelope(**more):
    return json.dumps({"specversion": "1.0", "id": "e", "source": "s", "type": "t", **more}).encode()


def test_a_time_or_trace_of_an_envelope_that_stands_for_none_was_not_said():
    for nothing in (*NO_TIMES, *EMPTY):
        assert parse_envelope(envelope(time=nothing)).time is None, nothing
    for nothing in EMPTY:
        assert parse_envelope(envelope(traceparent=nothing)).traceparent is None, nothing


def empty_values(field):
    kinds, least = plain(field.annotation)
    return (*EMPTY, 0) if (least and least > 0) or str in kinds else EMPTY


@pytest.mark.parametrize(("kind", "model", "path", "field"), OPTIONAL, ids=named)
def test_an_empty_optional_field_is_ignored(kind, model, path, field):
    whole = document_of_type(kind)
    absent = json.loads(json.dumps(whole))
    del at(absent, path[:-1])[path[-1]]
    expected = event(kind, absent).readings
    for nothing in empty_values(field):
        assert event(kind, with_value(whole, path, nothing)).readings == expected, nothing
