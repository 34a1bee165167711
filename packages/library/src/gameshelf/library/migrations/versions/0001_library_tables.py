"""library tables."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "catalog_version",
        sa.Column("singleton", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("singleton", name=op.f("ck_catalog_version_singleton")),
        sa.PrimaryKeyConstraint("singleton", name=op.f("pk_catalog_version")),
        schema="library",
    )
    op.create_table(
        "ownership_grants",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("source_id", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("acquired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('order', 'key', 'gift', 'claim', 'support')", name=op.f("ck_ownership_grants_kind")
        ),
        sa.CheckConstraint(
            "acquired_at IS NOT NULL OR ended_at IS NOT NULL", name=op.f("ck_ownership_grants_lives_or_ended")
        ),
        sa.PrimaryKeyConstraint("user_id", "product_id", "kind", "source_id", name=op.f("pk_ownership_grants")),
        schema="library",
    )
    op.create_table(
        "products",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("product_type", sqlmodel.sql.sqltypes.AutoString(length=50), nullable=True),
        sa.Column("title_ru", sqlmodel.sql.sqltypes.AutoString(length=500), nullable=True),
        sa.Column("title_en", sqlmodel.sql.sqltypes.AutoString(length=500), nullable=True),
        sa.Column("sort_key_ru", sa.String(collation="C"), nullable=True),
        sa.Column("sort_key_en", sa.String(collation="C"), nullable=True),
        sa.Column("cover_image_url", sqlmodel.sql.sqltypes.AutoString(length=2000), nullable=True),
        sa.Column("is_free_to_play", sa.Boolean(), nullable=True),
        sa.Column("family_sharing_allowed", sa.Boolean(), nullable=True),
        sa.Column("product_type_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("title_ru_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("title_en_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cover_image_url_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_free_to_play_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("family_sharing_allowed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_products")),
        schema="library",
    )
    op.create_table(
        "user_game_categories",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
        sa.Column("display_order", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("pk_user_game_categories")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_user_game_categories_user_id_name")),
        schema="library",
    )
    op.create_table(
        "user_library_items",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("product_type", sqlmodel.sql.sqltypes.AutoString(length=50), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acquisition_type", sa.String(length=50), nullable=True),
        sa.Column("shared_from_user_id", sa.Uuid(), nullable=True),
        sa.Column("installation_status", sa.String(length=50), server_default="not_installed", nullable=False),
        sa.Column("installed_version_id", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=True),
        sa.Column("installation_changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_played_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("total_playtime_seconds", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("is_hidden", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("user_rating", sa.Double(), nullable=True),
        sa.Column("rating_changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "acquisition_type IN ('purchase', 'gift', 'key_activation', 'family_shared_access', 'free_to_play')",
            name=op.f("ck_user_library_items_acquisition_type"),
        ),
        sa.CheckConstraint(
            "installation_status IN ('not_installed', 'installing', 'installed', 'updating', 'repair_needed', 'error')",
            name=op.f("ck_user_library_items_installation_status"),
        ),
        sa.CheckConstraint(
            "(acquisition_type IS NULL) = (added_at IS NULL)", name=op.f("ck_user_library_items_access")
        ),
        sa.CheckConstraint("total_playtime_seconds >= 0", name=op.f("ck_user_library_items_total_playtime_seconds")),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("pk_user_library_items")),
        sa.UniqueConstraint("user_id", "product_id", name=op.f("uq_user_library_items_user_id_product_id")),
        schema="library",
    )
    op.create_index(
        "ix_user_library_items_shown",
        "user_library_items",
        ["user_id", sa.literal_column("last_played_at DESC NULLS LAST"), sa.literal_column("added_at DESC"), "id"],
        unique=False,
        schema="library",
        postgresql_where=sa.text("acquisition_type IS NOT NULL AND is_hidden IS FALSE"),
    )
    op.create_table(
        "wanted_products",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("ask_after", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "product_id", name=op.f("pk_wanted_products")),
        schema="library",
    )
    op.create_index("ix_wanted_products_ask_after", "wanted_products", ["ask_after"], unique=False, schema="library")
    op.create_table(
        "user_library_item_to_categories",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("library_item_id", sa.Uuid(), nullable=False),
        sa.Column("category_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id", "category_id"],
            ["library.user_game_categories.user_id", "library.user_game_categories.id"],
            name=op.f("fk_user_library_item_to_categories_user_game_categories"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id", "library_item_id"],
            ["library.user_library_items.user_id", "library.user_library_items.id"],
            name=op.f("fk_user_library_item_to_categories_user_library_items"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "user_id", "library_item_id", "category_id", name=op.f("pk_user_library_item_to_categories")
        ),
        schema="library",
    )
    op.create_index(
        "ix_user_library_item_to_categories_category",
        "user_library_item_to_categories",
        ["user_id", "category_id"],
        unique=False,
        schema="library",
    )
    op.execute("INSERT INTO library.catalog_version DEFAULT VALUES")


def downgrade() -> None:
    op.drop_index(
        "ix_user_library_item_to_categories_category", table_name="user_library_item_to_categories", schema="library"
    )
    op.drop_table("user_library_item_to_categories", schema="library")
    op.drop_index("ix_wanted_products_ask_after", table_name="wanted_products", schema="library")
    op.drop_table("wanted_products", schema="library")
    op.drop_index(
        "ix_user_library_items_shown",
        table_name="user_library_items",
        schema="library",
        postgresql_where=sa.text("acquisition_type IS NOT NULL AND is_hidden IS FALSE"),
    )
    op.drop_table("user_library_items", schema="library")
    op.drop_table("user_game_categories", schema="library")
    op.drop_table("products", schema="library")
    op.drop_table("ownership_grants", schema="library")
    op.drop_table("catalog_version", schema="library")
