"""Room for what is to be uploaded. Counted under the user's lock, so two uploads can't both get the last bytes."""

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

        No round trip where there is room, but for one quota a product: then two.
        """
        limit = self._limits.quota_bytes if ask.limit_bytes is None else ask.limit_bytes
        going = await self._going("user", limit, ask.used_bytes, ask.reserved_bytes, size, user_id, None)
        if self._limits.product_quota_bytes:
            used = sum(use.size for use in await self._store.usage.uses(user_id, product_id))
            reserved = await self._store.usage.reserved(user_id, product_id)
            going += await self._going(
                "product", self._limits.product_quota_bytes, used, reserved, size, user_id, product_id
            )
        by_slot = sorted({(one.slot_id, one.version) for one in going})
        for slot_id, versions in groupby(by_slot, key=lambda one: one[0]):
            await self._timeline.let_go(user_id, slot_id, [version for _, version in versions])

    async def _going(
        self, limited: str, limit: int, used: int, reserved: int, size: int, user_id: UUID, product_id: UUID | None
    ) -> list[History]:
        needed = used + reserved + size - limit
        if needed <= 0 or size == 0:
            return []
        history = await self._store.versions.history(user_id, product_id)
        uses = {use.content_id: use.count for use in await self._store.usage.uses(user_id, product_id)}
        going = to_make_room(needed, history, uses)
        if going is None:
            raise UserQuotaExceeded(
                limit=limited, used_bytes=used, reserved_bytes=reserved, limit_bytes=limit, required_bytes=size
            )
        return going
