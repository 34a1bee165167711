"""Which change of its target an achievement has been reviewed for.

The release before leaves the column as it is: what it changes is told by the target itself.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TABLE, _SCHEMA = "achievement_metadata", "achievements"


def upgrade() -> None:
    # A constant default is kept with the table: no row is written.
    op.add_column(
        _TABLE,
        sa.Column("target_revision", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        schema=_SCHEMA,
    )


def downgrade() -> None:
    op.drop_column(_TABLE, "target_revision", schema=_SCHEMA)
