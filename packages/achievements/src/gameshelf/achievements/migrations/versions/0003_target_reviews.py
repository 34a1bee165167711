"""Target reviews, and look-ups by API name.

Every definition with a target is reviewed once after the rollout, which unlocks players who had reached a lowered target
before. The release before does not write ``reviewed_target``, so a target that it changes differs from it and is
reviewed.
"""

import sqlalchemy as sa
from alembic import op
from gameshelf.kernel.schema_changes import create_index, drop_index

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_SCHEMA = "achievements"


def upgrade() -> None:
    op.execute("ALTER TABLE achievements.achievement_metadata ADD COLUMN IF NOT EXISTS reviewed_target integer")
    create_index(
        "ix_achievement_metadata_unreviewed",
        "achievement_metadata",
        ["id"],
        schema=_SCHEMA,
        postgresql_where=sa.text("target_progress IS NOT NULL AND target_progress IS DISTINCT FROM reviewed_target"),
    )
    create_index(
        "ix_achievement_metadata_api_name", "achievement_metadata", ["product_id", "api_name", "id"], schema=_SCHEMA
    )
    create_index(
        "ix_user_achievements_locked",
        "user_achievements",
        ["achievement_meta_id", "user_id"],
        schema=_SCHEMA,
        postgresql_where=sa.text("NOT is_unlocked"),
    )


def downgrade() -> None:
    drop_index("ix_user_achievements_locked", "user_achievements", schema=_SCHEMA)
    drop_index("ix_achievement_metadata_api_name", "achievement_metadata", schema=_SCHEMA)
    drop_index("ix_achievement_metadata_unreviewed", "achievement_metadata", schema=_SCHEMA)
    op.drop_column("achievement_metadata", "reviewed_target", schema=_SCHEMA)
