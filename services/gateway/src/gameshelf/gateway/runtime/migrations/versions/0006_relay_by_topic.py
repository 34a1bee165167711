"""The relay serves each topic by itself, and keeps what Kafka refuses."""

import sqlalchemy as sa
from alembic import op
from gameshelf.kernel.schema_changes import create_index, drop_index

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The release before still reads by ``ix_outbox_shard``, which a later migration drops.
    create_index("ix_outbox_topic", "outbox", ["topic", "shard", "id"], schema="gateway")
    op.create_table(
        "refused_records",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("topic", sa.String(length=249), nullable=False),
        sa.Column("record_key", sa.String(length=200), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("traceparent", sa.String(length=100), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refused_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_refused_records"),
        schema="gateway",
    )
    op.create_index("ix_refused_records_refused_at", "refused_records", ["refused_at"], schema="gateway")
    op.create_index("ix_refused_records_user", "refused_records", ["user_id"], schema="gateway")


def downgrade() -> None:
    op.drop_table("refused_records", schema="gateway")
    drop_index("ix_outbox_topic", "outbox", schema="gateway")
