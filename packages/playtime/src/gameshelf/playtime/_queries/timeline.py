"""What a user played, for the timeline of support."""

from gameshelf.kernel.happenings import Happenings
from gameshelf.kernel.sql import user
from gameshelf.playtime._models import PlaytimeCorrection, PlaytimeSession
from sqlalchemy import Text, cast, select
from sqlmodel import col

_S, _C = PlaytimeSession, PlaytimeCorrection
TIMELINE = (
    Happenings(
        "session",
        select(
            col(_S.start_time).label("at"),
            cast(col(_S.id), Text).label("key"),
            col(_S.product_id),
            col(_S.id).label("session_id"),
            col(_S.device_id),
            col(_S.end_time),
            col(_S.duration_seconds),
            col(_S.end_reason),
        ).where(col(_S.user_id) == user()),
        in_order=True,
    ),
    Happenings(
        "playtime_corrected",
        select(
            col(_C.created_at).label("at"),
            cast(col(_C.id), Text).label("key"),
            col(_C.product_id),
            col(_C.seconds),
            col(_C.reason),
        ).where(col(_C.user_id) == user()),
    ),
)
"""Sessions by their begin, and corrections."""
