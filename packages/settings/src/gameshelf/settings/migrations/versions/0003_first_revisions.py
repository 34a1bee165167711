"""first revisions after a restore."""

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
# Settings that the restored database has never heard of may have been made in the lost time. Whoever makes them again
# must not begin at a revision that a client remembers from then.
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
    # A restore of before left its time in every row that there was: no count gets that far.
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
