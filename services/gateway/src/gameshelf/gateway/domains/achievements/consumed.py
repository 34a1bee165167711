"""Definitions of achievements from the Catalog (contract, section 6): a list in its events about products."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from gameshelf.achievements import MAX_DEFINITIONS, DefinitionFact, Definitions
from gameshelf.gateway.runtime.kafka.consumed import ConsumedEvent
from gameshelf.gateway.runtime.kafka.fields import WHOLE, EventData, EventUrl, Localised, titles
from gameshelf.kernel.clock import Clock, EventTime
from gameshelf.kernel.database import Connection
from gameshelf.kernel.text import NORMALISED
from pydantic import BeforeValidator, Field, StrictBool, StrictInt

Description = Annotated[str, Field(max_length=5000), NORMALISED]
EventApiName = Annotated[str, Field(min_length=1, max_length=200), NORMALISED]


class Descriptions(EventData):
    ru: Description | None = None
    en: Description | None = None


class AchievementDefinition(EventData):
    id: UUID
    api_name: EventApiName | None = None
    name: Localised | None = None
    description: Annotated[Descriptions, BeforeValidator(titles)] | None = None
    icon_url_locked: EventUrl | None = None
    icon_url_unlocked: EventUrl | None = None
    is_hidden: StrictBool | None = None
    target_progress: Annotated[StrictInt, Field(ge=1, le=2**31 - 1), WHOLE] | None = None
    server_authoritative: StrictBool | None = None


class ProductAchievements(EventData):
    """The achievements of a product that was created or updated."""

    element_lists: ClassVar = {"achievements": AchievementDefinition}

    product_id: UUID
    achievements: Annotated[tuple[AchievementDefinition, ...], Field(max_length=MAX_DEFINITIONS)] | None = None
    timestamp: EventTime = None


async def apply_definitions(
    connection: Connection, events: Sequence[tuple[ProductAchievements, datetime]], clock: Clock
) -> None:
    facts = [fact for data, at in events for fact in definition_facts(data, at)]
    await Definitions(connection, clock).apply(facts)


def definition_facts(data: ProductAchievements, at: datetime) -> list[DefinitionFact]:
    """Converts the Catalog's data of a product's achievements; ``at`` is used if the data has no time."""
    at = data.timestamp or at
    return [DefinitionFact(one.id, data.product_id, at, _columns(one)) for one in data.achievements or ()]


def _columns(of: AchievementDefinition) -> dict[str, Any]:
    """Returns the columns that a definition sets; a field that is absent or null sets none."""
    columns: dict[str, Any] = {
        "api_name": of.api_name,
        "name_ru": of.name.ru if of.name else None,
        "name_en": of.name.en if of.name else None,
        "description_ru": of.description.ru if of.description else None,
        "description_en": of.description.en if of.description else None,
        "icon_url_locked": of.icon_url_locked,
        "icon_url_unlocked": of.icon_url_unlocked,
        "is_hidden": of.is_hidden,
        "target_progress": of.target_progress,
        "server_authoritative": of.server_authoritative,
    }
    return {name: value for name, value in columns.items() if value is not None}


_CATALOG = "com.platform.catalog.events.v1"
_PRODUCT_ACHIEVEMENTS = ConsumedEvent(_CATALOG, ProductAchievements, apply_all=apply_definitions)

EVENTS: Mapping[str, ConsumedEvent] = {
    "com.platform.catalog.product.created.v1": _PRODUCT_ACHIEVEMENTS,
    "com.platform.catalog.product.updated.v1": _PRODUCT_ACHIEVEMENTS,
}
