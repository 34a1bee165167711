"""The tables of settings."""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "game_specific_settings",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("settings_payload", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("last_updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_synced_with_cloud_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("revision >= 1", name=op.f("ck_game_specific_settings_revision")),
        sa.PrimaryKeyConstraint("user_id", "product_id", name=op.f("pk_game_specific_settings")),
        schema="settings",
    )
    op.create_table(
        "game_settings_overlays",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(length=10), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
        sa.Column("settings_payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("last_updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('platform', 'device')", name=op.f("ck_game_settings_overlays_kind")),
        sa.ForeignKeyConstraint(
            ["user_id", "product_id"],
            ["settings.game_specific_settings.user_id", "settings.game_specific_settings.product_id"],
            name=op.f("fk_game_settings_overlays_game_specific_settings"),
        ),
        sa.PrimaryKeyConstraint("user_id", "product_id", "kind", "name", name=op.f("pk_game_settings_overlays")),
        schema="settings",
    )


def downgrade() -> None:
    op.drop_table("game_settings_overlays", schema="settings")
    op.drop_table("game_specific_settings", schema="settings")
