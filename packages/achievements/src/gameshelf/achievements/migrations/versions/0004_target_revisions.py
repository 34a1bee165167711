"""A counter of the changes of an achievement's target.

The release before does not write the column. A change by it shows in the target itself.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TABLE, _SCHEMA = "achievement_metadata", "achievements"


def upgrade() -> None:
    # PostgreSQL stores a constant default in the catalog: no row is rewritten.
    op.add_column(
        _TABLE,
        sa.Column("target_revision", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        schema=_SCHEMA,
    )


def downgrade() -> None:
    op.drop_column(_TABLE, "target_revision", schema=_SCHEMA)
