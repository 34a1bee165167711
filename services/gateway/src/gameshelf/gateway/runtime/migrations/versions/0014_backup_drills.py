"""Markers by which a drill finds out what a backup holds, and the newest drill of each kind."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "backup_markers",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backup_markers")),
        schema="gateway",
    )
    op.create_table(
        "backup_drills",
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rto_seconds", sa.Double(), nullable=False),
        sa.Column("rpo_seconds", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_backup_drills")),
        schema="gateway",
    )


def downgrade() -> None:
    op.drop_table("backup_drills", schema="gateway")
    op.drop_table("backup_markers", schema="gateway")
