"""Reads what other domains know of the products of items, in one round trip for all items of a page."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from gameshelf.achievements import AchievementQueries, AchievementSummary
from gameshelf.gateway.domains.library.resources_included import ITEM_ACHIEVEMENTS, ITEM_PLAYTIME, ITEM_SAVES
from gameshelf.gateway.runtime.http.routing import Read
from gameshelf.kernel.database import BoundStatement, look_ahead
from gameshelf.library import ItemFilter, OnDevice
from gameshelf.playtime import PlaytimeQueries, ProductSummary
from gameshelf.savegames import ProductSaves, SavegameSummaries
from pydantic import Field


class ItemPart(StrEnum):
    """What an item includes: `achievements` (how many are unlocked), `saves` (cloud saves, and how the device of the
    query stands to them) or `playtime` (of the last two weeks).
    """

    ACHIEVEMENTS = "achievements"
    SAVES = "saves"
    PLAYTIME = "playtime"


class ItemsQuery(ItemFilter):
    """Which items of a library, in which order, which page of them, and what each one includes."""

    include: tuple[ItemPart, ...] = Field(default=(), max_length=len(ItemPart))
    """What the items include of other parts of the library, comma separated."""


class ItemQuery(OnDevice):
    """Of which device an item shows the installation, and what it includes."""

    include: tuple[ItemPart, ...] = Field(default=(), max_length=len(ItemPart))
    """What the item includes of other parts of the library, comma separated."""


@dataclass(frozen=True, slots=True)
class Included:
    """What other domains know of some products, by product; a part that was not asked for is None."""

    achievements: Mapping[UUID, AchievementSummary] | None = None
    saves: Mapping[UUID, ProductSaves] | None = None
    playtime: Mapping[UUID, ProductSummary] | None = None

    def put_into(self, items: Sequence[dict[str, Any]], device_id: str | None) -> None:
        """Adds the parts to rendered items of these products."""
        for one in items:
            attributes = one["attributes"]
            product_id = attributes["product_id"]
            if self.achievements is not None:
                unlocked = self.achievements.get(product_id)
                attributes["achievements"] = ITEM_ACHIEVEMENTS.render(unlocked) if unlocked else None
            if self.saves is not None:
                saves = self.saves.get(product_id)
                attributes["saves"] = ITEM_SAVES.render(saves, device_id) if saves else None
            if self.playtime is not None:
                played = self.playtime.get(product_id)
                attributes["playtime"] = ITEM_PLAYTIME.render(played) if played else None


async def read_included(
    read: Read,
    product_ids: Sequence[UUID],
    wanted: Collection[ItemPart],
    device_id: str | None,
    *others: BoundStatement,
) -> Included:
    """Returns these parts of products. One round trip, in which ``others`` are looked up too: ``read`` is one that
    reads ``together``.
    """
    user_id = read.user_id
    lookups = {
        ItemPart.ACHIEVEMENTS: AchievementQueries.lookup_of_products(user_id, product_ids),
        ItemPart.SAVES: SavegameSummaries.lookup_of_products(user_id, product_ids, device_id),
        ItemPart.PLAYTIME: PlaytimeQueries.lookup_of_products(user_id, product_ids, read.now),
    }
    await look_ahead(read.connection, *(lookups[part] for part in ItemPart if part in wanted), *others)
    achievements, saves, playtime = (part in wanted for part in ItemPart)
    return Included(
        await read.of(AchievementQueries).of_products(user_id, product_ids) if achievements else None,
        await read.of(SavegameSummaries).of_products(user_id, product_ids, device_id) if saves else None,
        await read.of(PlaytimeQueries).of_products(user_id, product_ids, read.now) if playtime else None,
    )


async def add_included(
    read: Read, items: Sequence[dict[str, Any]], wanted: Collection[ItemPart], device_id: str | None
) -> None:
    """Adds these parts to rendered items. One round trip, none without items or parts."""
    if items and wanted:
        product_ids = [one["attributes"]["product_id"] for one in items]
        parts = await read_included(read.together(), product_ids, wanted, device_id)
        parts.put_into(items, device_id)
