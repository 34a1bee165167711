"""Lists that change while their objects are written, and an index of the lists of pruned versions."""

import sqlalchemy as sa
from alembic import op
from gameshelf.kernel.schema_changes import create_index, drop_index

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# As before (0009), but of lists the last day before the restored point are written again, not the last day before now:
# no content is newer than that point.
_LAST_LISTS = """
    UPDATE savegames.savegame_contents SET is_written = false, list_revision = list_revision + 1
    WHERE kind = 'list' AND state = 'live'
        AND created_at > (SELECT max(created_at) FROM savegames.savegame_contents) - interval '1 day';
"""
_LISTS_OF_TODAY = """
    UPDATE savegames.savegame_contents SET is_written = false
    WHERE kind = 'list' AND state = 'live' AND created_at > clock_timestamp() - interval '1 day';
"""


def _replace_mark_restored(lists: str) -> None:
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION savegames.mark_restored() RETURNS void LANGUAGE sql AS $$
            UPDATE savegames.savegame_slots
            SET last_version = GREATEST(last_version, extract(epoch FROM clock_timestamp())::bigint);
            UPDATE savegames.savegame_numbers
            SET last_version = GREATEST(last_version, extract(epoch FROM clock_timestamp())::bigint);
            INSERT INTO savegames.savegame_scans (name, cursor, started_at)
            VALUES ('restored', '', clock_timestamp())
            ON CONFLICT (name) DO UPDATE SET started_at = clock_timestamp();
            UPDATE savegames.savegame_upload_files file SET content_id = NULL
            FROM savegames.savegame_contents content
            WHERE content.user_id = file.user_id AND content.id = file.content_id AND content.state = 'pending';
            {lists}
            DELETE FROM savegames.savegame_contents WHERE state = 'pending';
        $$
        """  # noqa: S608 - constants
    )


def upgrade() -> None:
    op.add_column(
        "savegame_contents",
        sa.Column("list_revision", sa.Integer(), nullable=False, server_default=sa.text("0")),
        schema="savegames",
    )
    _replace_mark_restored(_LAST_LISTS)
    create_index(
        "ix_savegame_metadata_pruned_lists",
        "savegame_metadata",
        ["user_id", "slot_id", "version"],
        schema="savegames",
        postgresql_where=sa.text("content_id IS NULL AND manifest_id IS NOT NULL"),
    )


def downgrade() -> None:
    drop_index("ix_savegame_metadata_pruned_lists", "savegame_metadata", schema="savegames")
    _replace_mark_restored(_LISTS_OF_TODAY)
    op.drop_column("savegame_contents", "list_revision", schema="savegames")
