"""Saves and conflicts are found by their id alone, or by its beginning, for support."""

from gameshelf.kernel.schema_changes import create_index, drop_index
from sqlalchemy import text

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("ix_savegame_slots_id", "savegame_slots", [text("uuid_send(id)")], schema="savegames")
    create_index("ix_savegame_conflicts_id", "savegame_conflicts", [text("uuid_send(id)")], schema="savegames")


def downgrade() -> None:
    drop_index("ix_savegame_conflicts_id", "savegame_conflicts", schema="savegames")
    drop_index("ix_savegame_slots_id", "savegame_slots", schema="savegames")
