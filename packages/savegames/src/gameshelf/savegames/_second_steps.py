"""What migrations 0006 and 0009 added for the release before, and the release after may drop.

A table with triggers can't be distributed.
"""

SECOND_STEPS = (
    "DROP TRIGGER IF EXISTS clear_slot_key ON savegames.savegame_slots",
    "DROP FUNCTION IF EXISTS savegames.clear_slot_key()",
    "DROP TRIGGER IF EXISTS keep_contents_of_sets ON savegames.savegame_contents",
    "DROP FUNCTION IF EXISTS savegames.keep_contents_of_sets()",
)
"""Each reads no rows and may be repeated."""
