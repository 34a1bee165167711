"""After a restore the same is done by statements that Citus accepts as well."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# Citus refuses a change that calls a function whose result differs within a statement, and in ON CONFLICT any that is
# not immutable. The transaction begins behind the restored time, so its own time is as good.
_MARK = """
    CREATE OR REPLACE FUNCTION savegames.mark_restored() RETURNS void LANGUAGE sql AS $$
        UPDATE savegames.savegame_slots
        SET last_version = GREATEST(last_version, extract(epoch FROM {now})::bigint);
        UPDATE savegames.savegame_numbers
        SET last_version = GREATEST(last_version, extract(epoch FROM {now})::bigint);
        INSERT INTO savegames.savegame_scans (name, cursor, started_at)
        VALUES ('restored', '', {now})
        ON CONFLICT (name) DO UPDATE SET started_at = {now_of_conflict};
        UPDATE savegames.savegame_upload_files file SET content_id = NULL
        FROM savegames.savegame_contents content
        WHERE content.user_id = file.user_id AND content.id = file.content_id AND content.state = 'pending';
        UPDATE savegames.savegame_contents SET is_written = false, list_revision = list_revision + 1
        WHERE kind = 'list' AND state = 'live'
            AND created_at > (SELECT max(created_at) FROM savegames.savegame_contents) - interval '1 day';
        DELETE FROM savegames.savegame_contents WHERE state = 'pending';
    $$
"""


def upgrade() -> None:
    op.execute(_MARK.format(now="now()", now_of_conflict="excluded.started_at"))


def downgrade() -> None:
    op.execute(_MARK.format(now="clock_timestamp()", now_of_conflict="clock_timestamp()"))
