"""The use cases of the products that members keep of their owners. They record events and never commit.

They are a job's: an owner's change is committed first, and its members' rows follow in transactions of the members.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.kernel.events import Event, RecordEvent
from gameshelf.kernel.serialise import Serialise, by_advisory_lock
from gameshelf.library._events import ItemUpdated
from gameshelf.library._family.events import SharedGameAdded, SharedGameRemoved, SharedLibraryUpdated
from gameshelf.library._shares.rules import ListedProduct, Offer, SeenProduct, ShareDifference, counting, difference
from gameshelf.library._shares.store import Membership, ShareStore

MOST_EVENTS = 20
"""How many games of an owner change for a member one by one; more are one ``SharedLibraryUpdated``."""
_PART = 1000
"""How many products are compared at once."""
_FIRST, _LAST = UUID(int=0), UUID(int=2**128 - 1)


class FamilyShares:
    """What owners share, kept with their members, over one connection inside a transaction.

    ``serialise`` lets one transaction at a time change what a user has: by default an advisory lock, one round trip per
    call.
    """

    def __init__(
        self,
        connection: Connection,
        record: RecordEvent,
        clock: Clock = utc_now,
        serialise: Serialise | None = None,
        part: int = _PART,
    ) -> None:
        self._serialise = serialise or by_advisory_lock(connection)
        self._shares = ShareStore(connection)
        self._record = record
        self._clock = clock
        self._part = part

    async def mark_links(self, owner_id: UUID) -> None:
        """Marks the links of an owner whose games have changed, so that each of them is refreshed.

        It changes nothing that users see, and so asks for no serialisation.
        """
        if not await self._shares.take_marks(owner_id):
            return
        for member_id in await self._shares.members(owner_id):
            await self._shares.make_outdated(member_id, owner_id)

    async def refresh(self, member_id: UUID, owner_id: UUID) -> bool:
        """Makes the products that a member keeps of an owner those that the owner shares now; False where they are.

        Records what changes for the member; a link that has ended or has begun was announced by LinkUpdated, so its
        games are at most one more event.
        """
        await self._serialise(member_id)
        link = await self._shares.lock(member_id, owner_id)
        if link is None:
            return False
        if not link.is_active(self._clock()) or link.active_since is None:
            await self._shares.remove_all(member_id, owner_id)
            await self._shares.set_current(member_id, owner_id, None)
            return True
        events: list[Event] = []
        first, last = _FIRST, _FIRST
        while last < _LAST:
            owned = await self._shares.owned(owner_id, first, self._part)
            last = owned[-1].product_id if len(owned) == self._part else _LAST
            stored = {one.product_id: one for one in await self._shares.stored(member_id, owner_id, first, last)}
            shared = {one.product_id: one for one in owned if link.scope.covers(one.product_id)}
            changes = difference(stored, shared)
            events += await self._write(member_id, owner_id, link, link.active_since, stored, changes)
            first = UUID(int=min(last.int + 1, _LAST.int))
        await self._shares.set_current(member_id, owner_id, link.active_since)
        self._announce(member_id, owner_id, link, events)
        return True

    async def _write(
        self,
        member_id: UUID,
        owner_id: UUID,
        link: Membership,
        active_since: datetime,
        stored: dict[UUID, ListedProduct],
        changes: ShareDifference,
    ) -> list[Event]:
        products = {one.product_id for one in (*changes.written, *changes.removed)}
        if not products:
            return []
        if changes.written:
            await self._shares.write(member_id, owner_id, changes.written)
        if changes.removed:
            await self._shares.remove(member_id, owner_id, [one.product_id for one in changes.removed])
        seen = await self._shares.seen(member_id, owner_id, products)
        written = {one.product_id: one for one in changes.written}

        def offer(product: ListedProduct | None) -> Offer | None:
            return Offer(owner_id, product.added_at, active_since, link.id) if product else None

        return [
            event
            for product_id in sorted(products)
            for event in self._changes(
                member_id, seen[product_id], offer(stored.get(product_id)), offer(written.get(product_id))
            )
        ]

    def _changes(
        self, member_id: UUID, seen: SeenProduct, before: Offer | None, after: Offer | None
    ) -> Iterable[Event]:
        """Yields what a member is notified of when an owner's share of a product changes."""
        if seen.is_barred:
            return
        old, new = counting(before, seen.other), counting(after, seen.other)
        item_id, product_id, now = seen.item_id, seen.product_id, self._clock()
        if new is None:
            if old is not None:
                yield SharedGameRemoved(user_id=member_id, occurred_at=now, item_id=item_id, product_id=product_id)
        elif old is None:
            yield SharedGameAdded(
                user_id=member_id,
                occurred_at=now,
                item_id=item_id,
                product_id=product_id,
                owner_user_id=new.owner_user_id,
                added_at=new.since,
            )
        elif (old.owner_user_id, old.since) != (new.owner_user_id, new.since):
            changes = {"shared_from_user_id": new.owner_user_id, "added_at": new.since}
            yield ItemUpdated(
                user_id=member_id, occurred_at=now, item_id=item_id, product_id=product_id, changes=changes
            )

    def _announce(self, member_id: UUID, owner_id: UUID, link: Membership, events: list[Event]) -> None:
        is_known = link.products_since == link.active_since
        if is_known and len(events) <= MOST_EVENTS:
            for event in events:
                self._record(event)
        elif events:
            self._record(
                SharedLibraryUpdated(
                    user_id=member_id,
                    occurred_at=self._clock(),
                    link_id=link.id,
                    owner_user_id=owner_id,
                    added=sum(isinstance(event, SharedGameAdded) for event in events),
                    removed=sum(isinstance(event, SharedGameRemoved) for event in events),
                )
            )
