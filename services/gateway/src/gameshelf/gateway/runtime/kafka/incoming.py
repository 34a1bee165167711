"""Parsing of CloudEvents: the envelope, and the data by a domain's model, in camelCase or snake_case.

What does not fit raises Malformed: such a record can never be applied.
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
"""Of an event, in code points."""

_MAX_MESSAGE = 1000
_MAX_DETAILS = 5
"""How many details of one kind a message has."""

D = TypeVar("D", bound=EventData)


class Malformed(Exception):
    """A record that can never be applied. ``reason`` is a stable word; the message joins ``details``, each of which
    says one thing that is wrong.
    """

    def __init__(self, reason: str, *details: str) -> None:
        super().__init__("; ".join(details)[:_MAX_MESSAGE])
        self.reason = reason
        self.details = details


MALFORMED_DATA = "MALFORMED_DATA"
"""The reason of a dead letter whose data is not what its type has."""
WRONG_TOPIC = "WRONG_TOPIC"
"""The reason of a dead letter whose type belongs on another topic; commands for many letters never send it again."""


def _traceparent(value: object) -> object:
    # What is none begins a trace of its own; nothing of the event depends on it.
    return value if isinstance(value, str) and len(value) <= 256 and value.strip() else None


def _part_of(value: object) -> object:
    # An attribute of ours: of another producer's that means something else nothing depends.
    return value if isinstance(value, str) and 0 < len(value) <= MAX_ID and is_storable(value) else None


def _storable(text: str) -> str:
    # As it is, not normalised: events are told apart by these.
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
    """Of which event this is a part that says again what was applied of it: facts are known by that one's id."""
    data: Any = None
    """Anything: what it has to be is its type's affair, and most types mean nothing here."""


def parse_envelope(value: bytes | None) -> Incoming:
    """The CloudEvent in a record. Raises Malformed."""
    if value is None:
        raise Malformed("EMPTY", "the record has no value")
    try:
        return Incoming.model_validate_json(value)
    except ValidationError as error:
        invalid = any(entry["type"] == "json_invalid" for entry in entries_of(error, 1))
        raise Malformed("MALFORMED_JSON" if invalid else "MALFORMED_EVENT", *_details(error)) from None


@dataclass(frozen=True, slots=True)
class BadElement:
    """An element of a list in an event's data that can never be applied, and what is wrong with it."""

    field: str
    """The list, as the event calls it."""
    index: int
    detail: str


def parse_data(model: type[D], data: Any, *, is_part: bool = False) -> tuple[D, Sequence[BadElement]]:
    """The event's data as ``model``, without the elements of its lists that are wrong; those are the second value.

    ``is_part`` says that the event is one element of another event: then there is nothing to leave out. Raises
    Malformed, also where nothing of a list that must have something is left.
    """
    if not isinstance(data, dict):
        raise Malformed("MALFORMED_EVENT", "data: an object is expected")
    for name, longest in _longest_lists(model).items():
        # Twice as many, since wrong elements are left out before the others count. pydantic would look at each of them.
        if isinstance(data.get(name), list) and len(data[name]) > 2 * longest:
            raise Malformed(MALFORMED_DATA, f"{name}: at most {longest} elements are expected")
    try:
        return model.model_validate(data), ()
    except ValidationError as error:
        bad = _bad_elements(model, data, is_part)
        if not bad:
            raise Malformed(MALFORMED_DATA, *_details(error)) from None
    rest = dict(data)
    for field in {one.field for one in bad}:
        wrong = {one.index for one in bad if one.field == field}
        rest[field] = [element for index, element in enumerate(data[field]) if index not in wrong]
    try:
        return model.model_validate(rest), bad
    except ValidationError as error:
        raise Malformed(MALFORMED_DATA, *_details(error), *details_of(bad)) from None


@cache
def _longest_lists(model: type[EventData]) -> dict[str, int]:
    """How many elements each list of a model may have, by both of its names."""
    found: dict[str, int] = {}
    for name, schema in model.model_json_schema(by_alias=False)["properties"].items():
        lengths = [kind["maxItems"] for kind in (schema, *schema.get("anyOf", ())) if "maxItems" in kind]
        found |= {one: lengths[0] for one in (name, to_camel(name)) if lengths}
    return found


def _bad_elements(model: type[EventData], data: Mapping[str, Any], is_part: bool) -> list[BadElement]:
    """What is wrong with single elements, the first complaint of each.

    Each element is read by itself: of a whole list pydantic describes every complaint at once, or none.
    """
    found = []
    for name, element in model.element_lists.items():
        for field in dict.fromkeys((name, to_camel(name))):
            elements = data.get(field)
            if not isinstance(elements, list) or (is_part and len(elements) == 1):
                continue
            for index, value in enumerate(elements):
                try:
                    element.model_validate(value)
                except ValidationError as error:
                    entry = error.errors(include_url=False, include_context=False, include_input=False)[0]
                    where = ".".join(map(str, (field, index, *entry["loc"])))
                    found.append(BadElement(field, index, f"{where}: {entry['msg']}"))
    return found


def details_of(bad: Sequence[BadElement]) -> Iterator[str]:
    """What is wrong with the first few of these elements."""
    return (one.detail for one in bad[:_MAX_DETAILS])


def _details(error: ValidationError) -> Iterator[str]:
    # Not the input itself: a dead letter has that beside its reason.
    for entry in entries_of(error, _MAX_DETAILS):
        yield f"{'.'.join(map(str, entry['loc'])) or 'value'}: {entry['msg']}"
