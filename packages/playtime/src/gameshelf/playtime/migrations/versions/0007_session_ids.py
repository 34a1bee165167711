"""Sessions are found by their id alone, or by its beginning, for support."""

from gameshelf.kernel.schema_changes import create_index, drop_index
from sqlalchemy import text

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("ix_playtime_sessions_id", "playtime_sessions", [text("uuid_send(id)")], schema="playtime")


def downgrade() -> None:
    drop_index("ix_playtime_sessions_id", "playtime_sessions", schema="playtime")
