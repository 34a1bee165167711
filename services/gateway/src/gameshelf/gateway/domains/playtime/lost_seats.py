"""Sessions whose copy its owner wants back, cached in every process, so that heartbeats need no round trip."""

from datetime import datetime
from uuid import UUID

from gameshelf.gateway.domains.playtime.live_sessions import Member, member
from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.failures import is_passing
from gameshelf.library import FamilyQueries, LostSeat, SeatReclaimed

_MOST = 100_000


class LostSeats:
    """The times until which such sessions may continue. They are few: owner and member play the same copy.

    ``refresh`` runs every second; commits of this process are added immediately.
    """

    def __init__(self, acquire: Acquire) -> None:
        self._acquire = acquire
        self._losing: dict[Member, LostSeat] = {}

    def __bool__(self) -> bool:
        return bool(self._losing)

    def reclaimed(self, event: SeatReclaimed) -> None:
        """Adds the session whose copy its owner has just reclaimed."""
        seat = LostSeat(event.owner_user_id, event.user_id, event.session_id, event.lost_at)
        self._losing[member(event.user_id, event.session_id)] = seat

    def kept(self, user_id: UUID, session_id: UUID) -> None:
        """Removes a session that continues with another copy."""
        self._losing.pop(member(user_id, session_id), None)

    async def is_over(self, one: Member, now: datetime) -> bool:
        """Returns whether a session's time has passed, according to PostgreSQL: another process may just have committed
        that it continues with the player's own copy.
        """
        seat = self._losing.get(one)
        if seat is None or seat.lost_at > now:
            return False
        try:
            async with self._acquire() as connection:
                queries = FamilyQueries(connection)
                return await queries.is_lost(seat.owner_user_id, seat.holder_user_id, seat.session_id, now)
        except Exception as error:
            if not is_passing(error):
                raise
            return True

    def until(self, one: Member) -> datetime | None:
        """Returns when a session has to stop; None if it need not."""
        seat = self._losing.get(one)
        return seat.lost_at if seat else None

    async def refresh(self) -> None:
        """Adds sessions that other processes have committed, and removes those that have ended."""
        before = set(self._losing)
        async with self._acquire() as connection:
            losing = await FamilyQueries(connection).losing(_MOST)
        added_meanwhile = {one: seat for one, seat in self._losing.items() if one not in before}
        self._losing = {member(seat.holder_user_id, seat.session_id): seat for seat in losing} | added_meanwhile
