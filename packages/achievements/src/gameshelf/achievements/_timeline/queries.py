"""Reads for the timeline of support."""

from gameshelf.achievements._models import AchievementMetadata, RefusedAttempt, UserAchievement
from gameshelf.kernel.happenings import Happenings
from gameshelf.kernel.sql import user
from sqlalchemy import Text, Uuid, cast, null, select
from sqlmodel import col

_U, _M, _R = UserAchievement, AchievementMetadata, RefusedAttempt
TIMELINE = (
    Happenings(
        "achievement_unlocked",
        select(
            col(_U.unlocked_at).label("at"),
            cast(col(_U.achievement_meta_id), Text).label("key"),
            col(_U.product_id),
            col(_U.achievement_meta_id).label("achievement_id"),
            col(_M.api_name),
        )
        .outerjoin(AchievementMetadata, col(_M.id) == col(_U.achievement_meta_id))
        .where(col(_U.user_id) == user(), col(_U.unlocked_at).is_not(None)),
    ),
    Happenings(
        "achievement_refused",
        select(
            col(_R.last_at).label("at"),
            (col(_R.subject) + " " + col(_R.rule) + " " + col(_R.source)).label("key"),
            cast(null(), Uuid).label("product_id"),
            col(_R.subject),
            col(_R.rule),
            col(_R.source),
            col(_R.attempts),
            col(_R.first_at),
        ).where(col(_R.user_id) == user()),
    ),
)
"""Unlocks, and the last one of alike reports that were refused."""
