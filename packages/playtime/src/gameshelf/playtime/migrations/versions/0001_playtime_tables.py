"""Creates the tables of playtime."""

from datetime import UTC, datetime

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "playtime_anomalies",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("subject", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("detected_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "kind", "subject", name=op.f("pk_playtime_anomalies")),
        schema="playtime",
    )
    op.create_table(
        "playtime_corrections",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("pk_playtime_corrections")),
        schema="playtime",
    )
    op.create_index(
        "ix_playtime_corrections_product",
        "playtime_corrections",
        ["user_id", "product_id"],
        unique=False,
        schema="playtime",
    )
    op.create_table(
        "playtime_intervals",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("start_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_time", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("end_time > start_time", name=op.f("ck_playtime_intervals_forwards")),
        sa.PrimaryKeyConstraint("user_id", "product_id", "start_time", name=op.f("pk_playtime_intervals")),
        schema="playtime",
    )
    op.create_table(
        "playtime_sessions",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sqlmodel.sql.sqltypes.AutoString(length=100), server_default="", nullable=False),
        sa.Column("platform", sqlmodel.sql.sqltypes.AutoString(length=50), nullable=True),
        sa.Column("start_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duration_seconds", sa.Integer(), nullable=True),
        sa.Column("end_reason", sa.String(length=20), nullable=True),
        sa.Column("last_heartbeat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("client_session_id", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=True),
        sa.Column("seat_number", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "end_reason IN ('completed', 'timeout', 'imported', 'access_revoked')",
            name=op.f("ck_playtime_sessions_end_reason"),
        ),
        sa.CheckConstraint(
            "(end_time IS NULL) = (duration_seconds IS NULL)", name=op.f("ck_playtime_sessions_duration")
        ),
        sa.CheckConstraint("(end_time IS NULL) = (end_reason IS NULL)", name=op.f("ck_playtime_sessions_ended")),
        sa.CheckConstraint("end_time >= start_time", name=op.f("ck_playtime_sessions_forwards")),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("pk_playtime_sessions")),
        schema="playtime",
        postgresql_with={"fillfactor": 70},
    )
    op.create_index(
        "ix_playtime_sessions_history",
        "playtime_sessions",
        ["user_id", sa.literal_column("start_time DESC"), "id"],
        unique=False,
        schema="playtime",
    )
    op.create_index(
        "ix_playtime_sessions_live",
        "playtime_sessions",
        ["id"],
        unique=False,
        schema="playtime",
        postgresql_where=sa.text("end_time IS NULL"),
    )
    op.create_index(
        "ix_playtime_sessions_product",
        "playtime_sessions",
        ["user_id", "product_id", "start_time"],
        unique=False,
        schema="playtime",
    )
    op.create_index(
        "uq_playtime_sessions_import",
        "playtime_sessions",
        ["user_id", "client_session_id"],
        unique=True,
        schema="playtime",
        postgresql_where=sa.text("client_session_id IS NOT NULL"),
    )
    op.create_index(
        "uq_playtime_sessions_running",
        "playtime_sessions",
        ["user_id", "product_id", "device_id"],
        unique=True,
        schema="playtime",
        postgresql_where=sa.text("end_time IS NULL"),
    )
    op.create_table(
        "playtime_syncs",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "device_id", name=op.f("pk_playtime_syncs")),
        schema="playtime",
    )
    op.create_table(
        "playtime_totals",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("played_seconds", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("corrected_seconds", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("session_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_played_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("played_seconds >= 0", name=op.f("ck_playtime_totals_played_seconds")),
        sa.PrimaryKeyConstraint("user_id", "product_id", name=op.f("pk_playtime_totals")),
        schema="playtime",
    )
    watches = op.create_table(
        "playtime_watches",
        sa.Column("shard", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("ticks", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checkpointed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("swept_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shard", name=op.f("pk_playtime_watches")),
        schema="playtime",
    )
    # Old times: the first look at a shard finds a break and restarts its watch.
    times = dict.fromkeys(("seen_at", "since", "checkpointed_at", "swept_at"), datetime(2000, 1, 1, tzinfo=UTC))
    op.bulk_insert(watches, [{"shard": shard, "ticks": 0, **times} for shard in range(16)])


def downgrade() -> None:
    op.drop_table("playtime_watches", schema="playtime")
    op.drop_table("playtime_totals", schema="playtime")
    op.drop_table("playtime_syncs", schema="playtime")
    op.drop_index(
        "uq_playtime_sessions_running",
        table_name="playtime_sessions",
        schema="playtime",
        postgresql_where=sa.text("end_time IS NULL"),
    )
    op.drop_index(
        "uq_playtime_sessions_import",
        table_name="playtime_sessions",
        schema="playtime",
        postgresql_where=sa.text("client_session_id IS NOT NULL"),
    )
    op.drop_index(
        "ix_playtime_sessions_live",
        table_name="playtime_sessions",
        schema="playtime",
        postgresql_where=sa.text("end_time IS NULL"),
    )
    op.drop_index("ix_playtime_sessions_product", table_name="playtime_sessions", schema="playtime")
    op.drop_index("ix_playtime_sessions_history", table_name="playtime_sessions", schema="playtime")
    op.drop_table("playtime_sessions", schema="playtime")
    op.drop_table("playtime_intervals", schema="playtime")
    op.drop_index("ix_playtime_corrections_product", table_name="playtime_corrections", schema="playtime")
    op.drop_table("playtime_corrections", schema="playtime")
    op.drop_table("playtime_anomalies", schema="playtime")
