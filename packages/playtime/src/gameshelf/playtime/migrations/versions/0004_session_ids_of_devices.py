"""Session ids are unique per device.

The old index would refuse new imports, so it is dropped at once. The release before does not need it: it looks up a
session under the user's lock before it writes it.
"""

import sqlalchemy as sa
from alembic import op
from gameshelf.kernel.schema_changes import create_index, drop_index

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TABLE = "playtime_sessions"
_IS_IMPORT = sa.text("client_session_id IS NOT NULL")


def upgrade() -> None:
    create_index(
        "uq_playtime_sessions_imported",
        _TABLE,
        ["user_id", "client_session_id", "device_id"],
        schema="playtime",
        unique=True,
        postgresql_where=_IS_IMPORT,
    )
    drop_index("uq_playtime_sessions_import", _TABLE, schema="playtime")


def downgrade() -> None:
    # Of sessions of several devices with one id the first keeps it; the others stay without an id.
    op.execute(
        "UPDATE playtime.playtime_sessions later SET client_session_id = NULL FROM playtime.playtime_sessions kept "
        "WHERE kept.user_id = later.user_id AND kept.client_session_id = later.client_session_id "
        "AND (kept.created_at, kept.id) < (later.created_at, later.id)"
    )
    create_index(
        "uq_playtime_sessions_import",
        _TABLE,
        ["user_id", "client_session_id"],
        schema="playtime",
        unique=True,
        postgresql_where=_IS_IMPORT,
    )
    drop_index("uq_playtime_sessions_imported", _TABLE, schema="playtime")
