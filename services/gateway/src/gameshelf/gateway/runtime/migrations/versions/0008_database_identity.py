"""database identity."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "database_identity",
        sa.Column("singleton", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("system", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
        sa.Column("timeline", sqlmodel.sql.sqltypes.AutoString(length=8), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("singleton", name=op.f("ck_database_identity_singleton")),
        sa.PrimaryKeyConstraint("singleton", name=op.f("pk_database_identity")),
        schema="gateway",
    )


def downgrade() -> None:
    op.drop_table("database_identity", schema="gateway")
