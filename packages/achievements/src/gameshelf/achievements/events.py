"""What happens with achievements."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class AchievementUnlocked(Event):
    """Somebody unlocked an achievement: once for each user and achievement, unless support locked it in between."""

    achievement_id: UUID
    product_id: UUID
    api_name: str | None
    name_ru: str | None
    name_en: str | None
    unlocked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AchievementLocked(Event):
    """Support took an achievement back: it is locked again."""

    achievement_id: UUID
    product_id: UUID
