"""The tables of saves."""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "savegame_contents",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("s3_object_key", sa.String(length=1024, collation="C"), nullable=False),
        sa.Column("file_size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("file_hash_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("state", sqlmodel.sql.sqltypes.AutoString(length=10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delete_after", sa.DateTime(timezone=True), nullable=True),
        sa.Column("missing_since", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'live') = (delete_after IS NULL)", name=op.f("ck_savegame_contents_delete_after")),
        sa.CheckConstraint("state IN ('pending', 'live', 'dropped')", name=op.f("ck_savegame_contents_state")),
        sa.CheckConstraint("file_size_bytes >= 0", name=op.f("ck_savegame_contents_file_size_bytes")),
        sa.CheckConstraint("length(file_hash_sha256) = 32", name=op.f("ck_savegame_contents_file_hash_sha256")),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("pk_savegame_contents")),
        schema="savegames",
    )
    op.create_index(
        "ix_savegame_contents_delete_after",
        "savegame_contents",
        ["delete_after"],
        unique=False,
        schema="savegames",
        postgresql_where=sa.text("delete_after IS NOT NULL"),
    )
    op.create_index(
        "ix_savegame_contents_key", "savegame_contents", ["s3_object_key"], unique=False, schema="savegames"
    )
    op.create_index(
        "ix_savegame_contents_missing",
        "savegame_contents",
        ["missing_since"],
        unique=False,
        schema="savegames",
        postgresql_where=sa.text("missing_since IS NOT NULL"),
    )
    op.create_index(
        "uq_savegame_contents_live",
        "savegame_contents",
        ["user_id", "file_hash_sha256"],
        unique=True,
        schema="savegames",
        postgresql_where=sa.text("state = 'live'"),
    )
    op.create_table(
        "savegame_quotas",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("limit_bytes", sa.BigInteger(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("limit_bytes >= 0", name=op.f("ck_savegame_quotas_limit_bytes")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_savegame_quotas")),
        schema="savegames",
    )
    op.create_table(
        "savegame_scans",
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=50), nullable=False),
        sa.Column("cursor", sqlmodel.sql.sqltypes.AutoString(length=1024), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_savegame_scans")),
        schema="savegames",
    )
    op.create_table(
        "savegame_slots",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("slot_name", sqlmodel.sql.sqltypes.AutoString(length=255), nullable=False),
        sa.Column("head_version", sa.BigInteger(), nullable=True),
        sa.Column("last_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("prune_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("head_version <= last_version", name=op.f("ck_savegame_slots_head_version")),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("pk_savegame_slots")),
        schema="savegames",
    )
    op.create_index(
        "ix_savegame_slots_deleted_at",
        "savegame_slots",
        ["deleted_at"],
        unique=False,
        schema="savegames",
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_index(
        "ix_savegame_slots_prune_at",
        "savegame_slots",
        ["prune_at"],
        unique=False,
        schema="savegames",
        postgresql_where=sa.text("prune_at IS NOT NULL"),
    )
    op.create_index(
        "uq_savegame_slots_name",
        "savegame_slots",
        ["user_id", "product_id", "slot_name"],
        unique=True,
        schema="savegames",
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "savegame_conflicts",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slot_id", sa.Uuid(), nullable=False),
        sa.Column("branch_version", sa.BigInteger(), nullable=False),
        sa.Column("head_version", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolution", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=True),
        sa.CheckConstraint(
            "(resolution IS NULL) = (resolved_at IS NULL)", name=op.f("ck_savegame_conflicts_resolution")
        ),
        sa.ForeignKeyConstraint(
            ["user_id", "slot_id"],
            ["savegames.savegame_slots.user_id", "savegames.savegame_slots.id"],
            name=op.f("fk_savegame_conflicts_savegame_slots"),
        ),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("pk_savegame_conflicts")),
        schema="savegames",
    )
    op.create_index(
        "uq_savegame_conflicts_open",
        "savegame_conflicts",
        ["user_id", "slot_id", "branch_version"],
        unique=True,
        schema="savegames",
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_table(
        "savegame_devices",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("slot_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id", "slot_id"],
            ["savegames.savegame_slots.user_id", "savegames.savegame_slots.id"],
            name=op.f("fk_savegame_devices_savegame_slots"),
        ),
        sa.PrimaryKeyConstraint("user_id", "slot_id", "device_id", name=op.f("pk_savegame_devices")),
        schema="savegames",
    )
    op.create_table(
        "savegame_metadata",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("slot_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("parent_version", sa.BigInteger(), nullable=False),
        sa.Column("merged_version", sa.BigInteger(), nullable=True),
        sa.Column("in_head", sa.Boolean(), nullable=False),
        sa.Column("content_id", sa.Uuid(), nullable=True),
        sa.Column("file_size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("file_hash_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("client_modified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("server_uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("device_id", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=True),
        sa.Column("comment", sqlmodel.sql.sqltypes.AutoString(length=500), nullable=True),
        sa.Column("is_pinned", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("playtime_seconds", sa.BigInteger(), nullable=True),
        sa.Column("content_encoding", sqlmodel.sql.sqltypes.AutoString(length=50), nullable=True),
        sa.Column("encryption", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("pruned_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(content_id IS NULL) = (pruned_at IS NOT NULL)", name=op.f("ck_savegame_metadata_content_id")
        ),
        sa.CheckConstraint("length(file_hash_sha256) = 32", name=op.f("ck_savegame_metadata_file_hash_sha256")),
        sa.CheckConstraint("merged_version < version", name=op.f("ck_savegame_metadata_merged_version")),
        sa.CheckConstraint(
            "parent_version >= 0 AND parent_version < version", name=op.f("ck_savegame_metadata_parent_version")
        ),
        sa.CheckConstraint("version >= 1", name=op.f("ck_savegame_metadata_version")),
        sa.ForeignKeyConstraint(
            ["user_id", "content_id"],
            ["savegames.savegame_contents.user_id", "savegames.savegame_contents.id"],
            name=op.f("fk_savegame_metadata_savegame_contents"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id", "slot_id"],
            ["savegames.savegame_slots.user_id", "savegames.savegame_slots.id"],
            name=op.f("fk_savegame_metadata_savegame_slots"),
        ),
        sa.PrimaryKeyConstraint("user_id", "slot_id", "version", name=op.f("pk_savegame_metadata")),
        sa.UniqueConstraint("user_id", "id", name=op.f("uq_savegame_metadata_user_id_id")),
        schema="savegames",
    )
    op.create_index(
        "ix_savegame_metadata_content",
        "savegame_metadata",
        ["user_id", "content_id"],
        unique=False,
        schema="savegames",
        postgresql_where=sa.text("content_id IS NOT NULL"),
    )
    op.create_index(
        "ix_savegame_metadata_kept",
        "savegame_metadata",
        ["user_id", "slot_id", "version"],
        unique=False,
        schema="savegames",
        postgresql_where=sa.text("content_id IS NOT NULL"),
    )
    op.create_table(
        "savegame_uploads",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slot_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("base_version", sa.BigInteger(), nullable=False),
        sa.Column("file_size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("file_hash_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("content_id", sa.Uuid(), nullable=True),
        sa.Column("client_modified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("device_id", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=True),
        sa.Column("comment", sqlmodel.sql.sqltypes.AutoString(length=500), nullable=True),
        sa.Column("playtime_seconds", sa.BigInteger(), nullable=True),
        sa.Column("content_encoding", sqlmodel.sql.sqltypes.AutoString(length=50), nullable=True),
        sa.Column("encryption", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("conflict_policy", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint("length(file_hash_sha256) = 32", name=op.f("ck_savegame_uploads_file_hash_sha256")),
        sa.ForeignKeyConstraint(
            ["user_id", "content_id"],
            ["savegames.savegame_contents.user_id", "savegames.savegame_contents.id"],
            name=op.f("fk_savegame_uploads_savegame_contents"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id", "slot_id"],
            ["savegames.savegame_slots.user_id", "savegames.savegame_slots.id"],
            name=op.f("fk_savegame_uploads_savegame_slots"),
        ),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("pk_savegame_uploads")),
        schema="savegames",
    )
    op.create_index(
        "ix_savegame_uploads_content",
        "savegame_uploads",
        ["user_id", "content_id"],
        unique=False,
        schema="savegames",
        postgresql_where=sa.text("content_id IS NOT NULL"),
    )
    op.create_index(
        "ix_savegame_uploads_expires_at", "savegame_uploads", ["expires_at"], unique=False, schema="savegames"
    )
    op.create_index("ix_savegame_uploads_id", "savegame_uploads", ["id"], unique=False, schema="savegames")
    op.create_index(
        "ix_savegame_uploads_open",
        "savegame_uploads",
        ["user_id", "expires_at"],
        unique=False,
        schema="savegames",
        postgresql_where=sa.text("outcome IS NULL"),
    )
    op.create_index(
        "ix_savegame_uploads_slot", "savegame_uploads", ["user_id", "slot_id"], unique=False, schema="savegames"
    )


def downgrade() -> None:
    op.drop_index("ix_savegame_uploads_slot", table_name="savegame_uploads", schema="savegames")
    op.drop_index(
        "ix_savegame_uploads_open",
        table_name="savegame_uploads",
        schema="savegames",
        postgresql_where=sa.text("outcome IS NULL"),
    )
    op.drop_index("ix_savegame_uploads_id", table_name="savegame_uploads", schema="savegames")
    op.drop_index("ix_savegame_uploads_expires_at", table_name="savegame_uploads", schema="savegames")
    op.drop_index(
        "ix_savegame_uploads_content",
        table_name="savegame_uploads",
        schema="savegames",
        postgresql_where=sa.text("content_id IS NOT NULL"),
    )
    op.drop_table("savegame_uploads", schema="savegames")
    op.drop_index(
        "ix_savegame_metadata_kept",
        table_name="savegame_metadata",
        schema="savegames",
        postgresql_where=sa.text("content_id IS NOT NULL"),
    )
    op.drop_index(
        "ix_savegame_metadata_content",
        table_name="savegame_metadata",
        schema="savegames",
        postgresql_where=sa.text("content_id IS NOT NULL"),
    )
    op.drop_table("savegame_metadata", schema="savegames")
    op.drop_table("savegame_devices", schema="savegames")
    op.drop_index(
        "uq_savegame_conflicts_open",
        table_name="savegame_conflicts",
        schema="savegames",
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.drop_table("savegame_conflicts", schema="savegames")
    op.drop_index(
        "uq_savegame_slots_name",
        table_name="savegame_slots",
        schema="savegames",
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.drop_index(
        "ix_savegame_slots_prune_at",
        table_name="savegame_slots",
        schema="savegames",
        postgresql_where=sa.text("prune_at IS NOT NULL"),
    )
    op.drop_index(
        "ix_savegame_slots_deleted_at",
        table_name="savegame_slots",
        schema="savegames",
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.drop_table("savegame_slots", schema="savegames")
    op.drop_table("savegame_scans", schema="savegames")
    op.drop_table("savegame_quotas", schema="savegames")
    op.drop_index(
        "uq_savegame_contents_live",
        table_name="savegame_contents",
        schema="savegames",
        postgresql_where=sa.text("state = 'live'"),
    )
    op.drop_index(
        "ix_savegame_contents_missing",
        table_name="savegame_contents",
        schema="savegames",
        postgresql_where=sa.text("missing_since IS NOT NULL"),
    )
    op.drop_index("ix_savegame_contents_key", table_name="savegame_contents", schema="savegames")
    op.drop_index(
        "ix_savegame_contents_delete_after",
        table_name="savegame_contents",
        schema="savegames",
        postgresql_where=sa.text("delete_after IS NOT NULL"),
    )
    op.drop_table("savegame_contents", schema="savegames")
