"""Sessions that play a copy which its owner wants back, known in every process: a heartbeat only looks it up."""

from datetime import datetime
from uuid import UUID

from gameshelf.gateway.domains.playtime.live_sessions import Member, member, session_key
from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.failures import is_passing
from gameshelf.library import FamilyQueries, SeatReclaimed

_MOST = 100_000


class LostSeats:
    """Until when such sessions may go on. They are few: owners who play what a member plays right now.

    ``refresh`` runs every second; what this process commits itself is known at once.
    """

    def __init__(self, acquire: Acquire) -> None:
        self._acquire = acquire
        self._until: dict[Member, datetime] = {}

    def __bool__(self) -> bool:
        return bool(self._until)

    def heard(self, event: SeatReclaimed) -> None:
        """An owner has just asked for their copy."""
        self._until[member(event.user_id, event.session_id)] = event.lost_at

    def kept(self, user_id: UUID, session_id: UUID) -> None:
        """A session goes on on another copy."""
        self._until.pop(member(user_id, session_id), None)

    async def is_over(self, one: Member, now: datetime) -> bool:
        """Whether a session's time has passed; PostgreSQL decides, since another process may just have committed that
        it goes on on the player's own copy.
        """
        until = self._until.get(one)
        if until is None or until > now:
            return False
        key = session_key(one)
        try:
            async with self._acquire() as connection:
                return await FamilyQueries(connection).is_lost(key.user_id, key.session_id, now)
        except Exception as error:
            if not is_passing(error):
                raise
            return True

    def until(self, one: Member) -> datetime | None:
        """When a session has to stop; None for one that need not."""
        return self._until.get(one)

    async def refresh(self) -> None:
        """Learns what other processes have committed, and forgets what is over."""
        before = set(self._until)
        async with self._acquire() as connection:
            losing = await FamilyQueries(connection).losing(_MOST)
        heard_meanwhile = {one: until for one, until in self._until.items() if one not in before}
        self._until = {member(seat.holder_user_id, seat.session_id): seat.lost_at for seat in losing} | heard_meanwhile
