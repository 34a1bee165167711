"""Reads for the timeline of support."""

from gameshelf.achievements._models import AchievementMetadata, RefusedAttempt, UserAchievement
from gameshelf.kernel.happenings import Happenings
from gameshelf.kernel.sql import user
from sqlalchemy import ColumnElement, Text, Uuid, case, cast, func, literal_column, select
from sqlmodel import col

_U, _M, _R = UserAchievement, AchievementMetadata, RefusedAttempt
# A subject is the id of an achievement, or its product and name with a slash between them. One that is neither, which
# nothing writes, has no product: an error would take the whole timeline from support.
_ID: ColumnElement[str] = literal_column("'^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'")
_SLASH: ColumnElement[str] = literal_column("'/'")
_id = case((col(_R.subject).regexp_match(_ID), cast(func.left(col(_R.subject), literal_column("36")), Uuid)))
_is_named = func.strpos(col(_R.subject), _SLASH) > literal_column("0")
# A subquery and no join: each report reads one achievement by its key, whatever the statistics say.
_product_of_id = select(col(_M.product_id)).where(col(_M.id) == _id).correlate(RefusedAttempt).scalar_subquery()
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
            case((_is_named, _id), else_=_product_of_id).label("product_id"),
            col(_R.subject),
            col(_R.rule),
            col(_R.source),
            col(_R.attempts),
            col(_R.first_at),
        ).where(col(_R.user_id) == user()),
    ),
)
"""Unlocks, and the last one of alike reports that were refused."""
