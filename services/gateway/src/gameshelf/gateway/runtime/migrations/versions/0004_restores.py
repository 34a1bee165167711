"""restores."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "restores",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("restored_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("restored_point", sa.DateTime(timezone=True), nullable=False),
        sa.Column("backup", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("compared_through", sa.String(collation="C"), server_default="", nullable=False),
        sa.Column("reconciled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restores")),
        schema="gateway",
    )
    op.create_table(
        "rewinds",
        sa.Column("restore_id", sa.Uuid(), nullable=False),
        sa.Column("topic", sqlmodel.sql.sqltypes.AutoString(length=249), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("rewound_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("restore_id", "topic", "partition", name=op.f("pk_rewinds")),
        schema="gateway",
    )
    # Called after a restore, in the transaction that also calls the other schemas' functions of this name. Devices may
    # have versions and event numbers from after the backup, as ETags and cursors. So the counters continue at the current
    # time in milliseconds, which is larger than all of them, and a client with an old cursor has to resynchronise. Rows
    # of users that are created later begin at that number, too.
    op.execute(
        """
        CREATE FUNCTION gateway.mark_restored(point timestamptz, backup text, actor text, reason text) RETURNS uuid
        LANGUAGE sql AS $$
            UPDATE gateway.user_streams
            SET version = GREATEST(version, extract(epoch FROM now())::bigint * 1000),
                last_sequence = GREATEST(last_sequence, extract(epoch FROM now())::bigint * 1000),
                pruned_sequence = GREATEST(last_sequence, extract(epoch FROM now())::bigint * 1000);
            INSERT INTO gateway.restores (restored_point, backup, actor, reason)
            VALUES (point, backup, actor, reason) RETURNING id;
        $$
        """
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION gateway.mark_restored(timestamptz, text, text, text)")
    op.drop_table("rewinds", schema="gateway")
    op.drop_table("restores", schema="gateway")
