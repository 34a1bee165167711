"""The commands and filters of achievements, validated."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, Self
from uuid import UUID

from gameshelf.achievements._errors import AchievementNotFound
from gameshelf.kernel.clock import Moment
from gameshelf.kernel.paging import DEFAULT_LIMIT, Page, PageLimit, PageNumber
from gameshelf.kernel.text import MOST_DECOMPOSED, NORMALISED, Name, is_storable, normalise
from pydantic import BaseModel, ConfigDict, Field, ValidationError, WrapValidator, model_validator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

MAX_PROGRESS = 2**31 - 1
MAX_IMPORT = 100
"""The maximum number of achievements in one import."""
MAX_API_NAME = 200

CurrentProgress = Annotated[int, Field(ge=0, le=MAX_PROGRESS)]
ClientId = Annotated[Name, Field(max_length=100)]
DeviceId = Annotated[Name, Field(max_length=100)]
ApiName = Annotated[str, Field(min_length=1, max_length=MAX_API_NAME), NORMALISED]
MAX_PRODUCTS = 100
"""The maximum number of products that a summary may be filtered by."""


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReportProgress(_Command):
    """A progress report."""

    current_progress: CurrentProgress
    """Progress by the count of the game. Less than before changes nothing; more than the target counts as the target.
    """


class OfflineAchievement(_Command):
    """An unlock or a progress report from offline play. It identifies the achievement by `achievement_id`, or by
    `product_id` and `api_name`. It has `unlocked` or `current_progress`.
    """

    client_id: ClientId
    """Id of the element, chosen by the client. The result of the element has the same id."""
    achievement_id: UUID | None = None
    """Id of the achievement."""
    product_id: UUID | None = None
    """Product of the achievement, together with `api_name`."""
    api_name: ApiName | None = None
    """Name of the achievement in the game, together with `product_id`."""
    unlocked: Annotated[bool, Field(json_schema_extra={"const": True})] | None = None
    """`true`: the achievement was unlocked."""
    current_progress: CurrentProgress | None = None
    """Progress by the count of the game."""
    happened_at: Moment
    """Time of the unlock or report, by the clock of the device."""
    device_id: DeviceId | None = None
    """Device of the unlock or report."""

    @property
    def named(self) -> "UUID | NamedAchievement":
        """The achievement, by its id or its name."""
        if self.achievement_id is not None:
            return self.achievement_id
        assert self.product_id is not None
        assert self.api_name is not None
        return NamedAchievement(self.product_id, self.api_name)

    @model_validator(mode="after")
    def _has_one_achievement_and_one_change(self) -> Self:
        by_name = self.product_id is not None and self.api_name is not None
        half_a_name = (self.product_id is None) != (self.api_name is None)
        if half_a_name or by_name == (self.achievement_id is not None):
            raise PydanticCustomError("one_achievement", "achievement_id or product_id with api_name is expected")
        if self.unlocked is False or (self.unlocked is None) == (self.current_progress is None):
            raise PydanticCustomError("one_change", "unlocked or current_progress is expected")
        return self


@dataclass(frozen=True, slots=True)
class UnreadableAchievement:
    """An invalid element of an import. ``client_id`` is empty where it is invalid too."""

    client_id: str


def _read(element: Any, _: Any) -> OfflineAchievement | UnreadableAchievement:
    if isinstance(element, OfflineAchievement | UnreadableAchievement):
        return element
    try:
        # From JSON: in strict mode pydantic accepts a string for a UUID and for a time there, but not for a number.
        return OfflineAchievement.model_validate_json(json.dumps(element, allow_nan=False), strict=True)
    except (ValidationError, ValueError):
        client_id = element.get("client_id") if isinstance(element, dict) else None
        return UnreadableAchievement(client_id if isinstance(client_id, str) and len(client_id) <= 100 else "")


class ImportAchievements(_Command):
    """The unlocks and progress reports that a client collected offline."""

    achievements: Annotated[
        tuple[Annotated[OfflineAchievement | SkipJsonSchema[UnreadableAchievement], WrapValidator(_read)], ...],
        Field(min_length=1, max_length=MAX_IMPORT),
    ]
    """The unlocks and progress reports."""


class AchievementSummaryFilter(_Command):
    """The products and the page of a summary."""

    product_ids: tuple[UUID, ...] = Field(default=(), max_length=MAX_PRODUCTS)
    """Products to return, separated by commas. By default all that the user owns or has begun."""
    page: PageNumber = 1
    limit: PageLimit = DEFAULT_LIMIT

    @property
    def slice(self) -> Page:
        """The requested page."""
        return Page(self.page, self.limit)


class NamedAchievement(NamedTuple):
    """An achievement by the API name that the developer of the game uses."""

    product_id: UUID
    api_name: str
    """In NFC. Names are compared exactly."""

    @classmethod
    def from_text(cls, product_id: UUID, api_name: str) -> Self:
        """Normalises the name of a request. Raises AchievementNotFound where no achievement can have such a name."""
        if len(api_name) > MAX_API_NAME * MOST_DECOMPOSED or not is_storable(api_name):
            raise AchievementNotFound
        return cls(product_id, normalise(api_name))


@dataclass(frozen=True, slots=True)
class ProgressUpdate:
    """A progress report for one achievement."""

    achievement_id: UUID
    current: int | None
    """None unlocks the achievement, whatever its target is."""
