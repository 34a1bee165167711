"""What families need done beside the users' own requests: word carried over, links that end, seats that are lost."""

import asyncio
import logging
from collections.abc import Awaitable
from datetime import timedelta
from uuid import UUID

from gameshelf.gateway.database import Acquire
from gameshelf.gateway.failures import is_contention, is_passing
from gameshelf.gateway.outbox.forwarded import forward, take, waiting
from gameshelf.gateway.streams import UserErased
from gameshelf.gateway.transaction import Transactions
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.kernel.events import Event
from gameshelf.library import FamilyLinks, FamilyQueries, FamilySeats, LostSeat
from gameshelf.playtime import PlaytimeService

_log = logging.getLogger(__name__)

_AT_ONCE = 100


class Forwarding:
    """Tells events to the users that they are about, each in a transaction of theirs."""

    def __init__(self, acquire: Acquire, transactions: Transactions) -> None:
        self._acquire = acquire
        self._transactions = transactions
        self.woken = asyncio.Event()

    def wake(self) -> None:
        """Something was just forwarded."""
        self.woken.set()

    async def run_once(self) -> None:
        """Tells all that waits; a user for whom that fails does not hold up the others."""
        told: set[UUID] = set()
        while True:
            async with self._acquire() as connection:
                users = [user_id for user_id in await waiting(connection, _AT_ONCE) if user_id not in told]
            if not users:
                return
            for user_id in users:
                told.add(user_id)
                try:
                    await self._tell(user_id)
                except Exception as error:
                    # A user whose row is held passes too, but the others need not wait for that.
                    if is_passing(error) and not is_contention(error):
                        raise
                    _log.warning(
                        "forwarded events could not be told; they are tried again",
                        exc_info=None if is_passing(error) else error,
                    )

    async def _tell(self, user_id: UUID) -> None:
        try:
            async with self._transactions.begin(user_id) as transaction:
                if not await transaction.hear(_AT_ONCE):
                    transaction.discard()  # another instance was faster
        except UserErased:
            await self._refuse(user_id)

    async def _refuse(self, user_id: UUID) -> None:
        """The account is gone: nobody hears of it, and a link that was made since ends."""
        async with self._acquire() as connection, connection.transaction():
            while await take(connection, user_id, _AT_ONCE):
                pass
            while await dissolve_family(connection, user_id, _AT_ONCE):
                pass


async def dissolve_family(connection: Connection, user_id: UUID, limit: int) -> bool:
    """Deletes links and seats of an account that is erased, and tells the others; True while there may be more."""
    events: list[Event] = []
    has_more = await FamilyLinks(connection, events.append).dissolve_some(user_id, limit)
    if events:
        await forward(connection, events)
    return has_more


class FamilyClock:
    """Ends links whose time has run out, and sessions whose seat is lost."""

    def __init__(
        self, acquire: Acquire, transactions: Transactions, silence: timedelta, clock: Clock = utc_now
    ) -> None:
        self._acquire = acquire
        self._transactions = transactions
        self._silence = silence
        self._clock = clock

    async def run_once(self) -> None:
        """Ends what is due now; what can't be ended just now does not hold up the rest."""
        now = self._clock()
        async with self._acquire() as connection:
            queries = FamilyQueries(connection)
            expired, lost = await queries.expired(now, _AT_ONCE), await queries.lost(now, _AT_ONCE)
        for owner_id, link_id in expired:
            await self._try(self._expire(owner_id, link_id))
        for seat in lost:
            await self._try(self._lose(seat))

    async def _try(self, work: Awaitable[None]) -> None:
        try:
            await work
        except UserErased:
            return
        except Exception as error:
            _log.warning("a link or a seat could not be ended", exc_info=None if is_passing(error) else error)

    async def _expire(self, owner_id: UUID, link_id: UUID) -> None:
        async with self._transactions.begin(owner_id) as transaction:
            if not await transaction.of(FamilyLinks).expire(owner_id, link_id):
                transaction.discard()

    async def _lose(self, seat: LostSeat) -> None:
        async with self._transactions.begin(seat.holder_user_id) as transaction:
            ended = await transaction.of(PlaytimeService).lose_seat(
                seat.holder_user_id, seat.session_id, seat.lost_at, self._silence
            )
            if not ended:  # its session is over, and has not freed it
                await transaction.of(FamilySeats).release(seat.holder_user_id, [seat.session_id])
