"""The base of the data of consumed events, and types of fields that several of them have."""

from collections.abc import Mapping
from functools import cache
from math import floor, isfinite
from typing import Annotated, Any, ClassVar

from gameshelf.kernel.text import NORMALISED, ONE_LINE, Name
from pydantic import AliasGenerator, BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, model_validator
from pydantic.alias_generators import to_camel

_EXACT = 2**53
"""Below it each whole number has a double of its own."""


def _text_of_number(value: object) -> object:
    # Some producers use numbers as ids of orders, keys and versions, and write 5.0 if their language has one kind of
    # number. Fractions are refused, and so is a double that represents several whole numbers: two ids would be equal.
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        value = int(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _whole(value: object) -> object:
    # Producers whose language has one kind of number write 100.0.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def rounded_down(value: object) -> object:
    return floor(value) if isinstance(value, float) and isfinite(value) else value


NUMBER_AS_TEXT = BeforeValidator(_text_of_number)
SourceId = Annotated[str, Field(min_length=1, max_length=200), NORMALISED, ONE_LINE, NUMBER_AS_TEXT]
EventProductType = Annotated[Name, Field(max_length=50)]
WHOLE = BeforeValidator(_whole)
"""Accepts whole numbers that are written as 100.0. It must follow the bounds of a number: otherwise pydantic leaves
them out of the JSON Schema.
"""
EventAmount = Annotated[StrictInt, Field(ge=0, le=10**15), WHOLE]
Title = Annotated[str, Field(min_length=1, max_length=500), NORMALISED]


class EventData(BaseModel):
    """Base of the data of events, and of objects in it. An optional field that is empty counts as absent: producers
    whose language has no null send the zero value of a field that they do not set.
    """

    model_config = ConfigDict(
        alias_generator=AliasGenerator(validation_alias=to_camel), populate_by_name=True, extra="ignore", frozen=True
    )
    element_lists: ClassVar[Mapping[str, type[BaseModel]]] = {}
    """Lists whose invalid elements are left out, with the model of an element."""
    optional_objects: ClassVar[Mapping[str, type[BaseModel]]] = {}
    """Optional objects that are left out where they are invalid, with their models."""
    adds_up_by: ClassVar[str | None] = None
    """The field of an element by which equal elements add up; None where each element counts by itself."""

    @model_validator(mode="before")
    @classmethod
    def _leave_out_what_is_empty(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        takes_zero = _optional_fields(cls)
        return {
            name: value
            for name, value in data.items()
            if name not in takes_zero or not _is_empty(value, takes_zero[name])
        }


def _is_empty(value: Any, takes_zero: bool) -> bool:
    if isinstance(value, str):
        return not value or value.isspace()
    if isinstance(value, list | dict):
        return not value
    return not takes_zero and value == 0 and not isinstance(value, bool)


@cache
def _optional_fields(model: type[BaseModel]) -> dict[str, bool]:
    """Returns the optional fields of a model by both of their names, and whether 0 is a valid value of each."""
    found: dict[str, bool] = {}
    for name, schema in model.model_json_schema(by_alias=False)["properties"].items():
        kinds = (schema, *schema.get("anyOf", ()))
        is_number = any(kind.get("type") in ("integer", "number") and kind.get("minimum", 0) <= 0 for kind in kinds)
        takes_zero = is_number or any(kind.get("type") == "boolean" for kind in kinds)
        if not model.model_fields[name].is_required():
            found |= dict.fromkeys((name, to_camel(name)), takes_zero)
    return found


class EventTitles(EventData):
    ru: Title | None = None
    en: Title | None = None


def titles(value: object) -> object:
    # A bare string is the title in the platform's first language.
    return {"ru": value} if isinstance(value, str) else value


Localised = Annotated[EventTitles, BeforeValidator(titles)]
EventUrl = Annotated[str, Field(max_length=2000), NORMALISED]
