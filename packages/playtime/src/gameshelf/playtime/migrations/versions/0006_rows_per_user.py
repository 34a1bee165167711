"""The planner expects a user to have many rows, whatever the statistics are of."""

from gameshelf.kernel.schema_changes import reset_rows_per_user, set_rows_per_user

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TABLES = (
    "playtime_sessions",
    "playtime_copy_parts",
    "playtime_intervals",
    "playtime_totals",
    "playtime_corrections",
    "playtime_anomalies",
    "playtime_syncs",
)


def upgrade() -> None:
    set_rows_per_user(*_TABLES, schema="playtime")


def downgrade() -> None:
    reset_rows_per_user(*_TABLES, schema="playtime")
