"""revisions after a restore."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Called when a backup has been restored. Clients remember revisions that were given out after it: an If-Match
    # with one of those may never fit another state. The time in seconds is beyond any of them.
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
