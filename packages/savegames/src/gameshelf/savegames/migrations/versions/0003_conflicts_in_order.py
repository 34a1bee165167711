"""Open conflicts of all users, the oldest first."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_savegame_conflicts_opened_at",
        "savegame_conflicts",
        ["opened_at", "id"],
        unique=False,
        schema="savegames",
        postgresql_where=sa.text("resolved_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_savegame_conflicts_opened_at", table_name="savegame_conflicts", schema="savegames")
