"""Deferred records of Kafka, and an index of dead letters by key."""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from gameshelf.kernel.schema_changes import create_index, drop_index

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # For erasures, which find letters whose key is the user's id: 36 bytes of text. Other keys may be too long for it.
    create_index(
        "ix_dead_letters_key",
        "dead_letters",
        ["record_key"],
        schema="gateway",
        postgresql_where=sa.text("octet_length(record_key) = 36"),
    )
    op.create_table(
        "deferred_records",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("topic", sqlmodel.sql.sqltypes.AutoString(length=249), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("record_offset", sa.BigInteger(), nullable=False),
        sa.Column("record_timestamp", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("record_key", sa.LargeBinary(), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint(
            "subject_id", "topic", "partition", "record_offset", "record_timestamp", name=op.f("pk_deferred_records")
        ),
        schema="gateway",
    )


def downgrade() -> None:
    op.drop_table("deferred_records", schema="gateway")
    drop_index("ix_dead_letters_key", "dead_letters", schema="gateway")
