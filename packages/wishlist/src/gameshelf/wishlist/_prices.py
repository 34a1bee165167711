"""Takes over prices from the Catalog, and starts and stops the fan-outs that notify wishers of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from gameshelf.kernel.clock import Clock, event_time, not_in_future, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.wishlist._rules import Price, succeed
from gameshelf.wishlist._store.prices import PriceKey, PriceStore
from gameshelf.wishlist._store.release_before import ReleaseBefore


class Prices:
    """The prices over one connection that is inside a transaction of their own (no user's)."""

    def __init__(self, connection: Connection, clock: Clock = utc_now) -> None:
        self._store = PriceStore(connection)
        self._release_before = ReleaseBefore(connection)
        self._clock = clock

    async def apply(self, facts: Sequence[Price]) -> None:
        """Takes over prices, in any order, twice or late: of each product and currency the newest counts; of two of one
        time the one received last.

        The wishers whom a sale or a lasting cut concerns are notified by a job that works through ``SaleFanouts``. A
        newer price stops the fan-out of an older one, unless its terms are the same. A user who wishes for the product
        meanwhile waits until this transaction ends.
        """
        if not facts:
            return
        now = self._clock()
        product_ids = {fact.product_id for fact in facts}
        await self._store.lock_for_writing(product_ids)
        kept = await self._store.prices_of_products(product_ids)
        prices = dict(kept)
        for fact in facts:
            price = replace(fact, said_at=not_in_future(fact.said_at, now), sale_ends_at=event_time(fact.sale_ends_at))
            before = prices.get((price.product_id, price.currency))
            if before is None or price.said_at >= before.said_at:
                prices[price.product_id, price.currency] = succeed(before, price, now)
        changed = {key: price for key, price in prices.items() if price != kept.get(key)}
        if not changed:
            return
        await self._store.write(list(changed.values()))
        others = {key: one for key, one in changed.items() if not (key in kept and one.has_the_terms_of(kept[key]))}
        announced = [key for key, price in others.items() if price.is_announced(now)]
        if announced:
            await self._store.start_fanouts(announced)
        if over := [key for key in others if key not in announced]:
            await self._store.stop_fanouts(over)
        await self._write_for_release_before(changed, others)

    async def _write_for_release_before(
        self, changed: Mapping[PriceKey, Price], others: Mapping[PriceKey, Price]
    ) -> None:
        now = self._clock()
        newest: dict[UUID, PriceKey] = {}
        for key in sorted(changed, key=lambda one: changed[one].said_at):
            newest[key[0]] = key
        on_sale = [product_id for product_id, key in newest.items() if key in others and others[key].is_sale(now)]
        over = [product_id for product_id, key in newest.items() if key in others and product_id not in on_sale]
        await self._release_before.write([changed[key] for key in newest.values()], on_sale, over)
