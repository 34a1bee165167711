"""Room for what is to be uploaded. Counted once the user is serialised, so two uploads can't both get the last bytes.

Whoever asks is refused unless history could make room for everything that is reserved; it goes only once an upload
becomes a version.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import groupby
from uuid import UUID

from gameshelf.savegames.errors import UserQuotaExceeded
from gameshelf.savegames.limits import Limits
from gameshelf.savegames.retention import History, to_make_room
from gameshelf.savegames.store import SavegameStore
from gameshelf.savegames.store.upload_contexts import UploadContext
from gameshelf.savegames.timeline import Timeline


class Quota:
    """Keeps a user, and each of their products, within what they may take."""

    def __init__(self, store: SavegameStore, timeline: Timeline, limits: Limits) -> None:
        self._store = store
        self._timeline = timeline
        self._limits = limits

    def require_allowance(self, context: UploadContext, size: int, now: datetime) -> int:
        """How many bytes an upload takes of the day's allowance: none where nothing is to be sent, or where the content
        was counted for another upload that still awaits it. Content that was cancelled, rejected or deleted since then
        is reserved anew, so it counts again.

        Raises UserQuotaExceeded.
        """
        if context.joins or context.is_signed:
            return 0
        if context.signed_bytes + size > self._limits.daily_bytes:
            raise UserQuotaExceeded(
                limit="daily",
                used_bytes=context.signed_bytes,
                limit_bytes=self._limits.daily_bytes,
                required_bytes=size,
                resets_at=_next_day(now),
            )
        return size

    async def require_room(
        self, user_id: UUID, product_id: UUID, size: int, content: bytes, context: UploadContext
    ) -> None:
        """Whether there is room for ``size`` more bytes, or would be if history went. Raises UserQuotaExceeded.

        Bytes that the user has already take room in the product alone, if it does not hold them yet. No round trip
        where there is room, but for one quota a product: then two.
        """
        if self._limits.product_quota_bytes and size:
            reserved = await self._store.usage.reserved(user_id, product_id, content)
            await self._of_product(user_id, product_id, size, context.content_id, reserved)
        if not context.is_held:
            limit = self._limits.quota_bytes if context.limit_bytes is None else context.limit_bytes
            await self._going(user_id, None, _Room("user", limit, context.used_bytes, context.reserved_bytes, size), [])

    async def make_room(self, user_id: UUID, product_id: UUID, size: int, content_id: UUID | None) -> None:
        """Lets as much of the oldest history go as bytes need that become a version now. ``content_id`` is the content
        that holds them already; None: they are new.

        Raises UserQuotaExceeded, and then nothing goes.
        """
        for_product = await self._for_product(user_id, product_id, size, content_id)
        for_user = await self._for_user(user_id, size, content_id, for_product)
        by_slot = sorted({(one.slot_id, one.version) for one in (*for_product, *for_user)})
        for slot_id, versions in groupby(by_slot, key=lambda one: one[0]):
            await self._timeline.release(user_id, slot_id, [version for _, version in versions])

    async def require_now(self, user_id: UUID, product_id: UUID, size: int, content_id: UUID | None) -> None:
        """Whether ``make_room`` would do. Raises UserQuotaExceeded."""
        for_product = await self._for_product(user_id, product_id, size, content_id)
        await self._for_user(user_id, size, content_id, for_product)

    async def _for_product(self, user_id: UUID, product_id: UUID, size: int, content_id: UUID | None) -> list[History]:
        if not self._limits.product_quota_bytes or not size:
            return []
        return await self._of_product(user_id, product_id, size, content_id, 0)

    async def _for_user(
        self, user_id: UUID, size: int, content_id: UUID | None, first: Sequence[History]
    ) -> list[History]:
        if content_id or not size:
            return []
        usage = await self._store.usage.usage(user_id)
        limit = self._limits.quota_bytes if usage.limit_bytes is None else usage.limit_bytes
        return await self._going(user_id, None, _Room("user", limit, usage.used_bytes, 0, size), first)

    async def _of_product(
        self, user_id: UUID, product_id: UUID, size: int, content_id: UUID | None, reserved: int
    ) -> list[History]:
        held = await self._store.usage.uses(user_id, product_id)
        if content_id in {use.content_id for use in held}:
            return []
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


def _next_day(now: datetime) -> datetime:
    return datetime.combine(now.astimezone(UTC).date(), time(), UTC) + timedelta(days=1)


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
