"""One folder per domain. ``DOMAINS`` names them all; no folder imports another one."""

from collections.abc import Sequence

from gameshelf.gateway.domains import (
    accounts,
    achievements,
    family,
    library,
    playtime,
    savegames,
    settings,
    wishlist,
)
from gameshelf.gateway.runtime.domain import Domain

DOMAINS: Sequence[Domain] = (
    family.DOMAIN,
    library.DOMAIN,
    achievements.DOMAIN,
    wishlist.DOMAIN,
    playtime.DOMAIN,
    settings.DOMAIN,
    savegames.DOMAIN,
    accounts.DOMAIN,
)
"""In the order in which their parts act on one event, one product or one erased user.

Family comes before library: seats are erased before the items on which they were taken. Library comes before
achievements and wishlist: what a product is called is written before what depends on it.
"""
