"""shared copies."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_CHECK = "ck_playtime_sessions_end_reason"


def upgrade() -> None:
    op.add_column("playtime_sessions", sa.Column("copy_owner_user_id", sa.Uuid(), nullable=True), schema="playtime")
    op.create_index(
        "ix_playtime_sessions_copy",
        "playtime_sessions",
        ["copy_owner_user_id", "product_id", "start_time"],
        unique=False,
        schema="playtime",
        postgresql_where=sa.text("copy_owner_user_id IS NOT NULL"),
    )
    op.drop_constraint(op.f(_CHECK), "playtime_sessions", schema="playtime")
    op.create_check_constraint(
        op.f(_CHECK),
        "playtime_sessions",
        "end_reason IN ('completed', 'timeout', 'imported', 'access_revoked', 'seat_lost')",
        schema="playtime",
    )


def downgrade() -> None:
    op.execute("UPDATE playtime.playtime_sessions SET end_reason = 'access_revoked' WHERE end_reason = 'seat_lost'")
    op.drop_constraint(op.f(_CHECK), "playtime_sessions", schema="playtime")
    op.create_check_constraint(
        op.f(_CHECK),
        "playtime_sessions",
        "end_reason IN ('completed', 'timeout', 'imported', 'access_revoked')",
        schema="playtime",
    )
    op.drop_index(
        "ix_playtime_sessions_copy",
        table_name="playtime_sessions",
        schema="playtime",
        postgresql_where=sa.text("copy_owner_user_id IS NOT NULL"),
    )
    op.drop_column("playtime_sessions", "copy_owner_user_id", schema="playtime")
