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
    wishlist,
)

TABS: Sequence[tuple[str, Callable[[UUID], Listing]]] = (
    ("Summary", summary.listing_of),
    ("Library", library.listing_of),
    ("Family", family.listing_of),
    ("Playtime", playtime.listing_of),
    ("Sessions", sessions.listing_of),
    ("Achievements", achievements.listing_of),
    ("Wishlist", wishlist.listing_of),
    ("Saves", saves.listing_of),
    ("Settings", settings.listing_of),
)
