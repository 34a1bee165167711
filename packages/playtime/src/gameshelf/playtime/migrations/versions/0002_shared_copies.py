"""Adds the owners of shared copies."""

import sqlalchemy as sa
from alembic import op
from gameshelf.kernel.schema_changes import add_check, create_index, drop_index

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_CHECK = "ck_playtime_sessions_end_reason"
_TABLE = "playtime_sessions"


def upgrade() -> None:
    op.add_column(
        _TABLE, sa.Column("copy_owner_user_id", sa.Uuid(), nullable=True), schema="playtime", if_not_exists=True
    )
    add_check(
        _CHECK,
        _TABLE,
        "end_reason IN ('completed', 'timeout', 'imported', 'access_revoked', 'seat_lost')",
        schema="playtime",
    )
    create_index(
        "ix_playtime_sessions_copy",
        _TABLE,
        ["copy_owner_user_id", "product_id", "start_time"],
        schema="playtime",
        postgresql_where=sa.text("copy_owner_user_id IS NOT NULL"),
    )


def downgrade() -> None:
    drop_index("ix_playtime_sessions_copy", _TABLE, schema="playtime")
    op.execute("UPDATE playtime.playtime_sessions SET end_reason = 'access_revoked' WHERE end_reason = 'seat_lost'")
    add_check(
        _CHECK,
        _TABLE,
        "end_reason IN ('completed', 'timeout', 'imported', 'access_revoked')",
        schema="playtime",
    )
    op.drop_column(_TABLE, "copy_owner_user_id", schema="playtime")
