"""The triggers for the release before the last one go: a table with triggers can't be distributed."""

from alembic import op
from gameshelf.kernel.schema_changes import drop_trigger

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The last release folds names and knows sets, so it needs neither trigger (0006, 0009).
    drop_trigger("clear_slot_key", "savegame_slots", schema="savegames")
    op.execute("DROP FUNCTION IF EXISTS savegames.clear_slot_key()")
    drop_trigger("keep_contents_of_sets", "savegame_contents", schema="savegames")
    op.execute("DROP FUNCTION IF EXISTS savegames.keep_contents_of_sets()")


def downgrade() -> None:
    _create_trigger_of_names()
    _create_trigger_of_contents()


def _create_trigger_of_names() -> None:
    op.execute(
        """
        CREATE FUNCTION savegames.clear_slot_key() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.slot_name <> OLD.slot_name OR EXISTS (
                SELECT 1 FROM savegames.savegame_slots s
                WHERE s.user_id = NEW.user_id AND s.product_id = NEW.product_id AND s.slot_key = NEW.slot_key
                    AND s.deleted_at IS NULL AND s.id <> NEW.id
            ) THEN
                NEW.slot_key := NULL;
            END IF;
            RETURN NEW;
        END
        $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER clear_slot_key BEFORE UPDATE OF deleted_at ON savegames.savegame_slots FOR EACH ROW
        WHEN (OLD.deleted_at IS NOT NULL AND NEW.deleted_at IS NULL AND NEW.slot_key = OLD.slot_key)
        EXECUTE FUNCTION savegames.clear_slot_key()
        """
    )


def _create_trigger_of_contents() -> None:
    op.execute(
        """
        CREATE FUNCTION savegames.keep_contents_of_sets() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (
                SELECT 1 FROM savegames.savegame_manifest_contents held
                WHERE held.user_id = NEW.user_id AND held.content_id = NEW.id
            ) THEN
                NEW.state := OLD.state;
                NEW.delete_after := OLD.delete_after;
            END IF;
            RETURN NEW;
        END
        $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER keep_contents_of_sets BEFORE UPDATE OF state ON savegames.savegame_contents
        FOR EACH ROW WHEN (OLD.state = 'live' AND NEW.state = 'dropped')
        EXECUTE FUNCTION savegames.keep_contents_of_sets()
        """
    )
