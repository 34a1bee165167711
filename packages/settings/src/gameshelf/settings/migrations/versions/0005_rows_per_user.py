"""The planner expects many rows per user, whatever its statistics contain."""

from gameshelf.kernel.schema_changes import reset_rows_per_user, set_rows_per_user

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TABLES = ("game_specific_settings", "game_settings_overlays")


def upgrade() -> None:
    set_rows_per_user(*_TABLES, schema="settings")


def downgrade() -> None:
    reset_rows_per_user(*_TABLES, schema="settings")
