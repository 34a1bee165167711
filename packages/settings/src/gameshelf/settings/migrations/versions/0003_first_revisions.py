"""The first revision of settings that are created after a restore."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_MARK = """
    CREATE OR REPLACE FUNCTION settings.mark_restored() RETURNS void LANGUAGE sql AS $$
        UPDATE settings.game_specific_settings
        SET revision = GREATEST(revision, extract(epoch FROM clock_timestamp())::bigint);
        {more}
    $$
"""
# Settings that were created in the lost time are not in the restored database. When they are created again, they must
# not begin at a revision that a client remembers from that time.
_FIRST = """
        INSERT INTO settings.first_revisions AS first (singleton, revision)
        VALUES (true, extract(epoch FROM clock_timestamp())::bigint)
        ON CONFLICT (singleton) DO UPDATE SET revision = GREATEST(first.revision, EXCLUDED.revision);
"""


def upgrade() -> None:
    op.create_table(
        "first_revisions",
        sa.Column("singleton", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("singleton", name=op.f("ck_first_revisions_singleton")),
        sa.PrimaryKeyConstraint("singleton", name=op.f("pk_first_revisions")),
        schema="settings",
    )
    # An earlier restore has written its time into every row. No counter reaches such a value.
    op.execute(
        """
        INSERT INTO settings.first_revisions (revision)
        SELECT max(revision) FROM settings.game_specific_settings HAVING max(revision) > 1000000000
        """
    )
    op.execute(_MARK.format(more=_FIRST))


def downgrade() -> None:
    op.execute(_MARK.format(more=""))
    op.drop_table("first_revisions", schema="settings")
