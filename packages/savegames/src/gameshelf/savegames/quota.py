"""Room for what is to be uploaded. Counted under the user's lock, so two uploads can't both get the last bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from gameshelf.savegames.errors import UserQuotaExceeded
from gameshelf.savegames.limits import Limits
from gameshelf.savegames.retention import History, to_make_room
from gameshelf.savegames.store import SavegameStore
from gameshelf.savegames.store.uploads import Ask
from gameshelf.savegames.timeline import Timeline


class Quota:
    """Keeps a user, and each of their products, within what they may take."""

    def __init__(self, store: SavegameStore, timeline: Timeline, limits: Limits) -> None:
        self._store = store
        self._timeline = timeline
        self._limits = limits

    async def make_room(self, user_id: UUID, product_id: UUID, size: int, ask: Ask) -> None:
        """Lets as much of the oldest history go as ``size`` more bytes need. Raises UserQuotaExceeded, and then nothing
        goes.

        Bytes that the user has already take room in the product alone, if it does not hold them yet. No round trip
        where there is room, but for one quota a product: then two.
        """
        going: list[History] = []
        if self._limits.product_quota_bytes and size:
            going = await self._of_product(user_id, product_id, size, ask)
        if ask.content_id is None:
            limit = self._limits.quota_bytes if ask.limit_bytes is None else ask.limit_bytes
            room = _Room("user", limit, ask.used_bytes, ask.reserved_bytes, size)
            going += await self._going(user_id, None, room, going)
        by_slot = sorted({(one.slot_id, one.version) for one in going})
        for slot_id, versions in groupby(by_slot, key=lambda one: one[0]):
            await self._timeline.let_go(user_id, slot_id, [version for _, version in versions])

    async def _of_product(self, user_id: UUID, product_id: UUID, size: int, ask: Ask) -> list[History]:
        held = await self._store.usage.uses(user_id, product_id)
        if ask.content_id in {use.content_id for use in held}:
            return []
        reserved = await self._store.usage.reserved(user_id, product_id)
        used = sum(use.size for use in held)
        room = _Room("product", self._limits.product_quota_bytes, used, reserved, size)
        return await self._going(user_id, product_id, room, [])

    async def _going(
        self, user_id: UUID, product_id: UUID | None, room: "_Room", first: Sequence[History]
    ) -> list[History]:
        """What has to go; what is ``first`` goes anyway."""
        if room.needed <= 0 or room.size == 0:
            return []
        history = [
            *first,
            *(one for one in await self._store.versions.history(user_id, product_id) if one not in first),
        ]
        uses = {use.content_id: use.count for use in await self._store.usage.uses(user_id, product_id)}
        going = to_make_room(room.needed, history, uses)
        if going is None:
            raise UserQuotaExceeded(
                limit=room.limited,
                used_bytes=room.used,
                reserved_bytes=room.reserved,
                limit_bytes=room.limit,
                required_bytes=room.size,
            )
        return going


@dataclass(frozen=True, slots=True)
class _Room:
    """What is taken of a quota, and how much more is wanted."""

    limited: str
    limit: int
    used: int
    reserved: int
    size: int

    @property
    def needed(self) -> int:
        return self.used + self.reserved + self.size - self.limit
