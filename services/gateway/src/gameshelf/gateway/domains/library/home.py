"""What the first screen of a launcher shows, read from all domains in two round trips, however much a user has."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from gameshelf.gateway.domains.library.included import Included, ItemPart, read_included
from gameshelf.gateway.domains.library.resources import LIBRARY_ITEM
from gameshelf.gateway.domains.library.resources_home import (
    CONFLICT_OF_SAVE,
    MOST,
    RUNNING_SESSION,
    STORAGE,
    WISH_ON_SALE,
    Home,
)
from gameshelf.gateway.domains.library.versions import short_hash
from gameshelf.gateway.runtime.http.named_products import put_names
from gameshelf.gateway.runtime.http.routing import Read
from gameshelf.kernel.database import BoundStatement, look_ahead
from gameshelf.kernel.paging import Slice
from gameshelf.library import ItemFilter, ItemSort, LibraryQueries
from gameshelf.playtime import PlaytimeQueries
from gameshelf.savegames import ConflictsFilter, SavegameQueries, SavegameSummaries
from gameshelf.wishlist import PricedWish, WishlistQueries

_CONFLICTS = ConflictsFilter(limit=MOST)


@dataclass(frozen=True, slots=True)
class FoundHome:
    """A first screen, and what of it the versions of the user and of the catalog do not cover."""

    home: Home
    played: Sequence[UUID]
    """The products that were played last."""
    unversioned: str
    """What ``read_unversioned`` returns for these products."""


async def read_unversioned(read: Read, played: Sequence[UUID]) -> str:
    """Returns a hash of what changes without the user: prices, definitions of achievements, and the playtime of the
    last two weeks, out of which old sessions drop. One round trip.
    """
    together = read.together()
    sales = _lookup_on_sale(together)
    parts = await read_included(together, played, (ItemPart.ACHIEVEMENTS, ItemPart.PLAYTIME), None, sales)
    return _unversioned(await _on_sale(together), parts, played)


async def read_home(read: Read, device_id: str | None) -> FoundHome:
    """Reads the first screen. Two round trips, one for a user who has nothing to show."""
    user_id, has_shares = read.user_id, read.state.shares is not None
    last_played = ItemFilter(sort_by=ItemSort.LAST_PLAYED_DESC, played=True, device_id=device_id, limit=MOST)
    newest = ItemFilter(sort_by=ItemSort.ADDED_AT_DESC, device_id=device_id, limit=MOST)
    together = read.together()
    await look_ahead(
        together.connection,
        LibraryQueries.lookup_items(user_id, last_played, read.language, has_shares=has_shares),
        LibraryQueries.lookup_items(user_id, newest, read.language, has_shares=has_shares),
        PlaytimeQueries.lookup_running(user_id, MOST),
        SavegameQueries.lookup_conflicts(user_id, _CONFLICTS),
        SavegameSummaries.lookup_storage(user_id),
        _lookup_on_sale(together),
    )
    items = together.of(LibraryQueries)
    played = await items.items(user_id, last_played, read.language, has_shares=has_shares)
    added = await items.items(user_id, newest, read.language, has_shares=has_shares)
    running = await together.of(PlaytimeQueries).running(user_id, MOST)
    conflicts = await together.of(SavegameQueries).conflicts(user_id, _CONFLICTS)
    sales = await _on_sale(together)
    home = Home(
        user_id,
        [LIBRARY_ITEM.render(one) for one in played.items],
        [LIBRARY_ITEM.render(one) for one in added.items],
        added.total,
        [RUNNING_SESSION.render(one) for one in running],
        [CONFLICT_OF_SAVE.render(one) for one in conflicts.items],
        conflicts.total,
        [WISH_ON_SALE.render(one) for one in sales.items],
        sales.total,
        STORAGE.render(await together.of(SavegameSummaries).storage(user_id)),
    )
    products = [one.product_id for one in played.items]
    parts = await _complete(read, home, products, device_id)
    return FoundHome(home, products, _unversioned(sales, parts, products))


async def _complete(read: Read, home: Home, played: Sequence[UUID], device_id: str | None) -> Included:
    """Adds what belongs to the products that are shown, and returns the parts of those that were played."""
    to_name = [*home.playing_now, *home.conflicts, *home.wishes_on_sale]
    named = list({one["product_id"] for one in to_name})
    if not played and not named:
        return Included({}, {}, {})
    together = read.together()
    names = LibraryQueries.lookup_products(named)
    parts = await read_included(together, played, tuple(ItemPart), device_id, names)
    put_names(to_name, await together.of(LibraryQueries).products(named), read.language)
    parts.put_into(home.continue_playing, device_id)
    return parts


def _lookup_on_sale(read: Read) -> BoundStatement:
    return read.of(WishlistQueries).lookup_on_sale(read.user_id, read.now, MOST)


async def _on_sale(read: Read) -> Slice[PricedWish]:
    return await read.of(WishlistQueries).on_sale(read.user_id, read.now, MOST)


def _unversioned(sales: Slice[PricedWish], parts: Included, played: Sequence[UUID]) -> str:
    of_products = [found.get(one) for found in (parts.achievements or {}, parts.playtime or {}) for one in played]
    return short_hash(repr((sales.total, [WISH_ON_SALE.render(one) for one in sales.items], of_products)))
