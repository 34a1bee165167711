"""The times of the newest backups, for the metric of their age."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "backups",
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("point", sa.DateTime(timezone=True), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_backups")),
        schema="gateway",
    )


def downgrade() -> None:
    op.drop_table("backups", schema="gateway")
