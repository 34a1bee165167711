"""A revision for each layer."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # All columns are nullable and none is filled. A layer with a null counts as changed at the game's revision, and so
    # does a layer that a version without these columns changes during the rollout.
    op.add_column(
        "game_specific_settings", sa.Column("account_revision", sa.BigInteger(), nullable=True), schema="settings"
    )
    op.add_column(
        "game_specific_settings", sa.Column("counted_revision", sa.BigInteger(), nullable=True), schema="settings"
    )
    op.add_column("game_settings_overlays", sa.Column("revision", sa.BigInteger(), nullable=True), schema="settings")
    op.add_column(
        "game_settings_overlays",
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        schema="settings",
    )


def downgrade() -> None:
    op.drop_column("game_settings_overlays", "last_used_at", schema="settings")
    op.drop_column("game_settings_overlays", "revision", schema="settings")
    op.drop_column("game_specific_settings", "counted_revision", schema="settings")
    op.drop_column("game_specific_settings", "account_revision", schema="settings")
