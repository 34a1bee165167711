"""gateway tables."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("topic", sqlmodel.sql.sqltypes.AutoString(length=249), nullable=False),
        sa.Column("reason", sqlmodel.sql.sqltypes.AutoString(length=50), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("record_key", sa.LargeBinary(), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letters")),
        schema="gateway",
    )
    op.create_index("ix_dead_letters_user", "dead_letters", ["user_id"], unique=False, schema="gateway")
    op.create_index("ix_dead_letters_created_at", "dead_letters", ["created_at"], unique=False, schema="gateway")
    op.create_table(
        "erased_users",
        sa.Column("user_hash", sa.LargeBinary(), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("user_hash", name=op.f("pk_erased_users")),
        schema="gateway",
    )
    op.create_table(
        "feed",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "sequence", name=op.f("pk_feed")),
        schema="gateway",
    )
    op.create_index("ix_feed_occurred_at", "feed", ["occurred_at"], unique=False, schema="gateway")
    op.create_table(
        "idempotency_keys",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("endpoint", sqlmodel.sql.sqltypes.AutoString(length=500), nullable=False),
        sa.Column("key", sqlmodel.sql.sqltypes.AutoString(length=255), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "endpoint", "key", name=op.f("pk_idempotency_keys")),
        schema="gateway",
    )
    op.create_index(
        "ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"], unique=False, schema="gateway"
    )
    op.create_table(
        "inbox",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("source", sqlmodel.sql.sqltypes.AutoString(length=500), nullable=False),
        sa.Column("event_id", sqlmodel.sql.sqltypes.AutoString(length=500), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", "source", "event_id", name=op.f("pk_inbox")),
        schema="gateway",
    )
    op.create_index("ix_inbox_received_at", "inbox", ["received_at"], unique=False, schema="gateway")
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("topic", sqlmodel.sql.sqltypes.AutoString(length=249), nullable=False),
        sa.Column("record_key", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("traceparent", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        schema="gateway",
    )
    op.create_index("ix_outbox_shard", "outbox", ["shard", "id"], unique=False, schema="gateway")
    op.create_index("ix_outbox_user", "outbox", ["user_id"], unique=False, schema="gateway")
    op.create_table(
        "user_streams",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("pruned_sequence", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_user_streams")),
        schema="gateway",
    )
    op.create_index(
        "ix_user_streams_erased",
        "user_streams",
        ["erased_at"],
        unique=False,
        schema="gateway",
        postgresql_where=sa.text("erased_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_user_streams_erased",
        table_name="user_streams",
        schema="gateway",
        postgresql_where=sa.text("erased_at IS NOT NULL"),
    )
    op.drop_table("user_streams", schema="gateway")
    op.drop_index("ix_outbox_user", table_name="outbox", schema="gateway")
    op.drop_index("ix_outbox_shard", table_name="outbox", schema="gateway")
    op.drop_table("outbox", schema="gateway")
    op.drop_index("ix_inbox_received_at", table_name="inbox", schema="gateway")
    op.drop_table("inbox", schema="gateway")
    op.drop_index("ix_idempotency_keys_created_at", table_name="idempotency_keys", schema="gateway")
    op.drop_table("idempotency_keys", schema="gateway")
    op.drop_index("ix_feed_occurred_at", table_name="feed", schema="gateway")
    op.drop_table("feed", schema="gateway")
    op.drop_table("erased_users", schema="gateway")
    op.drop_index("ix_dead_letters_created_at", table_name="dead_letters", schema="gateway")
    op.drop_index("ix_dead_letters_user", table_name="dead_letters", schema="gateway")
    op.drop_table("dead_letters", schema="gateway")
