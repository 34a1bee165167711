"""an index of hidden games, like that of the others."""

import sqlalchemy as sa
from gameshelf.kernel.schema_changes import create_index, drop_index

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index(
        "ix_user_library_items_hidden",
        "user_library_items",
        ["user_id", sa.text("last_played_at DESC NULLS LAST"), sa.text("added_at DESC"), "id"],
        schema="library",
        postgresql_where=sa.text("acquisition_type IS NOT NULL AND is_hidden IS TRUE"),
    )


def downgrade() -> None:
    drop_index("ix_user_library_items_hidden", "user_library_items", schema="library")
