"""A user at a glance, and the end of an account."""

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from gameshelf.achievements import count_unlocked
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.runtime.support.audit import State
from gameshelf.gateway.runtime.support.dead_letters import count_of_user
from gameshelf.gateway.runtime.transaction import Transaction
from gameshelf.kernel.database import Connection
from gameshelf.library import library_overview
from gameshelf.playtime import playtime_overview
from gameshelf.savegames import SavegameQueries, savegame_overview
from gameshelf.settings import count_games_with_settings
from gameshelf.wishlist import count_wishes


@dataclass(frozen=True, slots=True)
class Overview:
    """What there is of a user, in numbers. ``limit_bytes`` is None for the usual limit."""

    games_owned: int
    games_shared: int
    family_members: int
    family_owners: int
    total_playtime_seconds: int
    last_played_at: datetime | None
    running_sessions: int
    playtime_anomalies: int
    achievements_unlocked: int
    wishlist_items: int
    games_with_settings: int
    saves: int
    saves_in_trash: int
    open_conflicts: int
    used_bytes: int
    reserved_bytes: int
    limit_bytes: int | None
    dead_letters: int


async def overview(connection: Connection, user_id: UUID) -> Overview:
    """A user in numbers. One round trip a domain, two of saves, one of dead letters."""
    library = await library_overview(connection, user_id)
    played = await playtime_overview(connection, user_id)
    saves = await savegame_overview(connection, user_id)
    usage = await SavegameQueries(connection).usage(user_id)
    return Overview(
        games_owned=library.games_owned,
        games_shared=library.games_shared,
        family_members=library.family_members,
        family_owners=library.family_owners,
        total_playtime_seconds=played.total_seconds,
        last_played_at=played.last_played_at,
        running_sessions=played.running_sessions,
        playtime_anomalies=played.anomalies,
        achievements_unlocked=await count_unlocked(connection, user_id),
        wishlist_items=await count_wishes(connection, user_id),
        games_with_settings=await count_games_with_settings(connection, user_id),
        saves=saves.saves,
        saves_in_trash=saves.saves_in_trash,
        open_conflicts=saves.open_conflicts,
        used_bytes=usage.used_bytes,
        reserved_bytes=usage.reserved_bytes,
        limit_bytes=usage.limit_bytes,
        dead_letters=await count_of_user(connection, user_id),
    )


# What moves while somebody only plays, or nobody does anything, is no reason to look again before an erasure.
_MOVES = frozenset(
    {"total_playtime_seconds", "last_played_at", "running_sessions", "reserved_bytes", "limit_bytes", "dead_letters"}
)


@dataclass(frozen=True, slots=True)
class EraseUser:
    """Ends an account, as ``com.platform.account.user.deleted.v1`` does: from this commit on nobody reads or writes of
    it, and the job of erasures takes it from there.
    """

    user_id: UUID
    streams: UserStreams
    command: ClassVar[str] = "user erase"

    def target(self) -> State:
        return {}

    async def state(self, transaction: Transaction) -> State:
        if await self.streams.erased(transaction.connection, self.user_id):
            return {"erased": True}
        counts = dataclasses.asdict(await overview(transaction.connection, self.user_id))
        return {"erased": False} | {name: value for name, value in counts.items() if name not in _MOVES}

    async def act(self, transaction: Transaction) -> None:
        await self.streams.mark_erased(transaction.connection, self.user_id)
