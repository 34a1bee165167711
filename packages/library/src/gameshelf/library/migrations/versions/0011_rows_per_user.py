"""The planner expects a user to have many rows, independent of statistics."""

from gameshelf.kernel.schema_changes import reset_rows_per_user, set_rows_per_user

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TABLES = (
    "user_library_items",
    "user_game_categories",
    "user_library_item_to_categories",
    "ownership_grants",
    "order_facts",
    "family_memberships",
    "first_accesses",
    "wanted_products",
)
_TABLES_OF_OWNERS = ("family_sharing_links", "family_seats")


def upgrade() -> None:
    set_rows_per_user(*_TABLES, schema="library")
    set_rows_per_user(*_TABLES_OF_OWNERS, schema="library", column="owner_user_id")


def downgrade() -> None:
    reset_rows_per_user(*_TABLES, schema="library")
    reset_rows_per_user(*_TABLES_OF_OWNERS, schema="library", column="owner_user_id")
