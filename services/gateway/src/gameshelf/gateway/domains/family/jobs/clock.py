"""Ends family links that expire, and sessions whose seat is lost."""

from datetime import timedelta
from uuid import UUID

from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.jobs.isolation import Isolation
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.transaction import Transactions
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.library import FamilyLinks, FamilyQueries, FamilySeats, LostSeat
from gameshelf.playtime import PlaytimeService

_AT_ONCE = 100


class FamilyClock:
    """Ends links that have expired, and sessions whose seat is lost."""

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
        """Ends everything that is due; one that can't be ended now does not delay the others."""
        await self._links.each(self._expired, self._expire, _AT_ONCE)
        await self._seats.each(self._lost, self._lose, _AT_ONCE)

    async def _expired(self, limit: int) -> list[tuple[UUID, UUID]]:
        async with self._acquire() as connection:
            return await FamilyQueries(connection).expired(self._clock(), limit)

    async def _lost(self, limit: int) -> list[LostSeat]:
        async with self._acquire() as connection:
            return await FamilyQueries(connection).lost_seats(self._clock(), limit)

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
            if not ended:  # the session had ended without freeing its seat
                await transaction.of(FamilySeats).release(seat.owner_user_id, seat.holder_user_id, [seat.session_id])
