"""Creates the tables of wishlists."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "product_prices",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sqlmodel.sql.sqltypes.AutoString(length=3), nullable=False),
        sa.Column("discount_percent", sa.SmallInteger(), nullable=False),
        sa.Column("sale_id", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=True),
        sa.Column("sale_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_product_prices")),
        schema="wishlist",
    )
    op.create_table(
        "sale_fanouts",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("cursor", sa.Uuid(), nullable=False),
        sa.Column("advanced_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_sale_fanouts")),
        schema="wishlist",
    )
    op.create_index("ix_sale_fanouts_advanced_at", "sale_fanouts", ["advanced_at"], unique=False, schema="wishlist")
    op.create_table(
        "sale_notifications",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("sale_id", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("notified_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "sale_id", name=op.f("pk_sale_notifications")),
        schema="wishlist",
    )
    op.create_index(
        "ix_sale_notifications_notified_at", "sale_notifications", ["notified_at"], unique=False, schema="wishlist"
    )
    op.create_table(
        "wishlist_items",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=True),
        sa.Column("notes", sqlmodel.sql.sqltypes.AutoString(length=1000), nullable=True),
        sa.Column("target_price_minor", sa.BigInteger(), nullable=True),
        sa.Column("target_currency", sqlmodel.sql.sqltypes.AutoString(length=3), nullable=True),
        sa.Column("min_discount_percent", sa.SmallInteger(), nullable=True),
        sa.CheckConstraint(
            "(target_price_minor IS NULL) = (target_currency IS NULL)", name=op.f("ck_wishlist_items_target_currency")
        ),
        sa.CheckConstraint(
            "min_discount_percent BETWEEN 1 AND 100", name=op.f("ck_wishlist_items_min_discount_percent")
        ),
        sa.CheckConstraint("priority >= 1", name=op.f("ck_wishlist_items_priority")),
        sa.CheckConstraint("target_price_minor >= 0", name=op.f("ck_wishlist_items_target_price_minor")),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("pk_wishlist_items")),
        sa.UniqueConstraint("user_id", "product_id", name=op.f("uq_wishlist_items_user_id_product_id")),
        schema="wishlist",
    )
    op.create_index(
        "ix_wishlist_items_wishers", "wishlist_items", ["product_id", "user_id"], unique=False, schema="wishlist"
    )


def downgrade() -> None:
    op.drop_index("ix_wishlist_items_wishers", table_name="wishlist_items", schema="wishlist")
    op.drop_table("wishlist_items", schema="wishlist")
    op.drop_index("ix_sale_notifications_notified_at", table_name="sale_notifications", schema="wishlist")
    op.drop_table("sale_notifications", schema="wishlist")
    op.drop_index("ix_sale_fanouts_advanced_at", table_name="sale_fanouts", schema="wishlist")
    op.drop_table("sale_fanouts", schema="wishlist")
    op.drop_table("product_prices", schema="wishlist")
