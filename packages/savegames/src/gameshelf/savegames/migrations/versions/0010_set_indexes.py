"""Indexes and checks of sets of files in tables that exist."""

import sqlalchemy as sa
from alembic import op
from gameshelf.kernel.schema_changes import add_check, create_index, drop_index

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_HAS_LIST = sa.text("manifest_id IS NOT NULL")
_CHECKS = (
    ("savegame_contents", "kind", "kind IN ('file', 'list')"),
    ("savegame_uploads", "file_count", "file_count BETWEEN 1 AND 10000"),
)


def upgrade() -> None:
    for table in ("savegame_metadata", "savegame_uploads"):
        create_index(
            f"ix_{table}_manifest", table, ["user_id", "manifest_id"], schema="savegames", postgresql_where=_HAS_LIST
        )
    create_index(
        "ix_savegame_contents_unwritten",
        "savegame_contents",
        ["created_at"],
        schema="savegames",
        postgresql_where=sa.text("NOT is_written"),
    )
    create_index(
        "ix_savegame_contents_live_size",
        "savegame_contents",
        ["user_id"],
        schema="savegames",
        postgresql_include=["file_size_bytes"],
        postgresql_where=sa.text("state = 'live' AND kind = 'file'"),
    )
    for table, name, condition in _CHECKS:
        add_check(f"ck_{table}_{name}", table, condition, schema="savegames")
    for table in ("savegame_metadata", "savegame_uploads"):
        with op.get_context().autocommit_block():
            op.execute(f"ALTER TABLE savegames.{table} VALIDATE CONSTRAINT fk_{table}_savegame_manifests")


def downgrade() -> None:
    for table, name, _ in _CHECKS:
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table, schema="savegames", type_="check")
    drop_index("ix_savegame_contents_live_size", "savegame_contents", schema="savegames")
    drop_index("ix_savegame_contents_unwritten", "savegame_contents", schema="savegames")
    drop_index("ix_savegame_uploads_manifest", "savegame_uploads", schema="savegames")
    drop_index("ix_savegame_metadata_manifest", "savegame_metadata", schema="savegames")
