"""Payloads that were replaced or deleted, so that support can restore them.

The release before does not write them: what it replaces is not kept.
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from gameshelf.kernel.schema_changes import set_rows_per_user
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kept_payloads",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(length=10), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("settings_payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("stored_bytes", sa.Integer(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sqlmodel.sql.sqltypes.AutoString(length=10), nullable=False),
        sa.CheckConstraint("kind IN ('account', 'platform', 'device')", name=op.f("ck_kept_payloads_kind")),
        sa.PrimaryKeyConstraint("user_id", "product_id", "kind", "name", "revision", name=op.f("pk_kept_payloads")),
        schema="settings",
    )
    op.create_index("ix_kept_payloads_ended_at", "kept_payloads", ["ended_at"], schema="settings")
    set_rows_per_user("kept_payloads", schema="settings")


def downgrade() -> None:
    op.drop_table("kept_payloads", schema="settings")
