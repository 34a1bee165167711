"""All saves that a device has to upload, in place of one of them; the row of a policy that was removed stays."""

import sqlalchemy as sa
from alembic import op
from gameshelf.kernel.schema_changes import add_check

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("savegame_device_states", sa.Column("pending_slots", sa.ARRAY(sa.Text())), schema="savegames")
    add_check(
        "ck_savegame_policies_source",
        "savegame_policies",
        "source IN ('catalog', 'community', 'default')",
        schema="savegames",
    )


def downgrade() -> None:
    op.execute("DELETE FROM savegames.savegame_policies WHERE source = 'default'")
    add_check(
        "ck_savegame_policies_source", "savegame_policies", "source IN ('catalog', 'community')", schema="savegames"
    )
    op.drop_column("savegame_device_states", "pending_slots", schema="savegames")
