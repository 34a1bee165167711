"""After a restore the same is done by statements that Citus accepts as well."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Citus refuses a change that calls a function whose result differs within a statement. The transaction begins behind
# the restored time, so its own time is as good.
_MARK = """
    CREATE OR REPLACE FUNCTION settings.mark_restored() RETURNS void LANGUAGE sql AS $$
        UPDATE settings.game_specific_settings
        SET revision = GREATEST(revision, extract(epoch FROM {now})::bigint);
        INSERT INTO settings.first_revisions AS first (singleton, revision)
        VALUES (true, extract(epoch FROM {now})::bigint)
        ON CONFLICT (singleton) DO UPDATE SET revision = GREATEST(first.revision, EXCLUDED.revision);
    $$
"""


def upgrade() -> None:
    op.execute(_MARK.format(now="now()"))


def downgrade() -> None:
    op.execute(_MARK.format(now="clock_timestamp()"))
