"""The tables of achievements."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "achievement_metadata",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("api_name", sa.Text(), nullable=True),
        sa.Column("name_ru", sa.Text(), nullable=True),
        sa.Column("name_en", sa.Text(), nullable=True),
        sa.Column("description_ru", sa.Text(), nullable=True),
        sa.Column("description_en", sa.Text(), nullable=True),
        sa.Column("icon_url_locked", sa.Text(), nullable=True),
        sa.Column("icon_url_unlocked", sa.Text(), nullable=True),
        sa.Column("is_hidden", sa.Boolean(), nullable=True),
        sa.Column("target_progress", sa.Integer(), nullable=True),
        sa.Column("server_authoritative", sa.Boolean(), nullable=True),
        sa.Column("api_name_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("name_ru_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("name_en_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("description_ru_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("description_en_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("icon_url_locked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("icon_url_unlocked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_hidden_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("target_progress_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("server_authoritative_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("target_progress >= 1", name=op.f("ck_achievement_metadata_target_progress")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_achievement_metadata")),
        schema="achievements",
    )
    op.create_index(
        "ix_achievement_metadata_product",
        "achievement_metadata",
        ["product_id", "id"],
        unique=False,
        schema="achievements",
    )
    op.create_table(
        "achievement_unlocks",
        sa.Column("achievement_meta_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("unlocks", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("achievement_meta_id", name=op.f("pk_achievement_unlocks")),
        schema="achievements",
    )
    op.create_index(
        "ix_achievement_unlocks_product", "achievement_unlocks", ["product_id"], unique=False, schema="achievements"
    )
    op.create_table(
        "owned_products",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "product_id", name=op.f("pk_owned_products")),
        schema="achievements",
    )
    op.create_index("ix_owned_products_product", "owned_products", ["product_id"], unique=False, schema="achievements")
    op.create_table(
        "product_owners",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("owners", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_product_owners")),
        schema="achievements",
    )
    op.create_table(
        "rarity_deltas",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("achievement_meta_id", sa.Uuid(), nullable=True),
        sa.Column("delta", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rarity_deltas")),
        schema="achievements",
    )
    op.create_index("ix_rarity_deltas_product", "rarity_deltas", ["product_id"], unique=False, schema="achievements")
    op.create_table(
        "user_achievements",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("achievement_meta_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("is_unlocked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("unlocked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("current_progress", sa.Integer(), nullable=True),
        sa.Column("rarity_at_unlock", sa.Double(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("current_progress >= 0", name=op.f("ck_user_achievements_current_progress")),
        sa.CheckConstraint("is_unlocked = (unlocked_at IS NOT NULL)", name=op.f("ck_user_achievements_unlocked_at")),
        sa.PrimaryKeyConstraint("user_id", "achievement_meta_id", name=op.f("pk_user_achievements")),
        schema="achievements",
    )
    op.create_index(
        "ix_user_achievements_product",
        "user_achievements",
        ["user_id", "product_id"],
        unique=False,
        schema="achievements",
    )
    op.create_index(
        "ix_user_achievements_unlocked",
        "user_achievements",
        ["product_id"],
        unique=False,
        schema="achievements",
        postgresql_where=sa.text("is_unlocked"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_user_achievements_unlocked",
        table_name="user_achievements",
        schema="achievements",
        postgresql_where=sa.text("is_unlocked"),
    )
    op.drop_index("ix_user_achievements_product", table_name="user_achievements", schema="achievements")
    op.drop_table("user_achievements", schema="achievements")
    op.drop_index("ix_rarity_deltas_product", table_name="rarity_deltas", schema="achievements")
    op.drop_table("rarity_deltas", schema="achievements")
    op.drop_table("product_owners", schema="achievements")
    op.drop_index("ix_owned_products_product", table_name="owned_products", schema="achievements")
    op.drop_table("owned_products", schema="achievements")
    op.drop_index("ix_achievement_unlocks_product", table_name="achievement_unlocks", schema="achievements")
    op.drop_table("achievement_unlocks", schema="achievements")
    op.drop_index("ix_achievement_metadata_product", table_name="achievement_metadata", schema="achievements")
    op.drop_table("achievement_metadata", schema="achievements")
