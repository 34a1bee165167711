"""Revisions after a restore."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Called after a restore of a backup. Clients may remember revisions that were assigned after the backup: an
    # If-Match with one of those must not match another state. The time in seconds exceeds all of them.
    op.execute(
        """
        CREATE FUNCTION settings.mark_restored() RETURNS void LANGUAGE sql AS $$
            UPDATE settings.game_specific_settings
            SET revision = GREATEST(revision, extract(epoch FROM clock_timestamp())::bigint)
        $$
        """
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION settings.mark_restored()")
