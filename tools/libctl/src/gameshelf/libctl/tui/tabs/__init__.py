"""The tabs, in the order of the screen. Each reads by the calls that the commands of its noun use."""

from collections.abc import Callable, Sequence
from uuid import UUID

from gameshelf.libctl.tui.listing import Listing
from gameshelf.libctl.tui.tabs import (
    achievements,
    family,
    library,
    playtime,
    saves,
    sessions,
    settings,
    summary,
    timeline,
    wishlist,
)

TABS: Sequence[tuple[str, str, Callable[[UUID], Listing]]] = (
    ("Summary", "Summary", summary.listing_of),
    ("Library", "Library", library.listing_of),
    ("Family", "Family", family.listing_of),
    ("Playtime", "Played", playtime.listing_of),
    ("Sessions", "Sessions", sessions.listing_of),
    ("Achievements", "Achieved", achievements.listing_of),
    ("Wishlist", "Wishes", wishlist.listing_of),
    ("Saves", "Saves", saves.listing_of),
    ("Settings", "Settings", settings.listing_of),
    ("Timeline", "Timeline", timeline.listing_of),
)
"""Their names, the shorter ones of a screen of 80 columns, and what they list."""
