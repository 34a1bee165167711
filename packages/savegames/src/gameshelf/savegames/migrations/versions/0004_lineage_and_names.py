"""Version numbers of deleted saves, folded names, identities of contents, a daily allowance."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "savegame_numbers",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("slot_key", sqlmodel.sql.sqltypes.AutoString(length=1024), nullable=False),
        sa.Column("last_version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "product_id", "slot_key", name=op.f("pk_savegame_numbers")),
        schema="savegames",
    )
    op.create_table(
        "savegame_allowances",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("signed_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_savegame_allowances")),
        schema="savegames",
    )
    # All columns are nullable: the release before neither writes nor reads them.
    op.add_column(
        "savegame_slots",
        sa.Column("slot_key", sqlmodel.sql.sqltypes.AutoString(length=1024), nullable=True),
        schema="savegames",
    )
    op.add_column(
        "savegame_metadata", sa.Column("content_identity", sa.LargeBinary(), nullable=True), schema="savegames"
    )
    op.add_column(
        "savegame_uploads", sa.Column("content_identity", sa.LargeBinary(), nullable=True), schema="savegames"
    )
    op.add_column("savegame_uploads", sa.Column("raw_sha256", sa.LargeBinary(), nullable=True), schema="savegames")
    op.add_column("savegame_uploads", sa.Column("raw_size_bytes", sa.BigInteger(), nullable=True), schema="savegames")
    op.add_column("savegame_conflicts", sa.Column("base_version", sa.BigInteger(), nullable=True), schema="savegames")
    # As before (0002), and also for saves that have no row any more, or had one only after the backup: the numbers of a
    # new save begin above the time of the restore.
    op.execute(
        """
        CREATE OR REPLACE FUNCTION savegames.mark_restored() RETURNS void LANGUAGE sql AS $$
            UPDATE savegames.savegame_slots
            SET last_version = GREATEST(last_version, extract(epoch FROM clock_timestamp())::bigint);
            UPDATE savegames.savegame_numbers
            SET last_version = GREATEST(last_version, extract(epoch FROM clock_timestamp())::bigint);
            INSERT INTO savegames.savegame_scans (name, cursor, started_at)
            VALUES ('restored', '', clock_timestamp())
            ON CONFLICT (name) DO UPDATE SET started_at = clock_timestamp();
            DELETE FROM savegames.savegame_contents WHERE state = 'pending';
        $$
        """
    )


def downgrade() -> None:
    op.execute(
        """
        CREATE OR REPLACE FUNCTION savegames.mark_restored() RETURNS void LANGUAGE sql AS $$
            UPDATE savegames.savegame_slots
            SET last_version = GREATEST(last_version, extract(epoch FROM clock_timestamp())::bigint);
            DELETE FROM savegames.savegame_contents WHERE state = 'pending';
        $$
        """
    )
    op.drop_column("savegame_conflicts", "base_version", schema="savegames")
    op.drop_column("savegame_uploads", "raw_size_bytes", schema="savegames")
    op.drop_column("savegame_uploads", "raw_sha256", schema="savegames")
    op.drop_column("savegame_uploads", "content_identity", schema="savegames")
    op.drop_column("savegame_metadata", "content_identity", schema="savegames")
    op.drop_column("savegame_slots", "slot_key", schema="savegames")
    op.drop_table("savegame_allowances", schema="savegames")
    op.drop_table("savegame_numbers", schema="savegames")
