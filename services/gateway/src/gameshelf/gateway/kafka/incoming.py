"""CloudEvents as they come in: checked, in camelCase or snake_case alike.

Each model below is one consumed event's data (contract, section 6). What does not fit raises Malformed: such a record
can never be applied.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

from gameshelf.achievements import MAX_DEFINITIONS
from gameshelf.gateway.problems import entries_of
from gameshelf.kernel.text import NORMALISED, ONE_LINE, Name
from gameshelf.library import InstallationStatus
from pydantic import (
    AfterValidator,
    AliasGenerator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    StrictBool,
    StrictInt,
    ValidationError,
)
from pydantic.alias_generators import to_camel

D = TypeVar("D", bound=BaseModel)


class Malformed(Exception):
    """A record that can never be applied. ``reason`` is a stable word, the message says what is wrong."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


WRONG_TOPIC = "WRONG_TOPIC"
"""The reason of a dead letter whose type belongs on another topic; commands for many letters never send it again."""


def _utc(moment: datetime) -> datetime:
    # A time without an offset is taken as UTC: the platform's events are.
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("out of range in UTC") from None


Moment = Annotated[datetime, AfterValidator(_utc)]
SourceId = Annotated[str, Field(min_length=1, max_length=200), NORMALISED, ONE_LINE]
ProductType = Annotated[Name, Field(max_length=50)]
Amount = Annotated[StrictInt, Field(ge=0, le=10**15)]
Title = Annotated[str, Field(min_length=1, max_length=500), NORMALISED]


class _Data(BaseModel):
    model_config = ConfigDict(
        alias_generator=AliasGenerator(validation_alias=to_camel), populate_by_name=True, extra="ignore", frozen=True
    )


def _traceparent(value: object) -> object:
    # What is none begins a trace of its own; nothing of the event depends on it.
    return value if isinstance(value, str) and len(value) <= 256 else None


class Incoming(BaseModel):
    """The envelope of a CloudEvent 1.0 in structured JSON."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    specversion: Annotated[str, Field(pattern=r"^1\.", max_length=20)]
    id: Annotated[str, Field(min_length=1, max_length=500)]
    source: Annotated[str, Field(min_length=1, max_length=500)]
    type: Annotated[str, Field(min_length=1, max_length=255)]
    time: Moment | None = None
    traceparent: Annotated[Annotated[str, Field(max_length=256)] | None, BeforeValidator(_traceparent)] = None
    data: Any = None
    """Anything: what it has to be is its type's affair, and most types mean nothing here."""


class PurchasedItem(_Data):
    product_id: UUID
    product_type: ProductType | None = None


class Purchase(_Data):
    user_id: UUID
    order_id: SourceId
    items: Annotated[tuple[PurchasedItem, ...], Field(min_length=1, max_length=1000)]
    purchase_timestamp: Moment | None = None


class KeyActivation(_Data):
    user_id: UUID
    product_id: UUID
    key_id: SourceId
    timestamp: Moment | None = None


class GiftReceived(_Data):
    user_id: UUID
    product_id: UUID
    gift_id: SourceId
    timestamp: Moment | None = None


class InstallationChange(_Data):
    user_id: UUID
    product_id: UUID
    version_id: Annotated[Name, Field(max_length=100)] | None = None
    status: InstallationStatus | None = None
    timestamp: Moment | None = None


class Review(_Data):
    user_id: UUID
    product_id: UUID
    rating: FiniteFloat


class AccountDeleted(_Data):
    user_id: UUID
    deleted_at: Moment | None = None


class Titles(_Data):
    ru: Title | None = None
    en: Title | None = None


def _titles(value: object) -> object:
    # A bare string is the title in the platform's first language.
    return {"ru": value} if isinstance(value, str) else value


class Descriptions(_Data):
    ru: Annotated[str, Field(max_length=5000), NORMALISED] | None = None
    en: Annotated[str, Field(max_length=5000), NORMALISED] | None = None


Localised = Annotated[Titles, BeforeValidator(_titles)]
IconUrl = Annotated[str, Field(max_length=2000), NORMALISED]


class AchievementDefinition(_Data):
    id: UUID
    api_name: Annotated[str, Field(min_length=1, max_length=200), NORMALISED] | None = None
    name: Localised | None = None
    description: Annotated[Descriptions, BeforeValidator(_titles)] | None = None
    icon_url_locked: IconUrl | None = None
    icon_url_unlocked: IconUrl | None = None
    is_hidden: StrictBool | None = None
    target_progress: Annotated[StrictInt, Field(ge=1, le=2**31 - 1)] | None = None
    server_authoritative: StrictBool | None = None


class ProductChange(_Data):
    product_id: UUID
    new_title: Localised | None = None
    new_cover_image_url: Annotated[str, Field(max_length=2000), NORMALISED] | None = None
    product_type: ProductType | None = None
    is_free_to_play: StrictBool | None = None
    family_sharing_allowed: StrictBool | None = None
    achievements: Annotated[tuple[AchievementDefinition, ...], Field(max_length=MAX_DEFINITIONS)] | None = None
    timestamp: Moment | None = None


class PriceChange(_Data):
    product_id: UUID
    price_minor: Amount
    old_price_minor: Amount | None = None
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$", max_length=3)]
    discount_percent: Annotated[StrictInt, Field(ge=0, le=100)] | None = None
    sale_id: SourceId | None = None
    sale_ends_at: Moment | None = None
    timestamp: Moment | None = None


def parse_envelope(value: bytes | None) -> Incoming:
    """The CloudEvent in a record. Raises Malformed."""
    if value is None:
        raise Malformed("EMPTY", "the record has no value")
    try:
        return Incoming.model_validate_json(value)
    except ValidationError as error:
        invalid = any(entry["type"] == "json_invalid" for entry in entries_of(error, 1))
        raise Malformed("MALFORMED_JSON" if invalid else "MALFORMED_EVENT", _describe(error)) from None


def parse_data(model: type[D], data: Any) -> D:
    """The event's data as ``model``. Raises Malformed."""
    if not isinstance(data, dict):
        raise Malformed("MALFORMED_EVENT", "data: an object is expected")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise Malformed("MALFORMED_DATA", _describe(error)) from None


def _describe(error: ValidationError) -> str:
    # Not the input itself: a dead letter carries that beside its reason.
    entries = entries_of(error, 5)
    return "; ".join(f"{'.'.join(map(str, entry['loc'])) or 'value'}: {entry['msg']}" for entry in entries)[:1000]
