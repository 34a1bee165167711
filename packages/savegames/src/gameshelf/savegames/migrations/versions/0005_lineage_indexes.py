"""Indexes for folded names, the trash, and uploads by content."""

import sqlalchemy as sa
from gameshelf.kernel.schema_changes import create_index, drop_index

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_IS_NAMED = sa.text("deleted_at IS NULL AND slot_key IS NOT NULL")
_IS_UNNAMED = sa.text("deleted_at IS NULL AND slot_key IS NULL")
_IS_TRASHED = sa.text("deleted_at IS NOT NULL")


def upgrade() -> None:
    create_index(
        "uq_savegame_slots_key",
        "savegame_slots",
        ["user_id", "product_id", "slot_key"],
        schema="savegames",
        unique=True,
        postgresql_where=_IS_NAMED,
    )
    create_index(
        "ix_savegame_slots_without_key",
        "savegame_slots",
        ["user_id", "id"],
        schema="savegames",
        postgresql_where=_IS_UNNAMED,
    )
    create_index(
        "ix_savegame_slots_trash",
        "savegame_slots",
        ["user_id", "product_id"],
        schema="savegames",
        postgresql_where=_IS_TRASHED,
    )
    create_index("ix_savegame_uploads_hash", "savegame_uploads", ["user_id", "file_hash_sha256"], schema="savegames")


def downgrade() -> None:
    drop_index("ix_savegame_uploads_hash", "savegame_uploads", schema="savegames")
    drop_index("ix_savegame_slots_trash", "savegame_slots", schema="savegames")
    drop_index("ix_savegame_slots_without_key", "savegame_slots", schema="savegames")
    drop_index("uq_savegame_slots_key", "savegame_slots", schema="savegames")
