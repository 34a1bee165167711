"""Attempts to report an achievement that were refused, so that support can explain them."""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from gameshelf.kernel.schema_changes import set_rows_per_user

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "refused_attempts",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sqlmodel.sql.sqltypes.AutoString(length=140), nullable=False),
        sa.Column("rule", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
        sa.Column("source", sqlmodel.sql.sqltypes.AutoString(length=120), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "subject", "rule", "source", name=op.f("pk_refused_attempts")),
        schema="achievements",
    )
    op.create_index("ix_refused_attempts_last_at", "refused_attempts", ["last_at"], schema="achievements")
    set_rows_per_user("refused_attempts", schema="achievements")


def downgrade() -> None:
    op.drop_table("refused_attempts", schema="achievements")
