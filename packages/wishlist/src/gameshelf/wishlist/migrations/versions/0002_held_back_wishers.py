"""Adds wishers who are notified of a sale alone; deletes ends of sales that are invalid times."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "held_back_wishers",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "product_id", name="pk_held_back_wishers"),
        schema="wishlist",
    )
    op.create_index("ix_held_back_wishers_since", "held_back_wishers", ["since"], schema="wishlist")
    # An end outside of the valid times counts as absent. The release before may still write such ones, so reads treat
    # them as absent, too.
    op.execute("UPDATE wishlist.product_prices SET sale_ends_at = NULL WHERE sale_ends_at >= '2200-01-01Z'")
    op.execute("UPDATE wishlist.product_prices SET sale_ends_at = NULL WHERE sale_ends_at < '1970-01-01Z'")


def downgrade() -> None:
    op.drop_table("held_back_wishers", schema="wishlist")
