"""Version numbers after a restore."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # It is called after a backup was restored. Numbers were assigned after the backup, and devices and the store
    # remember them: a number must never mean other bytes. The Unix time is above all of them, after another restore
    # too. Pending confirmations may have succeeded after the backup. Their rows are deleted, so their objects are
    # unknown to the database and are adopted, and not deleted as abandoned.
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
