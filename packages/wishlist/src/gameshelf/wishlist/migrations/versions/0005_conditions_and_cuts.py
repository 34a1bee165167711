"""Adds which lasting cuts existed when the conditions of a wish changed: the new conditions are not about them.

The release before leaves the column as it is: for a wish that it changes, a cut counts as it did before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "wishlist_items", sa.Column("cut_seen_at", sa.DateTime(timezone=True), nullable=True), schema="wishlist"
    )


def downgrade() -> None:
    op.drop_column("wishlist_items", "cut_seen_at", schema="wishlist")
