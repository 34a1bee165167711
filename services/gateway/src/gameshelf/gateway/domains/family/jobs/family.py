"""What families need done beside the users' own requests: word carried over, links that end, seats that are lost."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from gameshelf.gateway.domains.family.jobs.dissolution import Dissolution
from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.jobs.isolation import Isolation
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.outbox.forwarded import take, waiting
from gameshelf.gateway.runtime.streams import UserErased
from gameshelf.gateway.runtime.transaction import Transactions
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.kernel.events import Event
from gameshelf.library import FamilyLinks, FamilyQueries, FamilySeats, LostSeat
from gameshelf.playtime import PlaytimeService

_AT_ONCE = 100


class Forwarding:
    """Tells events to the users that they are about, each in a transaction of theirs."""

    def __init__(self, acquire: Acquire, transactions: Transactions, metrics: Metrics | None = None) -> None:
        self._acquire = acquire
        self._transactions = transactions
        self._isolation = Isolation[UUID]("forwarding", metrics)
        self._dissolution = Dissolution(acquire, transactions, metrics=metrics)
        self.woken = asyncio.Event()

    def wake(self) -> None:
        """Something was just forwarded."""
        self.woken.set()

    async def run_once(self) -> None:
        """Tells all that waits; a user for whom that fails, or who is busy, does not hold up the others."""
        await self._isolation.each(self._find, self._tell, _AT_ONCE)

    async def _find(self, limit: int) -> list[UUID]:
        async with self._acquire() as connection:
            return await waiting(connection, limit)

    async def _tell(self, user_id: UUID) -> None:
        try:
            async with self._transactions.begin_background(user_id) as transaction:
                if not await transaction.hear(_AT_ONCE):
                    transaction.discard()  # another instance was faster
        except UserErased:
            await self._refuse(user_id)

    async def _refuse(self, user_id: UUID) -> None:
        """The account is gone: nobody hears of it, and a link that was made since ends."""
        if not await self._dissolution.dissolve(user_id):
            return  # what waits for the account brings it back here
        with suppress(_Linked):
            async with self._acquire() as connection, connection.transaction():
                while await take(connection, user_id, _AT_ONCE):
                    pass
                # What was just taken may be all that tells of a link made meanwhile.
                if await FamilyQueries(connection).links_of(user_id, (), 1):
                    raise _Linked


class _Linked(Exception):
    """There is a link with the account again."""


async def forget_seats(connection: Connection, user_id: UUID, limit: int) -> bool:
    """Deletes the seats of an account that is erased; True while there may be more."""
    return await FamilyLinks(connection, _tell_nobody).forget_seats(user_id, limit)


def _tell_nobody(event: Event) -> None:
    """Its links have ended: nobody sits on a copy of the account's, and nobody hears that it sits nowhere."""


class FamilyClock:
    """Ends links whose time has run out, and sessions whose seat is lost."""

    def __init__(
        self,
        acquire: Acquire,
        transactions: Transactions,
        silence: timedelta,
        clock: Clock = utc_now,
        metrics: Metrics | None = None,
    ) -> None:
        self._acquire = acquire
        self._transactions = transactions
        self._silence = silence
        self._clock = clock
        self._links = Isolation[tuple[UUID, UUID]]("family clock", metrics)
        self._seats = Isolation[LostSeat]("family clock", metrics)

    async def run_once(self) -> None:
        """Ends what is due now; what can't be ended just now does not hold up the rest."""
        await self._links.each(self._expired, self._expire, _AT_ONCE)
        await self._seats.each(self._lost, self._lose, _AT_ONCE)

    async def _expired(self, limit: int) -> list[tuple[UUID, UUID]]:
        async with self._acquire() as connection:
            return await FamilyQueries(connection).expired(self._clock(), limit)

    async def _lost(self, limit: int) -> list[LostSeat]:
        async with self._acquire() as connection:
            return await FamilyQueries(connection).lost(self._clock(), limit)

    async def _expire(self, link: tuple[UUID, UUID]) -> None:
        owner_id, link_id = link
        async with self._transactions.begin_background(owner_id) as transaction:
            if not await transaction.of(FamilyLinks).expire(owner_id, link_id):
                transaction.discard()

    async def _lose(self, seat: LostSeat) -> None:
        async with self._transactions.begin_background(seat.holder_user_id) as transaction:
            ended = await transaction.of(PlaytimeService).lose_seat(
                seat.holder_user_id, seat.session_id, seat.lost_at, self._silence
            )
            if not ended:  # its session is over, and has not freed it
                await transaction.of(FamilySeats).release(seat.holder_user_id, [seat.session_id])
