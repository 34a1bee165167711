"""The planner expects a user to have many rows, whatever the statistics are of."""

from gameshelf.kernel.schema_changes import reset_rows_per_user, set_rows_per_user

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TABLES = ("wishlist_items", "price_notifications", "sale_notifications", "held_back_wishers")


def upgrade() -> None:
    set_rows_per_user(*_TABLES, schema="wishlist")


def downgrade() -> None:
    reset_rows_per_user(*_TABLES, schema="wishlist")
