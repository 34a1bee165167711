"""Adds an index of anomalies by time."""

from gameshelf.kernel.schema_changes import create_index, drop_index

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index(
        "ix_playtime_anomalies_found",
        "playtime_anomalies",
        ["detected_at", "user_id", "kind", "subject"],
        schema="playtime",
    )


def downgrade() -> None:
    drop_index("ix_playtime_anomalies_found", "playtime_anomalies", schema="playtime")
