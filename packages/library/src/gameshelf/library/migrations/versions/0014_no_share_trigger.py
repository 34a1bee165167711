"""the trigger goes that made marks for the release before 0.3.0.

Every release that may run makes its marks by itself. A table with triggers can't be distributed.
"""

from alembic import op
from gameshelf.kernel.schema_changes import drop_trigger

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    drop_trigger("share_change", "user_library_items", schema="library")
    op.execute("DROP FUNCTION IF EXISTS library.mark_share_change()")


def downgrade() -> None:
    op.execute("""
CREATE OR REPLACE FUNCTION library.mark_share_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO library.share_changes (owner_user_id) SELECT NEW.user_id WHERE EXISTS (
        SELECT FROM library.family_sharing_links l
        WHERE l.owner_user_id = NEW.user_id AND l.status IN ('pending_approval', 'active'));
    RETURN NULL;
END $$
""")
    op.execute(
        "CREATE OR REPLACE TRIGGER share_change AFTER UPDATE OF acquisition_type, added_at "
        "ON library.user_library_items FOR EACH ROW WHEN (OLD.acquisition_type IS DISTINCT FROM NEW.acquisition_type "
        "OR OLD.added_at IS DISTINCT FROM NEW.added_at) EXECUTE FUNCTION library.mark_share_change()"
    )
