"""audit."""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(length=10), nullable=False),
        sa.Column("command", sqlmodel.sql.sqltypes.AutoString(length=50), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_roles", sqlmodel.sql.sqltypes.AutoString(length=50), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("user_hash", sa.LargeBinary(), nullable=True),
        sa.Column("target", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sqlmodel.sql.sqltypes.AutoString(length=500), nullable=True),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text(), none_as_null=True), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text(), none_as_null=True), nullable=True),
        sa.Column("code", sqlmodel.sql.sqltypes.AutoString(length=50), nullable=True),
        sa.Column("undo_of", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        schema="gateway",
    )
    op.create_index(
        "uq_audit_undo_of",
        "audit",
        ["undo_of"],
        unique=True,
        schema="gateway",
        postgresql_where=sa.text("undo_of IS NOT NULL"),
    )
    op.create_index(
        "ix_audit_user",
        "audit",
        ["user_hash", "id"],
        unique=False,
        schema="gateway",
        postgresql_where=sa.text("user_hash IS NOT NULL"),
    )
    op.create_index(
        "ix_audit_actor",
        "audit",
        ["actor_id", "id"],
        unique=False,
        schema="gateway",
        postgresql_where=sa.text("actor_id IS NOT NULL"),
    )
    op.create_index("ix_audit_happened_at", "audit", ["happened_at"], unique=False, schema="gateway")


def downgrade() -> None:
    op.drop_table("audit", schema="gateway")
