"""Sets of files, policies of products, and what devices intend."""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from gameshelf.kernel.schema_changes import set_rows_per_user
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TABLES_OF_USERS = (
    "savegame_manifests",
    "savegame_manifest_contents",
    "savegame_upload_files",
    "savegame_device_states",
    "savegame_preferences",
)
_REFERENCES_TO_LISTS = ("savegame_metadata", "savegame_uploads")


def upgrade() -> None:
    _create_tables_of_lists()
    _create_tables_of_devices()
    _create_tables_of_products()
    _add_columns()
    _create_trigger()
    _replace_mark_restored()
    set_rows_per_user(*_TABLES_OF_USERS, schema="savegames")


def _create_tables_of_lists() -> None:
    op.create_table(
        "savegame_manifests",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slot_id", sa.Uuid(), nullable=False),
        sa.Column("file_hash_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("content_identity", sa.LargeBinary(), nullable=False),
        sa.Column("file_count", sa.Integer(), nullable=False),
        sa.Column("content_count", sa.Integer(), nullable=False),
        sa.Column("total_bytes", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(file_hash_sha256) = 32", name=op.f("ck_savegame_manifests_file_hash_sha256")),
        sa.CheckConstraint("length(content_identity) = 32", name=op.f("ck_savegame_manifests_content_identity")),
        sa.CheckConstraint("file_count BETWEEN 1 AND 10000", name=op.f("ck_savegame_manifests_file_count")),
        sa.CheckConstraint("content_count BETWEEN 1 AND file_count", name=op.f("ck_savegame_manifests_content_count")),
        sa.CheckConstraint("total_bytes >= 0", name=op.f("ck_savegame_manifests_total_bytes")),
        sa.ForeignKeyConstraint(
            ["user_id", "slot_id"],
            ["savegames.savegame_slots.user_id", "savegames.savegame_slots.id"],
            name=op.f("fk_savegame_manifests_savegame_slots"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("pk_savegame_manifests")),
        schema="savegames",
    )
    op.create_index("ix_savegame_manifests_slot", "savegame_manifests", ["user_id", "slot_id"], schema="savegames")
    # The list is packed already.
    op.execute("ALTER TABLE savegames.savegame_manifests ALTER body SET STORAGE EXTERNAL")
    op.create_table(
        "savegame_manifest_contents",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("manifest_id", sa.Uuid(), nullable=False),
        sa.Column("content_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id", "manifest_id"],
            ["savegames.savegame_manifests.user_id", "savegames.savegame_manifests.id"],
            name=op.f("fk_savegame_manifest_contents_savegame_manifests"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id", "content_id"],
            ["savegames.savegame_contents.user_id", "savegames.savegame_contents.id"],
            name=op.f("fk_savegame_manifest_contents_savegame_contents"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "manifest_id", "content_id", name=op.f("pk_savegame_manifest_contents")),
        schema="savegames",
    )
    op.create_index(
        "ix_savegame_manifest_contents_content",
        "savegame_manifest_contents",
        ["user_id", "content_id"],
        schema="savegames",
    )
    op.create_table(
        "savegame_upload_files",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("content_encoding", sqlmodel.sql.sqltypes.AutoString(length=50), nullable=True),
        sa.Column("raw_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("raw_size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("part_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("multipart_id", sqlmodel.sql.sqltypes.AutoString(length=1024), nullable=True),
        sa.Column("content_id", sa.Uuid(), nullable=True),
        sa.Column("problem", sqlmodel.sql.sqltypes.AutoString(length=10), nullable=True),
        sa.CheckConstraint("length(sha256) = 32", name=op.f("ck_savegame_upload_files_sha256")),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("ck_savegame_upload_files_size_bytes")),
        sa.ForeignKeyConstraint(
            ["user_id", "upload_id"],
            ["savegames.savegame_uploads.user_id", "savegames.savegame_uploads.id"],
            name=op.f("fk_savegame_upload_files_savegame_uploads"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "upload_id", "sha256", name=op.f("pk_savegame_upload_files")),
        schema="savegames",
    )
    op.create_index("ix_savegame_upload_files_hash", "savegame_upload_files", ["user_id", "sha256"], schema="savegames")


def _create_tables_of_devices() -> None:
    op.create_table(
        "savegame_device_states",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
        sa.Column("device_name", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=True),
        sa.Column("intent", sqlmodel.sql.sqltypes.AutoString(length=12), nullable=False),
        sa.Column("intent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pending_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pending_slot", sqlmodel.sql.sqltypes.AutoString(length=255), nullable=True),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("user_id", "product_id", "device_id", name=op.f("pk_savegame_device_states")),
        schema="savegames",
    )
    op.create_table(
        "savegame_preferences",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("auto_sync", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "product_id", name=op.f("pk_savegame_preferences")),
        schema="savegames",
    )


def _create_tables_of_products() -> None:
    op.create_table(
        "savegame_policies",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("source", sqlmodel.sql.sqltypes.AutoString(length=10), nullable=False),
        sa.Column("policy", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("revision >= 1", name=op.f("ck_savegame_policies_revision")),
        sa.CheckConstraint("source IN ('catalog', 'community')", name=op.f("ck_savegame_policies_source")),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_savegame_policies")),
        schema="savegames",
    )
    op.create_table(
        "savegame_game_versions",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("game_version_id", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("product_id", "game_version_id", name=op.f("pk_savegame_game_versions")),
        schema="savegames",
    )


def _add_columns() -> None:
    # All are nullable or have a constant default: the release before neither writes nor reads them.
    def add(table: str, *columns: sa.Column[object]) -> None:
        for column in columns:
            op.add_column(table, column, schema="savegames")

    add(
        "savegame_metadata",
        sa.Column("manifest_id", sa.Uuid(), nullable=True),
        sa.Column("file_count", sa.Integer(), nullable=True),
        sa.Column("game_version_id", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=True),
    )
    add(
        "savegame_uploads",
        sa.Column("manifest_id", sa.Uuid(), nullable=True),
        sa.Column("file_count", sa.Integer(), nullable=True),
        sa.Column("game_version_id", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=True),
        sa.Column("device_name", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=True),
        sa.Column("arrived_through", sa.LargeBinary(), nullable=True),
    )
    add(
        "savegame_contents",
        sa.Column(
            "kind",
            sqlmodel.sql.sqltypes.AutoString(length=10),
            nullable=False,
            server_default=sa.text("'file'"),
        ),
        sa.Column("is_written", sa.Boolean(), nullable=False, server_default=sa.text("true")),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("raw_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("raw_encoding", sqlmodel.sql.sqltypes.AutoString(length=50), nullable=True),
        sa.Column("raw_size_bytes", sa.BigInteger(), nullable=True),
    )
    for table in _REFERENCES_TO_LISTS:
        # 0010 validates the existing rows, without a lock that anybody waits for.
        op.execute(
            f"ALTER TABLE savegames.{table} ADD CONSTRAINT fk_{table}_savegame_manifests "
            "FOREIGN KEY (user_id, manifest_id) REFERENCES savegames.savegame_manifests (user_id, id) NOT VALID"
        )


def _create_trigger() -> None:
    # The release before knows no sets: when the last version of a single file that holds a content is pruned, it would
    # drop the content, although a list needs it. The trigger can go once no instance of that release can run.
    op.execute(
        """
        CREATE FUNCTION savegames.keep_contents_of_sets() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (
                SELECT 1 FROM savegames.savegame_manifest_contents held
                WHERE held.user_id = NEW.user_id AND held.content_id = NEW.id
            ) THEN
                NEW.state := OLD.state;
                NEW.delete_after := OLD.delete_after;
            END IF;
            RETURN NEW;
        END
        $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER keep_contents_of_sets BEFORE UPDATE OF state ON savegames.savegame_contents
        FOR EACH ROW WHEN (OLD.state = 'live' AND NEW.state = 'dropped')
        EXECUTE FUNCTION savegames.keep_contents_of_sets()
        """
    )


def _replace_mark_restored() -> None:
    # As before (0004), and also: nothing refers to the pending contents that are deleted, and lists of the last day are
    # written again, since their objects may be lost or of the lost time.
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
            UPDATE savegames.savegame_upload_files file SET content_id = NULL
            FROM savegames.savegame_contents content
            WHERE content.user_id = file.user_id AND content.id = file.content_id AND content.state = 'pending';
            UPDATE savegames.savegame_contents SET is_written = false
            WHERE kind = 'list' AND state = 'live' AND created_at > clock_timestamp() - interval '1 day';
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
            UPDATE savegames.savegame_numbers
            SET last_version = GREATEST(last_version, extract(epoch FROM clock_timestamp())::bigint);
            INSERT INTO savegames.savegame_scans (name, cursor, started_at)
            VALUES ('restored', '', clock_timestamp())
            ON CONFLICT (name) DO UPDATE SET started_at = clock_timestamp();
            DELETE FROM savegames.savegame_contents WHERE state = 'pending';
        $$
        """
    )
    op.execute("DROP TRIGGER keep_contents_of_sets ON savegames.savegame_contents")
    op.execute("DROP FUNCTION savegames.keep_contents_of_sets()")
    for table in _REFERENCES_TO_LISTS:
        op.drop_constraint(op.f(f"fk_{table}_savegame_manifests"), table, schema="savegames", type_="foreignkey")
    for column in ("raw_size_bytes", "raw_encoding", "raw_sha256", "verified_at", "is_written", "kind"):
        op.drop_column("savegame_contents", column, schema="savegames")
    for column in ("arrived_through", "device_name", "game_version_id", "file_count", "manifest_id"):
        op.drop_column("savegame_uploads", column, schema="savegames")
    for column in ("game_version_id", "file_count", "manifest_id"):
        op.drop_column("savegame_metadata", column, schema="savegames")
    op.drop_table("savegame_game_versions", schema="savegames")
    op.drop_table("savegame_policies", schema="savegames")
    for table in reversed(_TABLES_OF_USERS):
        op.drop_table(table, schema="savegames")
