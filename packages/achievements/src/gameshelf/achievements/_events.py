"""The events of achievements."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class AchievementUnlocked(Event):
    """A user unlocked an achievement. Emitted once per user and achievement, unless support locks it in between."""

    achievement_id: UUID
    product_id: UUID
    api_name: str | None
    name_ru: str | None
    name_en: str | None
    unlocked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AchievementLocked(Event):
    """Support locked an achievement again."""

    achievement_id: UUID
    product_id: UUID
