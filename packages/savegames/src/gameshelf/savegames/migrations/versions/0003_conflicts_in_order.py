"""Open conflicts of all users, the oldest first."""

import sqlalchemy as sa
from gameshelf.kernel.schema_changes import create_index, drop_index

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index(
        "ix_savegame_conflicts_opened_at",
        "savegame_conflicts",
        ["opened_at", "id"],
        schema="savegames",
        postgresql_where=sa.text("resolved_at IS NULL"),
    )


def downgrade() -> None:
    drop_index("ix_savegame_conflicts_opened_at", "savegame_conflicts", schema="savegames")
