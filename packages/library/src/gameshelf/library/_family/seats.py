"""The use cases of seats: whose copy a member plays. They record events and never commit.

Each one that takes or locks copies first asks for serialisation of the acting user. Everything that decides about a
copy is read under the lock of that copy: the owner's grant, the link, its scope, the seat, and whether the owner plays.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import BoundStatement, Connection
from gameshelf.kernel.events import RecordEvent
from gameshelf.kernel.serialise import Serialise, by_advisory_lock
from gameshelf.library._family.errors import FamilySeatBusy
from gameshelf.library._family.events import SeatReclaimed
from gameshelf.library._family.ports import Players
from gameshelf.library._family.rules import GRACE, SEAT_UNPROVEN
from gameshelf.library._family.store import Link, LinkStore, Seat, SeatStore, lock_of_own_copy, lookup_seat
from gameshelf.library._queries.access import AccessQueries


@dataclass(frozen=True, slots=True)
class TakenCopy:
    """The copy of a product that a session plays. Both fields are None for the player's own copy."""

    owner_user_id: UUID | None = None
    seat_number: int | None = None


OWN = TakenCopy()


class FamilySeats:
    """Copies and their seats, over one connection inside a transaction.

    ``players`` reports which sessions run. ``serialise`` lets one transaction at a time change what a user holds: by
    default an advisory lock, one round trip per call.
    """

    def __init__(
        self,
        connection: Connection,
        record: RecordEvent,
        players: Players,
        clock: Clock = utc_now,
        grace: timedelta = GRACE,
        serialise: Serialise | None = None,
    ) -> None:
        self._serialise = serialise or by_advisory_lock(connection)
        self._links = LinkStore(connection)
        self._seats = SeatStore(connection)
        self._access = AccessQueries(connection)
        self._record = record
        self._players = players
        self._clock = clock
        self._grace = grace

    @staticmethod
    def lookups_of_take(user_id: UUID, product_id: UUID) -> list[BoundStatement]:
        """Returns what ``take`` reads of the user's own copy, once ``lock_of_own_copy`` is held."""
        return [AccessQueries.lookup_owned(user_id, product_id), lookup_seat(user_id, product_id)]

    @staticmethod
    def lock_of_own_copy(user_id: UUID, product_id: UUID) -> BoundStatement:
        """Returns the lock of the user's own copy that ``take`` takes first."""
        return lock_of_own_copy(user_id, product_id)

    async def take(self, user_id: UUID, product_id: UUID, session_id: UUID) -> TakenCopy:
        """Returns the copy that a session of the user may play from now on: their own, or a shared one with its seat.

        A member who plays the user's own copy is notified to stop. Of several shared copies it is the one of the oldest
        link whose seat is free. Raises FamilySeatBusy, FamilyAccessRestricted, PermissionDenied.
        """
        await self._serialise(user_id)
        await self._seats.lock_own_copy(user_id, product_id)
        if await self._access.owns(user_id, product_id):
            await self._reclaim(user_id, product_id)
            return OWN
        copy, busy = await self._free_copy(user_id, product_id, session_id)
        if copy:
            return copy
        raise busy or await self._access.refusal(user_id, product_id)

    async def owns(self, user_id: UUID, product_id: UUID) -> bool:
        """Whether the user has their own copy."""
        return await self._access.owns(user_id, product_id)

    async def take_shared(self, user_id: UUID, product_id: UUID, session_id: UUID) -> TakenCopy | None:
        """Takes a shared copy with its seat for a session of a user who owns none; None where no seat is free."""
        await self._serialise(user_id)
        copy, _ = await self._free_copy(user_id, product_id, session_id)
        return copy

    async def _free_copy(
        self, user_id: UUID, product_id: UUID, session_id: UUID
    ) -> tuple[TakenCopy | None, FamilySeatBusy | None]:
        """Takes the copy of the oldest link whose seat is free; else returns why the first seat is busy, if any."""
        busy: FamilySeatBusy | None = None
        locked = await self._lock_copies(user_id, {product_id})
        for link in locked.get(product_id, ()):
            try:
                return await self._take_of(link, product_id, session_id), None
            except FamilySeatBusy as error:
                busy = busy or error
        return None, busy

    async def lock_copies(self, user_id: UUID, product_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
        """Returns for each product that the user does not own the owners who share it with them, oldest link first.

        No session starts to play these copies until the transaction ends.
        """
        await self._serialise(user_id)
        locked = await self._lock_copies(user_id, product_ids)
        return {product_id: [link.owner_user_id for link in links] for product_id, links in locked.items()}

    async def players(self, owner_ids: Collection[UUID], since: datetime) -> set[UUID]:
        """Returns everybody who may have played a copy of these owners after a moment, the owners among them. One round
        trip for each owner.
        """
        players = set(owner_ids)
        for owner_id in sorted(owner_ids):
            players |= set(await self._links.players_since(owner_id, since))
        return players

    async def release(self, owner_id: UUID, holder_id: UUID, session_ids: Sequence[UUID]) -> None:
        """Frees the seats of an owner's copies whose sessions have ended."""
        await self._seats.release(owner_id, holder_id, session_ids)

    async def _lock_copies(self, user_id: UUID, product_ids: Collection[UUID]) -> dict[UUID, list[Link]]:
        """Returns by product the links by which the user may play it, oldest first.

        One statement locks their copies, and the user's own rows of all these products with them.
        """
        shared = await self._access.sharing_owners(user_id, product_ids)
        copies = {(owner_id, product_id) for product_id, owners in shared.items() for owner_id in owners}
        own = {(user_id, product_id) for product_id in product_ids}
        locked = await self._seats.lock_shared_copies(user_id, copies | own, self._clock()) if copies else {}
        return {
            product_id: [
                link
                for owner_id in owners
                if (link := locked.get((owner_id, product_id))) and link.scope.covers(product_id)
            ]
            for product_id, owners in shared.items()
        }

    async def _reclaim(self, owner_id: UUID, product_id: UUID) -> None:
        held = await self._seats.seat_of_copy(owner_id, product_id)
        if held is None or held.holder_user_id is None or held.lost_at is not None:
            return
        now = self._clock()
        seat = await self._seats.reclaim(owner_id, product_id, now + self._grace)
        if seat and seat.holder_user_id and seat.session_id and seat.lost_at:
            self._record(
                SeatReclaimed(
                    user_id=seat.holder_user_id,
                    occurred_at=now,
                    owner_user_id=owner_id,
                    product_id=product_id,
                    session_id=seat.session_id,
                    lost_at=seat.lost_at,
                    grace_seconds=int(self._grace.total_seconds()),
                )
            )

    async def _take_of(self, link: Link, product_id: UUID, session_id: UUID) -> TakenCopy:
        """Takes the seat of an owner's copy, which is locked. Raises FamilySeatBusy."""
        now, owner_id, member_id = self._clock(), link.owner_user_id, link.shared_with_user_id
        seat, other = await self._seats.seats(owner_id, member_id, product_id)
        playing_since = await self._players.own_copy_played_since(owner_id, product_id)
        if playing_since:
            raise FamilySeatBusy(owner_user_id=str(owner_id), held_by_user_id=str(owner_id), since=playing_since)
        for taken in (seat, other):
            if taken and not await self._is_free(taken, now):
                raise _busy(taken, member_id)
        await self._links.note_access(link, now)
        return TakenCopy(owner_id, await self._seats.take_seat(owner_id, product_id, member_id, session_id, now))

    async def _is_free(self, seat: Seat, now: datetime) -> bool:
        """Whether a seat is free. Frees one whose session has ended without freeing it."""
        if seat.holder_user_id is None or seat.session_id is None or seat.taken_at is None:
            return True
        if now - seat.taken_at < SEAT_UNPROVEN:
            return False
        if await self._players.running(seat.holder_user_id, [seat.session_id]):
            return False
        await self._seats.release(seat.owner_user_id, seat.holder_user_id, [seat.session_id])
        return True


def _busy(seat: Seat, member_id: UUID) -> FamilySeatBusy:
    return FamilySeatBusy(
        owner_user_id=str(seat.owner_user_id),
        product_id=str(seat.product_id),
        held_by_user_id=str(seat.holder_user_id),
        # The member gets the id of their own session, which they may end, and not that of another member.
        session_id=str(seat.session_id) if seat.holder_user_id == member_id else None,
        since=seat.taken_at,
        lost_at=seat.lost_at,
    )
