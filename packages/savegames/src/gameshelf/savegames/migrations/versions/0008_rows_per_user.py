"""The planner expects a user to have many rows, whatever the statistics are of."""

from gameshelf.kernel.schema_changes import reset_rows_per_user, set_rows_per_user

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TABLES = (
    "savegame_slots",
    "savegame_numbers",
    "savegame_contents",
    "savegame_metadata",
    "savegame_uploads",
    "savegame_conflicts",
    "savegame_devices",
)


def upgrade() -> None:
    set_rows_per_user(*_TABLES, schema="savegames")


def downgrade() -> None:
    reset_rows_per_user(*_TABLES, schema="savegames")
