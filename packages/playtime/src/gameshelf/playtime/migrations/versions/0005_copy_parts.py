"""Adds the parts of sessions that were played on other copies.

The release before writes neither the column nor the table: its sessions are played on one copy from start to end.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "playtime_copy_parts",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("start_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("copy_owner_user_id", sa.Uuid(), nullable=True),
        sa.Column("seat_number", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("end_time > start_time", name=op.f("ck_playtime_copy_parts_forwards")),
        sa.PrimaryKeyConstraint("user_id", "session_id", "start_time", name=op.f("pk_playtime_copy_parts")),
        schema="playtime",
    )
    op.create_index(
        "ix_playtime_copy_parts_copy",
        "playtime_copy_parts",
        ["copy_owner_user_id", "product_id", "start_time"],
        unique=False,
        schema="playtime",
        postgresql_where=sa.text("copy_owner_user_id IS NOT NULL"),
    )
    op.create_index(
        "ix_playtime_copy_parts_product",
        "playtime_copy_parts",
        ["user_id", "product_id", "start_time"],
        unique=False,
        schema="playtime",
    )
    op.add_column(
        "playtime_sessions", sa.Column("copy_since", sa.DateTime(timezone=True), nullable=True), schema="playtime"
    )


def downgrade() -> None:
    op.drop_column("playtime_sessions", "copy_since", schema="playtime")
    op.drop_table("playtime_copy_parts", schema="playtime")
