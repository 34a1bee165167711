"""the links whose shared products are outdated are found, whichever release has made them so.

The release before changes what owners own without a mark. A trigger adds it, so that members' rows follow that release,
too. This release adds its marks by itself, so the next one drops the trigger.
"""

import sqlalchemy as sa
from alembic import op
from gameshelf.kernel.schema_changes import create_index, drop_index

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Repeatable, because the index commits it.
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
    create_index(
        "ix_family_memberships_outdated",
        "family_memberships",
        ["user_id", "owner_user_id"],
        schema="library",
        postgresql_where=sa.text(
            "products_as_of IS DISTINCT FROM updated_at AND (status = 'active' OR products_since IS NOT NULL)"
        ),
    )


def downgrade() -> None:
    drop_index("ix_family_memberships_outdated", "family_memberships", schema="library")
    op.execute("DROP TRIGGER IF EXISTS share_change ON library.user_library_items")
    op.execute("DROP FUNCTION IF EXISTS library.mark_share_change()")
