"""numbers of versions after a restore."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Called when a backup has been restored. Versions were given out after it, and devices and the store remember
    # them: the same number may never mean other bytes. The time in seconds is beyond any of them, after another
    # restore too. Confirmations that were on their way may have ended well in the lost time: forgotten, their objects
    # are what the database has never heard of, and are looked at and taken back as such, not removed as given up.
    op.execute(
        """
        CREATE FUNCTION savegames.mark_restored() RETURNS void LANGUAGE sql AS $$
            UPDATE savegames.savegame_slots
            SET last_version = GREATEST(last_version, extract(epoch FROM clock_timestamp())::bigint);
            DELETE FROM savegames.savegame_contents WHERE state = 'pending';
        $$
        """
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION savegames.mark_restored()")
