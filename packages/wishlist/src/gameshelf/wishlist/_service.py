"""The use cases of a wishlist. They record events and never commit.

Each one that writes asks for serialisation of its user first, so what it reads cannot change until it has written.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from uuid import UUID, uuid4

from asyncpg import UniqueViolationError
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import BoundStatement, Connection
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.kernel.events import RecordEvent
from gameshelf.kernel.serialise import Serialise, by_advisory_lock
from gameshelf.wishlist._commands import NewWish, WishChanges, require_whole_target
from gameshelf.wishlist._errors import (
    GameNotFoundInWishlist,
    ProductAlreadyOwned,
    WishlistItemAlreadyExists,
    WishlistLimitExceeded,
)
from gameshelf.wishlist._events import WishAdded, WishlistChanged, WishRemoved
from gameshelf.wishlist._notices import notice
from gameshelf.wishlist._ports import Products
from gameshelf.wishlist._queries import PricedWish
from gameshelf.wishlist._rules import DEFAULT_CURRENCY, Price, wishers_currency
from gameshelf.wishlist._store import ERASURE, PriceStore, Wish, WishlistStore, lock_of_price, lookup_new, lookup_prices

DEFAULT_MAX_ITEMS = 100


class WishlistService:
    """A user's wishlist, over one connection inside a transaction.

    ``products`` answers questions about products; ``record`` takes the events; ``max_items`` bounds the list. A wish
    without a target is for the price in ``default_currency``, where the product has one in it. ``serialise`` lets one
    transaction at a time change a user's wishes: by default an advisory lock, one round trip per call.
    """

    def __init__(
        self,
        connection: Connection,
        record: RecordEvent,
        products: Products,
        clock: Clock = utc_now,
        max_items: int = DEFAULT_MAX_ITEMS,
        default_currency: str = DEFAULT_CURRENCY,
        serialise: Serialise | None = None,
    ) -> None:
        self._connection = connection
        self._store = WishlistStore(connection)
        self._prices = PriceStore(connection)
        self._record = record
        self._products = products
        self._clock = clock
        self._max_items = max_items
        self._default_currency = default_currency
        self._serialise = serialise or by_advisory_lock(connection)

    @staticmethod
    def lookups_of_add(user_id: UUID, product_id: UUID) -> list[BoundStatement]:
        """What ``add_product`` reads besides the ports, once ``lock_of_price`` is held."""
        return [*lookup_new(user_id, product_id), lookup_prices(product_id)]

    @staticmethod
    def lock_of_price(product_id: UUID) -> BoundStatement:
        """The lock that ``add_product`` takes: either a transaction that writes a price sees the wish, or this one sees
        the price.
        """
        return lock_of_price(product_id)

    async def add_product(self, user_id: UUID, new: NewWish) -> PricedWish:
        """Puts a product on the list, also an unknown one; notifies the user if its current sale meets the conditions.

        Raises ProductAlreadyOwned, WishlistItemAlreadyExists, WishlistLimitExceeded; InvalidInput for half a target.
        """
        require_whole_target(new.target_price_minor, new.target_currency)
        await self._serialise(user_id)
        if await self._products.owns(user_id, new.product_id):
            raise ProductAlreadyOwned(pointer="product_id")
        await self._require_new(user_id, new.product_id)
        if await self._store.count_items(user_id) >= self._max_items:
            raise WishlistLimitExceeded(max_items=self._max_items)
        now = self._clock()
        wish = Wish(uuid4(), added_at=now, **new.model_dump())
        try:
            await self._store.add_item(user_id, wish)
        except UniqueViolationError:  # the port did not serialise: the constraint decides
            raise WishlistItemAlreadyExists(pointer="product_id") from None
        self._record(
            WishAdded(
                user_id=user_id, occurred_at=now, item_id=wish.id, product_id=wish.product_id, added_at=wish.added_at
            )
        )
        # Either the transaction that starts a sale sees this wish, or this one sees the sale.
        await self._prices.lock(wish.product_id)
        prices = await self._prices.prices(wish.product_id)
        await self._notify_of_sale(user_id, wish, prices)
        return PricedWish(wish, self._wishers_price(wish, prices))

    async def change_item(self, user_id: UUID, item_id: UUID, changes: WishChanges) -> Wish:
        """Changes the fields that ``changes`` sets; notifies the user if a current sale meets the new conditions.

        Raises GameNotFoundInWishlist; InvalidInput for half a target.
        """
        await self._serialise(user_id)
        wish = await self._require_item(user_id, item_id)
        changed = replace(wish, **changes.model_dump(include=changes.model_fields_set))
        require_whole_target(changed.target_price_minor, changed.target_currency)
        if changed.conditions != wish.conditions:
            # Either the transaction that writes a price sees these conditions, or this one sees the price.
            await self._prices.lock(wish.product_id)
            prices = await self._prices.prices(wish.product_id)
            await self._notify_of_cut(user_id, wish, prices)
            received = [price.cut.received_at for price in prices.values() if price.cut]
            changed = replace(changed, cut_seen_at=max(received, default=None))
            await self._store.change_item(user_id, changed)
            self._changed(user_id, wish.product_id)
            await self._notify_of_sale(user_id, changed, prices)
        elif changed != wish:
            await self._store.change_item(user_id, changed)
            self._changed(user_id, wish.product_id)
        return changed

    async def remove_item(self, user_id: UUID, item_id: UUID) -> None:
        """Takes an item from the list. Raises GameNotFoundInWishlist."""
        await self._serialise(user_id)
        await self._remove(user_id, [await self._require_item(user_id, item_id)], "removed")

    async def remove_product(self, user_id: UUID, product_id: UUID) -> None:
        """Takes a product from the list. Raises GameNotFoundInWishlist."""
        await self._serialise(user_id)
        wishes = await self._store.items_of_products(user_id, [product_id])
        if not wishes:
            raise GameNotFoundInWishlist
        await self._remove(user_id, wishes, "removed")

    async def remove_bought(self, user_id: UUID, product_ids: Collection[UUID]) -> None:
        """Removes products that the user now owns from the list."""
        await self._serialise(user_id)
        wishes = await self._store.items_of_products(user_id, product_ids)
        if wishes:
            await self._remove(user_id, wishes, "purchased")

    async def set_order(self, user_id: UUID, item_ids: Sequence[UUID]) -> None:
        """Gives the list this order: priorities 1, 2, 3 … Raises InvalidInput unless each item is named once."""
        await self._serialise(user_id)
        existing = await self._store.item_ids(user_id)
        if len(item_ids) != len(existing) or set(item_ids) != existing:
            raise InvalidInput(Problem("stale_order", pointer="item_ids"))
        await self._store.set_order(user_id, item_ids)
        self._changed(user_id, None)

    async def notify_of_price(self, user_id: UUID, product_id: UUID) -> bool:
        """Notifies the user of a product's current sale, or of a lasting cut since they wished for it, if the product
        is on their list, the price meets the conditions, and they were not notified yet. Returns whether it did.
        """
        await self._serialise(user_id)
        await self._prices.lock(product_id)
        for wish in await self._store.items_of_products(user_id, [product_id]):
            price = self._wishers_price(wish, await self._prices.prices(product_id))
            if price and (price.cut is None or wish.came_before(price.cut)):
                return await self._notify(user_id, wish, price)
        return False

    async def _require_new(self, user_id: UUID, product_id: UUID) -> None:
        for existing in await self._store.items_of_products(user_id, [product_id]):
            raise WishlistItemAlreadyExists(pointer="product_id", wishlist_item_id=str(existing.id))

    def _changed(self, user_id: UUID, product_id: UUID | None) -> None:
        self._record(WishlistChanged(user_id=user_id, occurred_at=self._clock(), product_id=product_id))

    async def _notify_of_sale(self, user_id: UUID, wish: Wish, prices: Mapping[str, Price]) -> None:
        price = self._wishers_price(wish, prices)
        if price and price.cut is None:
            await self._notify(user_id, wish, price)

    async def _notify_of_cut(self, user_id: UUID, wish: Wish, prices: Mapping[str, Price]) -> None:
        """Notifies of a lasting cut by the conditions as they were when it came, while the fan-out has not reached this
        wisher: it would find the new conditions.
        """
        price = self._wishers_price(wish, prices)
        is_due = price and price.cut and wish.came_before(price.cut) and wish.conditions.are_met_by(price)
        if price and is_due and await self._store.is_notification_pending(user_id, price):
            await self._notify(user_id, wish, price)

    def _wishers_price(self, wish: Wish, prices: Mapping[str, Price]) -> Price | None:
        currency = wishers_currency(wish.target_currency, prices.keys(), self._default_currency)
        return prices[currency] if currency else None

    async def _notify(self, user_id: UUID, wish: Wish, price: Price) -> bool:
        is_due = price.is_announced(self._clock()) and wish.conditions.are_met_by(price)
        if not is_due or not await self._store.record_notification(user_id, price):
            return False
        title = await self._products.title(price.product_id)
        self._record(notice(user_id, wish.id, price, title, self._clock()))
        return True

    async def _remove(self, user_id: UUID, wishes: Sequence[Wish], reason: str) -> None:
        await self._store.remove_items(user_id, [wish.id for wish in wishes])
        for wish in wishes:
            self._record(
                WishRemoved(
                    user_id=user_id,
                    occurred_at=self._clock(),
                    item_id=wish.id,
                    product_id=wish.product_id,
                    added_at=wish.added_at,
                    reason=reason,
                )
            )

    async def _require_item(self, user_id: UUID, item_id: UUID) -> Wish:
        wish = await self._store.item(user_id, item_id)
        if wish is None:
            raise GameNotFoundInWishlist
        return wish

    async def erase(self, user_id: UUID, limit: int = 1000) -> bool:
        """Deletes a bounded part of everything that is stored about a user; True while there may be more."""
        return await ERASURE.erase_some(self._connection, user_id, limit)
