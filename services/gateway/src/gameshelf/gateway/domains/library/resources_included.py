"""What other domains know of the product of an item: fields of ``libraryItem`` that a request asks for."""

from gameshelf.achievements import AchievementSummary
from gameshelf.gateway.runtime.http.components import enumeration
from gameshelf.gateway.runtime.http.resources import Field, ObjectResource
from gameshelf.gateway.runtime.http.schemas import COUNT, PERCENT, TEXT, TIME, nullable
from gameshelf.playtime import ProductSummary
from gameshelf.savegames import DeviceSaveState, ProductSaves

ITEM_ACHIEVEMENTS = ObjectResource(
    "ItemAchievements",
    AchievementSummary,
    "The progress of the user on the achievements of a product.",
    Field("unlocked", COUNT, "Number of achievements that the user has unlocked.", 14),
    Field("total", COUNT, "Number of achievements of the product.", 40),
    Field("percentage", PERCENT, "Share of unlocked ones in percent, rounded down: 100 means all of them.", 35.0),
    Field("last_unlocked_at", nullable(TIME), "When the user last unlocked one of them.", "2026-05-20T18:42:10Z"),
)
ITEM_SAVES = ObjectResource(
    "ItemSaves",
    ProductSaves,
    "The cloud saves of a product, without those in the trash.",
    Field(
        "state",
        nullable(enumeration(DeviceSaveState)),
        "How the device of the query stands to these saves; null where the query names none.",
        "newer_elsewhere",
        lambda of, device_id: of.state if device_id else None,
    ),
    Field("save_count", COUNT, "Number of saves.", 2),
    Field("conflict_count", COUNT, "Number of open conflicts, whatever device they are about.", 0),
    Field("last_saved_at", TIME, "When the newest save was uploaded.", "2026-05-20T19:30:02Z"),
    Field("last_device_id", nullable(TEXT), "Device that uploaded it, if it was named.", "desktop"),
)
"""The context of ``render`` is the id of the device, or None."""
ITEM_PLAYTIME = ObjectResource(
    "ItemPlaytime",
    ProductSummary,
    "How the user has played a product lately.",
    Field("last_2_weeks_seconds", COUNT, "Seconds played in the last 14 × 24 hours.", 7200),
    Field("session_count", COUNT, "Number of sessions that have ended.", 31),
)
INCLUDED = (
    Field(
        "achievements",
        nullable(ITEM_ACHIEVEMENTS.schema),
        "Achievements, with `include=achievements`; null for a product without achievements.",
        ITEM_ACHIEVEMENTS.schema.example,
        is_optional=True,
    ),
    Field(
        "saves",
        nullable(ITEM_SAVES.schema),
        "Cloud saves, with `include=saves`; null for a product without saves.",
        ITEM_SAVES.schema.example,
        is_optional=True,
    ),
    Field(
        "playtime",
        nullable(ITEM_PLAYTIME.schema),
        "Recent playtime, with `include=playtime`; null for a product that was never played.",
        ITEM_PLAYTIME.schema.example,
        is_optional=True,
    ),
)
"""``Included.put_into`` adds these fields."""
