"""names of categories are unique by their folded form."""

import sqlalchemy as sa
from alembic import op
from gameshelf.kernel.schema_changes import create_index, drop_index

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Null in existing rows and in rows that an earlier version creates: the service fills it user by user.
    op.add_column(
        "user_game_categories", sa.Column("name_key", sa.String(collation="C"), nullable=True), schema="library"
    )
    create_index(
        "uq_user_game_categories_name_key",
        "user_game_categories",
        ["user_id", "name_key"],
        schema="library",
        unique=True,
        postgresql_where=sa.text("name_key IS NOT NULL"),
    )
    create_index(
        "ix_user_game_categories_unkeyed",
        "user_game_categories",
        ["user_id"],
        schema="library",
        postgresql_where=sa.text("name_key IS NULL"),
    )


def downgrade() -> None:
    drop_index("ix_user_game_categories_unkeyed", "user_game_categories", schema="library")
    drop_index("uq_user_game_categories_name_key", "user_game_categories", schema="library")
    op.drop_column("user_game_categories", "name_key", schema="library")
