"""Grants are found by the id of their order, key or gift alone, or by its beginning, for support."""

from gameshelf.kernel.schema_changes import create_index, drop_index
from sqlalchemy import func, literal_column

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index(
        "ix_ownership_grants_source",
        "ownership_grants",
        [func.lower(literal_column("source_id")).label("source_key")],
        schema="library",
        postgresql_ops={"source_key": "text_pattern_ops"},
    )


def downgrade() -> None:
    drop_index("ix_ownership_grants_source", "ownership_grants", schema="library")
