"""The index of saves without a folded name includes the trash."""

import sqlalchemy as sa
from gameshelf.kernel.schema_changes import create_index, drop_index

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The release before uses it too, for those saves that are not in the trash.
    create_index(
        "ix_savegame_slots_no_key",
        "savegame_slots",
        ["user_id", "id"],
        schema="savegames",
        postgresql_where=sa.text("slot_key IS NULL"),
    )
    drop_index("ix_savegame_slots_without_key", "savegame_slots", schema="savegames")


def downgrade() -> None:
    create_index(
        "ix_savegame_slots_without_key",
        "savegame_slots",
        ["user_id", "id"],
        schema="savegames",
        postgresql_where=sa.text("deleted_at IS NULL AND slot_key IS NULL"),
    )
    drop_index("ix_savegame_slots_no_key", "savegame_slots", schema="savegames")
