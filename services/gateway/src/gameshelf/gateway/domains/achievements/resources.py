"""The resources of achievements, as REST shows them."""

from gameshelf.gateway.runtime.http.schemas import COUNT, PERCENT, TEXT, TIME, UUID, closed, nullable, one_of, value

ACHIEVEMENT_STATUS = value(
    "userAchievementStatus",
    {
        "product_id": UUID,
        "api_name": nullable(TEXT),
        "name": nullable(TEXT),
        "description": nullable(TEXT),
        "icon_url_locked": nullable(TEXT),
        "icon_url_unlocked": nullable(TEXT),
        "is_hidden": {"type": "boolean"},
        "is_unlocked": {"type": "boolean"},
        "unlocked_at": nullable(TIME),
        "current_progress": nullable(closed({"current": COUNT, "total": COUNT})),
        "rarity_percentage": nullable(PERCENT),
        "rarity_at_unlock": nullable(PERCENT),
    },
)


ACHIEVEMENT_RARITY = value(
    "achievementRarity",
    {
        "product_id": UUID,
        "api_name": nullable(TEXT),
        "name": nullable(TEXT),
        "description": nullable(TEXT),
        "icon_url_locked": nullable(TEXT),
        "icon_url_unlocked": nullable(TEXT),
        "is_hidden": {"type": "boolean"},
        "rarity_percentage": nullable(PERCENT),
    },
)


IMPORTED_ACHIEVEMENT = value(
    "importedAchievement",
    {
        "client_id": TEXT,
        "result": one_of(("accepted", "duplicate", "rejected")),
        "code": nullable(TEXT),
    },
    identity=TEXT,
)


PRODUCT_ACHIEVEMENTS = value(
    "productAchievements",
    {"product_id": UUID, "unlocked": COUNT, "total": COUNT, "percentage": PERCENT, "last_unlocked_at": nullable(TIME)},
)
