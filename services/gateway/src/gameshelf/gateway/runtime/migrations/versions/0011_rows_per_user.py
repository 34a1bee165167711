"""Makes the planner expect many rows per user, regardless of the statistics."""

from gameshelf.kernel.schema_changes import reset_rows_per_user, set_rows_per_user

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TABLES = ("feed", "forwarded_events", "idempotency_keys")
_TABLES_OF_SUBJECTS = ("inbox", "deferred_records")


def upgrade() -> None:
    set_rows_per_user(*_TABLES, schema="gateway")
    set_rows_per_user(*_TABLES_OF_SUBJECTS, schema="gateway", column="subject_id")


def downgrade() -> None:
    reset_rows_per_user(*_TABLES, schema="gateway")
    reset_rows_per_user(*_TABLES_OF_SUBJECTS, schema="gateway", column="subject_id")
