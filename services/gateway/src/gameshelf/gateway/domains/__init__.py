"""One folder per domain. ``DOMAINS`` lists them; no folder imports another one."""

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
"""All domains, in the order in which they handle one event, one product or one erased user.

Family precedes library, so that seats are erased before the items that they refer to. Library precedes achievements and
wishlist, so that the names of a product are written before rows that depend on it.
"""
