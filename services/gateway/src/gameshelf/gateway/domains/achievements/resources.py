"""The resources of achievements (contract, section 3.4). The context of ``render`` is the language of the response."""

from typing import Any

from gameshelf.achievements import Achievement, AchievementRarity, AchievementSummary, ImportedAchievement
from gameshelf.gateway.runtime.http.components import IMPORT_RESULT, single
from gameshelf.gateway.runtime.http.named_products import COVER, TITLE
from gameshelf.gateway.runtime.http.resources import Field, ObjectResource, Resource, identity
from gameshelf.gateway.runtime.http.schemas import COUNT, FLAG, PERCENT, TEXT, TIME, UUID, nullable

_ID = "eccbc87e-4b5c-42fe-a830-8fd9f2a7baf3"

PROGRESS: ObjectResource[object] = ObjectResource(
    "AchievementProgress",
    None,
    "Progress towards an achievement.",
    Field("current", COUNT, "Progress of the user.", 40),
    Field("total", COUNT, "Progress that unlocks the achievement.", 100),
)


def _progress(of: Achievement, _: Any) -> dict[str, int] | None:
    return {"current": of.current_progress or 0, "total": of.target} if of.target else None


_DEFINITION = (
    Field("product_id", UUID, "Product of the achievement.", "0b9ff5b6-6d5c-4a40-9a06-1cf6f0d1f9a3"),
    Field("api_name", nullable(TEXT), "Name that the developer of the game uses for it.", "FIRST_BLOOD"),
    Field(
        "name",
        nullable(TEXT),
        "Name in the language of the response, else in the other language; null while a hidden achievement is locked.",
        "First Blood",
        lambda of, language: of.name(language),
    ),
    Field(
        "description",
        nullable(TEXT),
        "Description in the language of the response, by the rules of `name`.",
        "Win your first duel.",
        lambda of, language: of.description(language),
    ),
    Field("icon_url_locked", nullable(TEXT), "Icon of the locked achievement.", "https://cdn.example.com/a/1-grey.png"),
    Field("icon_url_unlocked", nullable(TEXT), "Icon of the unlocked achievement.", "https://cdn.example.com/a/1.png"),
    Field("is_hidden", FLAG, "Whether the developer hides it until it is unlocked.", False),
)
_RARITY = Field(
    "rarity_percentage",
    nullable(PERCENT),
    "Share of the product's owners who have unlocked it, in percent with one decimal; null if nobody owns the product.",
    12.5,
    "rarity",
)

ACHIEVEMENT_STATUS = Resource(
    "userAchievementStatus",
    Achievement,
    "An achievement, with the progress of the user.",
    *_DEFINITION,
    Field("is_unlocked", FLAG, "Whether the user has unlocked it.", True),
    Field("unlocked_at", nullable(TIME), "When the user unlocked it; null while it is locked.", "2026-05-20T18:42:10Z"),
    Field(
        "current_progress",
        nullable(PROGRESS.schema),
        "Progress of the user; null for an achievement without a target.",
        PROGRESS.schema.example,
        _progress,
    ),
    _RARITY,
    Field("rarity_at_unlock", nullable(PERCENT), "Rarity at the moment of the unlock.", 9.8),
    identity=identity("Id of the achievement.", _ID),
)

REPORTED_PROGRESS = single(
    ACHIEVEMENT_STATUS.schema,
    ObjectResource(
        "ReportedProgressMeta",
        None,
        "The result of a progress report.",
        Field("newly_unlocked", FLAG, "Whether this report has unlocked the achievement.", True),
    ).schema,
    "ReportedProgressDocument",
)

ACHIEVEMENT_RARITY = Resource(
    "achievementRarity",
    AchievementRarity,
    "An achievement with its rarity. A hidden one has neither name nor description here.",
    *_DEFINITION,
    _RARITY,
    identity=identity("Id of the achievement.", _ID),
)

IMPORTED_ACHIEVEMENT = Resource(
    "importedAchievement",
    ImportedAchievement,
    "The result of one element of an import.",
    Field("client_id", TEXT, "Id that the client gave the element.", "deck-7-a-17"),
    Field(
        "result",
        IMPORT_RESULT,
        "Result of the element.",
        "accepted",
    ),
    Field("code", nullable(TEXT), "Error code of an element that was rejected; else null.", None),
    identity=identity("Id that the client gave the element.", "deck-7-a-17", "client_id", TEXT),
)

PRODUCT_ACHIEVEMENTS = Resource(
    "productAchievements",
    AchievementSummary,
    "The progress of the user on the achievements of a product.",
    Field("product_id", UUID, "Product of the achievements.", "0b9ff5b6-6d5c-4a40-9a06-1cf6f0d1f9a3"),
    Field("unlocked", COUNT, "Number of achievements that the user has unlocked.", 14),
    Field("total", COUNT, "Number of achievements of the product.", 40),
    Field("percentage", PERCENT, "Share of unlocked ones in percent, rounded down: 100 means all of them.", 35.0),
    Field("last_unlocked_at", nullable(TIME), "When the user last unlocked one of them.", "2026-05-20T18:42:10Z"),
    TITLE,
    COVER,
    identity=identity("Id of the product.", "0b9ff5b6-6d5c-4a40-9a06-1cf6f0d1f9a3", "product_id"),
)
