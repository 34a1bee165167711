"""What the columns of a layer mean. No statement."""

from gameshelf.settings._models import GameSettings, SettingsOverlay
from sqlalchemy import case, func
from sqlmodel import col

_G, _O = GameSettings, SettingsOverlay
# After a change by a version that doesn't write the revisions of layers, any layer may have changed.
IS_COUNTED = func.coalesce(col(_G.counted_revision) == col(_G.revision), False)
ACCOUNT_REVISION = case(
    (col(_G.settings_payload).is_(None), 0),
    (IS_COUNTED, func.coalesce(col(_G.account_revision), col(_G.revision))),
    else_=col(_G.revision),
)
OVERLAY_REVISION = case((IS_COUNTED, func.coalesce(col(_O.revision), col(_G.revision))), else_=col(_G.revision))
