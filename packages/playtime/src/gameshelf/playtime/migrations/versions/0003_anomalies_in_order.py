"""anomalies in order."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_playtime_anomalies_found",
        "playtime_anomalies",
        ["detected_at", "user_id", "kind", "subject"],
        unique=False,
        schema="playtime",
    )


def downgrade() -> None:
    op.drop_index("ix_playtime_anomalies_found", table_name="playtime_anomalies", schema="playtime")
