"""Reads for the timeline of support."""

from gameshelf.kernel.happenings import Happenings
from gameshelf.kernel.sql import user
from gameshelf.settings._models import GameSettings, KeptPayload
from sqlalchemy import Text, cast, func, select
from sqlmodel import col

_G, _K = GameSettings, KeptPayload
TIMELINE = (
    Happenings(
        "settings_changed",
        select(
            col(_G.last_updated_at).label("at"),
            cast(col(_G.product_id), Text).label("key"),
            col(_G.product_id),
            col(_G.revision),
        ).where(col(_G.user_id) == user()),
    ),
    Happenings(
        "settings_ended",
        select(
            col(_K.ended_at).label("at"),
            (
                cast(col(_K.product_id), Text)
                + " "
                + func.lpad(cast(col(_K.revision), Text), 20, "0")
                + " "
                + col(_K.kind)
                + " "
                + func.md5(col(_K.name))
            ).label("key"),
            col(_K.product_id),
            col(_K.kind).label("layer"),
            col(_K.name),
            col(_K.revision),
            col(_K.ended_by),
        ).where(col(_K.user_id) == user()),
    ),
)
"""The last change of each game's settings, and the payloads that were replaced or deleted."""
