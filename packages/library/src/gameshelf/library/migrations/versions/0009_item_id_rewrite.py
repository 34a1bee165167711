"""ids of items are rewritten.

A job does it a day after this migration, when no instance of the release before runs any more.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "item_id_rewrite",
        sa.Column("singleton", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("after_user", sa.Uuid(), nullable=False),
        sa.Column("after_item", sa.Uuid(), nullable=False),
        sa.Column("has_skipped", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("singleton", name=op.f("ck_item_id_rewrite_singleton")),
        sa.PrimaryKeyConstraint("singleton", name=op.f("pk_item_id_rewrite")),
        schema="library",
    )
    op.execute(
        "INSERT INTO library.item_id_rewrite (not_before, after_user, after_item) VALUES "
        "(now() + interval '1 day', '00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000000')"
    )


def downgrade() -> None:
    op.drop_table("item_id_rewrite", schema="library")
