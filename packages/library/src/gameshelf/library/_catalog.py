"""The catalog projection: what the Catalog has published about products."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.library._product_facts import COLUMNS, FIELDS, ProductFact, merge, sort_keys
from gameshelf.library._store import ProductStore

_ASK_AGAIN = timedelta(minutes=10)
# Several users may miss one product. So a batch reads more entries than products are asked for, in a bounded number.
_DUE_AT_ONCE = 1000


class CatalogProjection:
    """The products over one connection that is inside a transaction of their own (no user's)."""

    def __init__(self, connection: Connection, clock: Clock = utc_now) -> None:
        self._store = ProductStore(connection)
        self._clock = clock

    async def apply(self, facts: Sequence[ProductFact]) -> None:
        """Stores what the Catalog published, in any order, twice or late.

        Of two facts of the same time the one applied last wins. ``CATALOG_VERSION`` grows by one if a value changed.
        Writers wait for each other until the transaction ends, so it should end soon.
        """
        if not facts:
            return
        now = self._clock()
        await self._store.take_turn()
        product_ids = list({fact.product_id for fact in facts})
        known = await self._store.products(product_ids)
        before = {product_id: known.get(product_id) or dict.fromkeys(COLUMNS) for product_id in product_ids}
        after = dict(before)
        for fact in facts:
            after[fact.product_id] = merge(after[fact.product_id], fact, now)
        changed = {
            product_id: columns
            for product_id, columns in after.items()
            if product_id not in known or columns != before[product_id]
        }
        if not changed:
            return
        await self._store.write(changed)
        if any(columns[name] != before[product_id][name] for product_id, columns in changed.items() for name in FIELDS):
            await self._store.count_change()

    async def refold(self, start: UUID, limit: int) -> UUID | None:
        """Computes the sort keys of up to ``limit`` products from ``start`` on as this version does.

        Returns where to continue; None when these were the last ones. A version before this one, which serves beside
        it, may have written others. ``CATALOG_VERSION`` stays until ``end_refold``: else every library would be read
        again after each part.
        """
        found = await self._store.titles(start, limit)
        if any(sort_keys(one.title_ru, one.title_en) != (one.sort_key_ru, one.sort_key_en) for one in found):
            await self._store.take_turn()
            current = await self._store.products([one.product_id for one in found])
            await self._store.set_sort_keys(
                {product_id: sort_keys(one["title_ru"], one["title_en"]) for product_id, one in current.items()}
            )
            await self._store.begin_refolding()
        return UUID(int=found[-1].product_id.int + 1) if len(found) == limit else None

    async def end_refold(self) -> None:
        """Counts the change that all parts of ``refold`` made together, if they made one."""
        await self._store.end_refolding()

    async def take_missing(self, limit: int) -> list[UUID]:
        """Returns at most ``limit`` products whose title to ask the Catalog for; each is due again after 10 minutes.

        Deletes the entries of products whose titles are known by now. The work of one call does not depend on how many
        entries there are. Returns none while another transaction asks.
        """
        if not await self._store.take_missing():
            return []
        now = self._clock()
        while True:
            due = await self._store.due(now, _DUE_AT_ONCE)
            await self._store.delete_missing([one for one in due if one.has_title])
            untitled = sorted({one.product_id for one in due if not one.has_title})
            if untitled or len(due) < _DUE_AT_ONCE:
                missing = untitled[:limit]
                asked = [one for one in due if one.product_id in missing]
                await self._store.ask_later(asked, now + _ASK_AGAIN)
                return missing
