"""What migration 0013 added for the release before, and the release after may drop.

A table with triggers can't be distributed.
"""

SECOND_STEPS = (
    "DROP TRIGGER IF EXISTS share_change ON library.user_library_items",
    "DROP FUNCTION IF EXISTS library.mark_share_change()",
)
"""Each reads no rows and may be repeated."""
