"""Parses CloudEvents: the envelope, and the data by a domain's model, in camelCase or snake_case.

An invalid record raises Malformed: it can never be applied.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, TypeVar

from gameshelf.gateway.runtime.kafka.fields import EventData
from gameshelf.gateway.runtime.problems import entries_of
from gameshelf.kernel.clock import EventTime
from gameshelf.kernel.text import is_storable
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)
from pydantic.alias_generators import to_camel

MAX_ID = 500
"""Maximum length of an event's id, in code points."""

_MAX_MESSAGE = 1000
_MAX_DETAILS = 5
"""How many details of one kind a message has."""

D = TypeVar("D", bound=EventData)


class Malformed(Exception):
    """A record that can never be applied. ``reason`` is a stable word; the message joins ``details``, each of which
    describes one mistake.
    """

    def __init__(self, reason: str, *details: str) -> None:
        super().__init__("; ".join(details)[:_MAX_MESSAGE])
        self.reason = reason
        self.details = details


MALFORMED_DATA = "MALFORMED_DATA"
"""The reason of a dead letter whose data does not fit its type."""
UNREADABLE = "UNREADABLE"
"""The reason of a dead letter without an original: the record can't be read as one of Kafka."""
WRONG_TOPIC = "WRONG_TOPIC"
"""The reason of a dead letter whose type belongs on another topic. Commands for many letters never replay it."""


def _traceparent(value: object) -> object:
    # An invalid one is ignored: the event gets a trace of its own.
    return value if isinstance(value, str) and len(value) <= 256 and value.strip() else None


def _part_of(value: object) -> object:
    # An attribute of this service. Another producer may use the name for something else, which is ignored.
    return value if isinstance(value, str) and 0 < len(value) <= MAX_ID and is_storable(value) else None


def _storable(text: str) -> str:
    # Not normalised, since it identifies the event.
    if not is_storable(text):
        raise ValueError("NUL and lone surrogates are not allowed")
    return text


class Incoming(BaseModel):
    """The envelope of a CloudEvent 1.0 in structured JSON."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    specversion: Annotated[str, Field(pattern=r"^1\.", max_length=20)]
    id: Annotated[str, Field(min_length=1, max_length=MAX_ID), AfterValidator(_storable)]
    source: Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_storable)]
    type: Annotated[str, Field(min_length=1, max_length=255)]
    time: EventTime = None
    traceparent: Annotated[Annotated[str, Field(max_length=256)] | None, BeforeValidator(_traceparent)] = None
    partof: Annotated[Annotated[str, Field(max_length=MAX_ID)] | None, BeforeValidator(_part_of)] = None
    """The id of the event that this is a part of, if it repeats elements that were applied: facts have that id."""
    data: Any = None
    """Checked by the models of its type; most types are not consumed."""


def parse_envelope(value: bytes | None) -> Incoming:
    """Parses the CloudEvent in a record. Raises Malformed."""
    if value is None:
        raise Malformed("EMPTY", "the record has no value")
    try:
        return Incoming.model_validate_json(value)
    except ValidationError as error:
        invalid = any(entry["type"] == "json_invalid" for entry in entries_of(error, 1))
        raise Malformed("MALFORMED_JSON" if invalid else "MALFORMED_EVENT", *_details(error)) from None


@dataclass(frozen=True, slots=True)
class BadElement:
    """An invalid element of a list in an event's data, or an invalid object that is optional."""

    field: str
    """The name of the list, or of the object, in the event."""
    index: int | None
    """None: an object."""
    detail: str


def parse_data(model: type[D], data: Any, *, part_of: str | None = None) -> tuple[D, Sequence[BadElement]]:
    """Parses the event's data as ``model``, without invalid elements of its lists and without invalid objects that are
    optional; returns it and what was left out.

    ``part_of`` is the name of the list or of the object, if the event is a part of another one: of a list of one
    element, or of the object, nothing is left out then.
    Raises Malformed, also where no element of a list is valid that must not be empty.
    """
    if not isinstance(data, dict):
        raise Malformed("MALFORMED_EVENT", "data: an object is expected")
    for name, longest in _longest_lists(model).items():
        # Twice as many, since invalid elements are left out before the others are counted.
        if isinstance(data.get(name), list) and len(data[name]) > 2 * longest:
            raise Malformed(MALFORMED_DATA, f"{name}: at most {longest} elements are expected")
    try:
        return model.model_validate(data), ()
    except ValidationError as error:
        bad = _bad_elements(model, data, part_of)
        if not bad:
            raise Malformed(MALFORMED_DATA, *_details(error)) from None
    rest = dict(data)
    for field in {one.field for one in bad}:
        wrong = {one.index for one in bad if one.field == field}
        if None in wrong:
            del rest[field]
            continue
        rest[field] = [element for index, element in enumerate(data[field]) if index not in wrong]
    try:
        return model.model_validate(rest), bad
    except ValidationError as error:
        raise Malformed(MALFORMED_DATA, *_details(error), *details_of(bad)) from None


@cache
def _longest_lists(model: type[EventData]) -> dict[str, int]:
    """Returns the longest length of each list of a model, by both of its names."""
    found: dict[str, int] = {}
    for name, schema in model.model_json_schema(by_alias=False)["properties"].items():
        lengths = [kind["maxItems"] for kind in (schema, *schema.get("anyOf", ())) if "maxItems" in kind]
        found |= {one: lengths[0] for one in (name, to_camel(name)) if lengths}
    return found


def _bad_elements(model: type[EventData], data: Mapping[str, Any], part_of: str | None) -> list[BadElement]:
    """Returns the invalid elements of all lists, and the invalid objects, each with its first error.

    Each element is validated by itself: pydantic describes either all errors of a whole list, or none.
    """
    found = []
    for name, element in model.element_lists.items():
        for field in dict.fromkeys((name, to_camel(name))):
            elements = data.get(field)
            if not isinstance(elements, list) or (field == part_of and len(elements) == 1):
                continue
            for index, value in enumerate(elements):
                if detail := _error_of(element, value, field, index):
                    found.append(BadElement(field, index, detail))
    found += (
        BadElement(field, None, detail)
        for name, kind in model.optional_objects.items()
        for field in dict.fromkeys((name, to_camel(name)))
        if field != part_of and data.get(field) and (detail := _error_of(kind, data[field], field))
    )
    return found


def _error_of(model: type[BaseModel], value: Any, *place: str | int) -> str | None:
    """Returns the first error of a value, which stands at ``place``."""
    try:
        model.model_validate(value)
    except ValidationError as error:
        entry = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return f"{'.'.join(map(str, (*place, *entry['loc'])))}: {_message(entry)}"
    return None


def details_of(bad: Sequence[BadElement]) -> Iterator[str]:
    """Describes the errors of the first few of these elements."""
    return (one.detail for one in bad[:_MAX_DETAILS])


def _details(error: ValidationError) -> Iterator[str]:
    # Without the input itself, which the dead letter has anyway.
    for entry in entries_of(error, _MAX_DETAILS):
        yield f"{'.'.join(map(str, entry['loc'])) or 'value'}: {_message(entry)}"


def _message(entry: Mapping[str, Any]) -> str:
    """Returns pydantic's message, without the types of Python that no producer has: JSON has lists and objects."""
    message: str = _OF_TYPE.get(entry["type"], entry["msg"])
    return "List" + message.removeprefix("Tuple") if message.startswith("Tuple ") else message


_OBJECT, _LIST = "Input should be a valid object", "Input should be a valid list"
_OF_TYPE = {"tuple_type": _LIST, "dict_type": _OBJECT, "model_type": _OBJECT, "model_attributes_type": _OBJECT}
