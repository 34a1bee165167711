"""What an unlock reads first."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from gameshelf.achievements import AchievementService, ProgressUpdate
from gameshelf.gateway.runtime.unit_of_work.opening import Opening
from gameshelf.library import AccessQueries

MAX_KNOWN = 10_000
"""Achievements whose product is remembered, some 2 MB; beyond it the one that was learned first is forgotten."""


class KnownProducts:
    """The products of achievements that this process has met, so that the access can be read together with the states.

    It is only a guess, and decides nothing: what was read for another product is not used, and the access is read then.
    """

    def __init__(self, max_known: int = MAX_KNOWN) -> None:
        self._max_known = max_known
        self._products: dict[UUID, UUID] = {}

    def learn(self, achievement_id: UUID, product_id: UUID) -> None:
        """Remembers the product of an achievement."""
        self._products[achievement_id] = product_id
        if len(self._products) > self._max_known:
            del self._products[next(iter(self._products))]

    def product_of(self, achievement_ids: Collection[UUID]) -> UUID | None:
        """Returns the product that all of these belong to, if it is known."""
        products = {self._products.get(one) for one in achievement_ids}
        return products.pop() if len(products) == 1 else None


KNOWN = KnownProducts()


def unlock(user_id: UUID, achievement_id: UUID, **_: Any) -> Opening:
    """Opens the unlock of an achievement."""
    return unlocks(user_id, [achievement_id])


def unlocks(user_id: UUID, achievement_ids: Collection[UUID]) -> Opening:
    """Opens unlocks of achievements of one player."""
    states = AchievementService.lookup(user_id, [ProgressUpdate(one, None) for one in achievement_ids])
    product_id = KNOWN.product_of(achievement_ids)
    return Opening([states, AccessQueries.lookup(user_id, [product_id])] if product_id else [states])
