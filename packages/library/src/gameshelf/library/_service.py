"""The use cases of a library. None commits: the caller's transaction does.

Each one that writes first asks for serialisation of its user: transactions on one user run one after the other.
Otherwise decisions would be based on rows that another transaction changes. A use case records its events through
``record``. It raises an error where it refuses; then the caller rolls back everything that it has written.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from gameshelf.kernel.clock import Clock, not_in_future, utc_now
from gameshelf.kernel.database import BoundStatement, Connection, look_ahead
from gameshelf.kernel.events import RecordEvent
from gameshelf.kernel.serialise import Serialise, by_advisory_lock
from gameshelf.library._categories import CategoryUseCases
from gameshelf.library._edits import ItemEdits
from gameshelf.library._errors import (
    GrantNotFound,
    ProductAlreadyOwned,
    ProductNotFound,
    ProductNotFree,
)
from gameshelf.library._events import GameAdded, GameRemoved
from gameshelf.library._installations import Installation
from gameshelf.library._item_changes import changes_of
from gameshelf.library._models import EndedBy, GrantKind, InstallationStatus, OrderFactKind
from gameshelf.library._queries.access import AccessQueries, Share
from gameshelf.library._queries.library import LibraryQueries
from gameshelf.library._rules import (
    TOMBSTONE,
    Holding,
    NewGrant,
    OrderAdjustment,
    Ownership,
    Playtime,
    StoredGrant,
    is_newer,
    ownership,
)
from gameshelf.library._store import ERASURE, CategoryStore, GrantStore, ItemStore, StoredItem, lookup_items
from gameshelf.library._views import ItemView, Language


class LibraryService(ItemEdits, CategoryUseCases):
    """A user's library, changed over one connection inside a transaction.

    ``record`` takes the events. ``serialise`` lets one transaction at a time change a user's library: by default an
    advisory lock, one round trip per call.
    """

    def __init__(
        self, connection: Connection, record: RecordEvent, clock: Clock = utc_now, serialise: Serialise | None = None
    ) -> None:
        self._serialise = serialise or by_advisory_lock(connection)
        self._connection = connection
        self._grants = GrantStore(connection)
        self._items = ItemStore(connection)
        self._categories = CategoryStore(connection)
        self._queries = LibraryQueries(connection)
        self._access = AccessQueries(connection)
        self._record = record
        self._clock = clock

    # Ownership

    async def grant(self, user_id: UUID, grants: Sequence[NewGrant]) -> None:
        """Adds grants of products.

        Repeating a grant changes nothing; one that was ended stays ended, even if its end was received first. Of two
        purchases of one order the larger quantity counts.
        """
        if not grants:
            return
        await self._serialise(user_id)
        now = self._clock()
        bounded = [replace(grant, acquired_at=not_in_future(grant.acquired_at, now)) for grant in grants]
        types: dict[UUID, str | None] = {}
        for grant in bounded:
            types[grant.product_id] = types.get(grant.product_id) or grant.product_type
        await self._grants.add_grants(user_id, bounded)
        await self._grants.note_missing_products(user_id, list(types), now)
        await self._settle(user_id, types)

    async def end_grants(
        self,
        user_id: UUID,
        kind: GrantKind,
        source_id: str,
        product_ids: Sequence[UUID],
        reason: str = "refund",
    ) -> None:
        """Ends the grants of these products by one source, including those that were not received yet.

        An end is for good: a later grant by the same source changes nothing. Orders have ``refund`` instead. ``reason``
        is that of GameRemoved.
        """
        if not product_ids:
            return
        await self._serialise(user_id)
        await self._grants.end_grants(user_id, kind, source_id, product_ids, self._clock())
        await self._settle(user_id, dict.fromkeys(product_ids), reason)

    async def refund(
        self, user_id: UUID, order_id: str, quantities: Mapping[UUID, int | None], fact_id: str, at: datetime
    ) -> None:
        """Applies a refund at ``at`` (aware) of so many copies of an order's products; None means all copies.

        The order's grant of a product ends with the last copy. ``fact_id`` (at most 210 characters) distinguishes the
        refund from others of the order: the same one again changes nothing, unless it names more copies or an earlier
        time. It may be received before the purchase.
        """
        await self._serialise(user_id)
        await self._grants.add_tombstones(user_id, order_id, quantities, self._clock())
        await self._add_facts(user_id, OrderFactKind.REFUND, order_id, quantities, fact_id, at)

    async def reinstate(
        self, user_id: UUID, order_id: str, quantities: Mapping[UUID, int | None], fact_id: str, at: datetime
    ) -> None:
        """Applies a reinstatement at ``at`` of so many refunded copies of an order's products; see ``refund``.

        Products that support has revoked stay revoked.
        """
        await self._serialise(user_id)
        await self._add_facts(user_id, OrderFactKind.REINSTATEMENT, order_id, quantities, fact_id, at)

    async def _add_facts(
        self,
        user_id: UUID,
        kind: OrderFactKind,
        order_id: str,
        quantities: Mapping[UUID, int | None],
        fact_id: str,
        at: datetime,
    ) -> None:
        at = not_in_future(at, self._clock())
        facts = [
            (product_id, order_id, OrderAdjustment(kind, fact_id, quantity, at))
            for product_id, quantity in sorted(quantities.items())
        ]
        await self._grants.add_facts(user_id, facts)
        await self._settle(user_id, dict.fromkeys(quantities))

    async def revoke(
        self, user_id: UUID, product_id: UUID, source: tuple[GrantKind, str] | None = None, reason: str = "support"
    ) -> list[Holding]:
        """Ends every live grant of a product, or only that of one source, for good; returns them, the oldest first.

        A grant by support with the ``acquired_at`` of the oldest one undoes it: ownership and access begin as before.
        ``reason`` is that of GameRemoved. Raises GrantNotFound when no grant lives.
        """
        await self._serialise(user_id)
        ended = await self._grants.end_live(user_id, product_id, source, self._clock())
        if not ended:
            raise GrantNotFound(reason="no_live_grant")
        await self._settle(user_id, {product_id: None}, reason)
        return sorted(ended, key=lambda held: (held.acquired_at, held.kind, held.source_id))

    async def claim(self, user_id: UUID, product_id: UUID, language: Language) -> ItemView:
        """Adds a free-to-play product to the library.

        Raises ProductNotFound, ProductNotFree (also for a product that the user has bought), ProductAlreadyOwned.
        """
        await self._serialise(user_id)
        free = await self._grants.is_free(product_id)
        if free is None:
            raise ProductNotFound(pointer="product_id")
        if not free:
            raise ProductNotFree(pointer="product_id")
        [item] = await self._items.ensure_items(user_id, [product_id])
        if item.ownership:
            raise ProductAlreadyOwned(pointer="product_id", library_item_id=str(item.id))
        await self.grant(user_id, [NewGrant(product_id, GrantKind.CLAIM, str(uuid4()), self._clock())])
        return await self._visible(user_id, item.id, language)

    async def _settle(self, user_id: UUID, products: Mapping[UUID, str | None], reason: str = "refund") -> None:
        """Writes the ownership of these products (with their types) by their grants, and records the changes."""
        asked = list(products)
        await look_ahead(
            self._connection,
            self._grants.lookup(user_id, asked),
            lookup_items(user_id, asked),
            self._access.lookup_shares(user_id, asked),
        )
        live = await self._live(user_id, asked)
        changed: list[tuple[StoredItem, Ownership | None]] = []
        unchanged: list[UUID] = []
        for item in await self._items.of_products(user_id, asked):
            owned = ownership(live.get(item.product_id, ()))
            if owned != item.ownership:
                changed.append((item, owned))
            else:
                unchanged.append(item.product_id)
        # Shares are read before items are written: that does not change them, and then they are known already.
        turned = any(owned is None or item.ownership is None for item, owned in changed)
        shares = await self._access.shares(user_id, asked) if turned else {}
        if unchanged:
            await self._items.make_items(user_id, unchanged)
        if not changed:
            return
        await self._items.set_ownership(user_id, changed, products)
        for item, owned in changed:
            self._record_ownership(user_id, item, owned, reason, shares.get(item.product_id))

    async def _live(self, user_id: UUID, product_ids: Iterable[UUID]) -> dict[UUID, list[Holding]]:
        """Writes the ends of grants by the facts of their orders; returns the live grants of each product."""
        live: dict[UUID, list[Holding]] = {}
        changed: list[StoredGrant] = []
        tombstones: list[tuple[UUID, str, OrderAdjustment]] = []
        for grant in await self._grants.of_products(user_id, product_ids):
            if grant.should_live and grant.acquired_at is not None:
                held = Holding(grant.kind, grant.source_id, grant.acquired_at)
                live.setdefault(grant.product_id, []).append(held)
            if grant.should_live == (grant.ended_at is None):
                continue
            if grant.should_live:
                # The refund that the end stood for is stored, because the end is removed.
                written = (fact for fact in grant.known_facts[len(grant.facts) :] if fact.fact_id == TOMBSTONE)
                tombstones += [(grant.product_id, grant.source_id, fact) for fact in written]
                changed.append(replace(grant, ended_at=None, ended_by=None))
            else:
                changed.append(replace(grant, ended_at=self._clock(), ended_by=EndedBy.ORDER_FACTS))
        if tombstones:
            await self._grants.add_facts(user_id, tombstones)
        if changed:
            await self._grants.set_ends(user_id, changed)
        return live

    def _record_ownership(
        self, user_id: UUID, item: StoredItem, owned: Ownership | None, reason: str, share: Share | None
    ) -> None:
        now = self._clock()
        if owned is None:
            self._record(
                GameRemoved(
                    user_id=user_id,
                    occurred_at=now,
                    item_id=item.id,
                    product_id=item.product_id,
                    reason=reason,
                    shared_from_user_id=share.owner_user_id if share else None,
                    shared_since=share.since if share else None,
                )
            )
        elif item.ownership is None:
            self._record(
                GameAdded(
                    user_id=user_id,
                    occurred_at=now,
                    item_id=item.id,
                    product_id=item.product_id,
                    acquisition_type=owned.acquisition_type,
                    added_at=owned.added_at,
                    was_shared=share is not None,
                )
            )
        else:
            self._changed(user_id, item, acquisition_type=owned.acquisition_type, added_at=owned.added_at)

    # The user's state of a game

    async def _ensure_items(self, user_id: UUID, product_ids: Iterable[UUID]) -> list[StoredItem]:
        """Returns the items of these products, by product, with whether the user sees them; creates those that are
        missing.
        """
        items = await self._items.ensure_items(user_id, product_ids)
        if all(item.ownership for item in items):
            return items
        shared = await self._queries.visible_products(user_id, [item.id for item in items if item.ownership is None])
        return [replace(item, is_shared=True) if item.id in shared else item for item in items]

    async def set_installation(
        self,
        user_id: UUID,
        product_id: UUID,
        status: InstallationStatus,
        version_id: str | None,
        at: datetime,
        device_id: str | None = None,
    ) -> None:
        """Stores the status of a game since ``at`` (aware) by the Download service, on one device or on all.

        The newest status of each device wins, in any order of arrival, including the user's own (``update_item``); of
        two with the same time the one received last. A game that is not installed has no version.
        """
        await self._serialise(user_id)
        at = not_in_future(at, self._clock())
        [item] = await self._ensure_items(user_id, [product_id])
        version = None if status is InstallationStatus.NOT_INSTALLED else version_id
        fact = Installation(device_id, status, version, at)
        stored = replace(item, installations=item.installations.with_fact(fact))
        if stored == item:
            return
        await self._items.set_state(user_id, [stored])
        if changed := changes_of(item, stored):
            self._changed(user_id, item, **changed)

    async def set_rating(self, user_id: UUID, product_id: UUID, rating: float, at: datetime) -> None:
        """Stores the user's rating of a product (finite, on the Social service's scale); the newest wins."""
        await self._serialise(user_id)
        at = not_in_future(at, self._clock())
        [item] = await self._ensure_items(user_id, [product_id])
        if not is_newer(at, item.rating_changed_at):
            return
        await self._items.set_state(user_id, [replace(item, user_rating=rating, rating_changed_at=at)])
        if rating != item.user_rating:
            self._changed(user_id, item, user_rating=rating)

    @staticmethod
    def lookup_items(user_id: UUID, product_ids: Iterable[UUID]) -> BoundStatement:
        """Returns what ``set_playtime`` reads first."""
        return lookup_items(user_id, product_ids)

    async def set_playtime(self, user_id: UUID, played: Sequence[Playtime]) -> None:
        """Stores how long products were played, and when last. The round trips do not depend on how many."""
        await self._serialise(user_id)
        items = await self._ensure_items(user_id, [one.product_id for one in played])
        by_product = {one.product_id: one for one in played}
        now_played = [(item, by_product[item.product_id]) for item in items]
        await self._items.set_playtime(user_id, now_played)
        for item, now in now_played:
            self._changed(user_id, item, total_playtime_seconds=now.total_seconds, last_played_at=now.last_played_at)

    async def report_change(self, user_id: UUID, product_id: UUID, **changes: Any) -> None:
        """Records a change of a game whose data another domain stores, if the user sees the game."""
        await self._serialise(user_id)
        [item] = await self._ensure_items(user_id, [product_id])
        self._changed(user_id, item, **changes)

    # The end of an account

    async def erase(self, user_id: UUID, limit: int = 1000) -> bool:
        """Deletes at most ``limit`` of a user's rows; True while there may be more."""
        return await ERASURE.erase_some(self._connection, user_id, limit)
