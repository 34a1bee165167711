"""A save that the release before takes out of the trash loses a folded name that another save has by now."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # That release writes only the name. A job fills the folded name later, as for all saves without one.
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


def downgrade() -> None:
    op.execute("DROP TRIGGER clear_slot_key ON savegames.savegame_slots")
    op.execute("DROP FUNCTION savegames.clear_slot_key()")
