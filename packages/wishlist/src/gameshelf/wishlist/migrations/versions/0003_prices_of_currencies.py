"""Adds prices of each currency, and notifications of each product of a sale.

The tables of the release before stay and are written for one more release. Their prices are copied, and running sales
with their cursors; users whom the release before has notified are looked up in its table.
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "currency_prices",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sqlmodel.sql.sqltypes.AutoString(length=3), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("discount_percent", sa.SmallInteger(), nullable=False),
        sa.Column("sale_id", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=True),
        sa.Column("sale_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cut_from_minor", sa.BigInteger(), nullable=True),
        sa.Column("cut_said_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cut_heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("product_id", "currency", name="pk_currency_prices"),
        schema="wishlist",
    )
    op.create_table(
        "price_fanouts",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sqlmodel.sql.sqltypes.AutoString(length=3), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("cursor", sa.Uuid(), nullable=False),
        sa.Column("advanced_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("product_id", "currency", name="pk_price_fanouts"),
        schema="wishlist",
    )
    op.create_index("ix_price_fanouts_advanced_at", "price_fanouts", ["advanced_at"], schema="wishlist")
    op.create_table(
        "price_notifications",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("sale_id", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=True),
        sa.Column("notified_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "id", name="pk_price_notifications"),
        schema="wishlist",
    )
    op.create_index("ix_price_notifications_notified_at", "price_notifications", ["notified_at"], schema="wishlist")
    op.execute(
        "INSERT INTO wishlist.currency_prices "
        "(product_id, currency, price_minor, discount_percent, sale_id, sale_ends_at, said_at) "
        "SELECT product_id, currency, price_minor, discount_percent, sale_id, "
        "CASE WHEN sale_ends_at >= '1970-01-01Z' AND sale_ends_at < '2200-01-01Z' THEN sale_ends_at END, said_at "
        "FROM wishlist.product_prices"
    )
    op.execute(
        "INSERT INTO wishlist.price_fanouts (product_id, currency, id, cursor, advanced_at) "
        "SELECT f.product_id, p.currency, f.id, f.cursor, f.advanced_at "
        "FROM wishlist.sale_fanouts f JOIN wishlist.product_prices p ON p.product_id = f.product_id"
    )


def downgrade() -> None:
    op.drop_table("price_notifications", schema="wishlist")
    op.drop_table("price_fanouts", schema="wishlist")
    op.drop_table("currency_prices", schema="wishlist")
