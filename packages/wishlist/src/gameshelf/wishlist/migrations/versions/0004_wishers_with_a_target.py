"""Adds an index of wishers with a target in a currency: a price for these alone does not read all wishers."""

import sqlalchemy as sa
from gameshelf.kernel.schema_changes import create_index, drop_index

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NAME, _TABLE = "ix_wishlist_items_targets", "wishlist_items"


def upgrade() -> None:
    create_index(
        _NAME,
        _TABLE,
        ["product_id", "target_currency", "user_id"],
        schema="wishlist",
        postgresql_where=sa.text("target_currency IS NOT NULL"),
    )


def downgrade() -> None:
    drop_index(_NAME, _TABLE, schema="wishlist")
