"""Quotas. They are checked after the user is serialised, so two uploads cannot both get the last bytes.

A request is refused unless pruning history could make room for everything that is reserved. History is pruned only when
an upload becomes a version.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import groupby
from uuid import UUID

from gameshelf.savegames._errors import UserQuotaExceeded
from gameshelf.savegames._limits import Limits
from gameshelf.savegames._retention import HistoryVersion, to_make_room
from gameshelf.savegames._set_requests import NeededContents, RequestedSet
from gameshelf.savegames._store import SavegameStore
from gameshelf.savegames._store.set_contexts import SetContext
from gameshelf.savegames._store.upload_contexts import UploadContext
from gameshelf.savegames._store.usage import UsedStorage
from gameshelf.savegames._timeline import Timeline


class StorageQuota:
    """Enforces the quotas of a user and of each product."""

    def __init__(self, store: SavegameStore, timeline: Timeline, limits: Limits) -> None:
        self._store = store
        self._timeline = timeline
        self._limits = limits

    def require_allowance(self, context: UploadContext, size: int, now: datetime) -> int:
        """Returns how many bytes an upload uses of the day's allowance: none where no bytes have to be sent, and else
        what exceeds the size that was counted for other uploads that are still open. Content whose upload was
        cancelled or rejected, or that was deleted, is reserved again, so it counts again.

        Raises UserQuotaExceeded.
        """
        size = 0 if context.joins else max(0, size - context.counted_bytes)
        if size and context.signed_bytes + size > self._limits.daily_bytes:
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
        """Requires that there is room for ``size`` more bytes, or that pruning could make it. Raises UserQuotaExceeded.

        Bytes that the user has already count only for a product that does not hold them yet. Where there is room it
        needs no round trip, or two where products have a quota.
        """
        if self._limits.product_quota_bytes and size:
            reserved = await self._store.usage.reserved_bytes(user_id, product_id, [content])
            held = await self._store.usage.used_contents(user_id, product_id)
            if context.content_id not in {use.content_id for use in held}:
                used = sum(use.size for use in held)
                room = _Room("product", self._limits.product_quota_bytes, used, reserved, size)
                await self._to_prune(user_id, product_id, room, [])
        if not context.is_held:
            limit = self._limits.quota_bytes if context.limit_bytes is None else context.limit_bytes
            await self._to_prune(
                user_id, None, _Room("user", limit, context.used_bytes, context.reserved_bytes, size), []
            )

    def require_set_allowance(self, context: SetContext, size: int, now: datetime) -> None:
        """Requires that ``size`` bytes of a set may be sent today. Raises UserQuotaExceeded."""
        if size and context.signed_bytes + size > self._limits.daily_bytes:
            raise UserQuotaExceeded(
                limit="daily",
                used_bytes=context.signed_bytes,
                limit_bytes=self._limits.daily_bytes,
                required_bytes=size,
                resets_at=_next_day(now),
            )

    async def require_set_room(
        self, user_id: UUID, product_id: UUID, found: RequestedSet, needed: NeededContents, context: SetContext
    ) -> None:
        """Requires that there is room for the contents of a set that nothing holds and nothing awaits, or that pruning
        could make it, which frees nothing that the set itself holds. Raises UserQuotaExceeded.

        Where there is room it needs no round trip, or two where products have a quota.
        """
        if self._limits.product_quota_bytes:
            sizes = {sha256: file.size for sha256, file in found.contents.items()}
            reserved = await self._store.usage.reserved_bytes(user_id, product_id, sizes)
            uses = await self._store.usage.used_contents(user_id, product_id)
            held = {use.content_id for use in uses} & set(needed.held)
            size = sum(sizes.values()) - sum(use.size for use in uses if use.content_id in held)
            used = sum(use.size for use in uses)
            room = _Room("product", self._limits.product_quota_bytes, used, reserved, size)
            await self._to_prune(user_id, product_id, room, [], needed.held)
        limit = self._limits.quota_bytes if context.limit_bytes is None else context.limit_bytes
        room = _Room("user", limit, context.used_bytes, context.reserved_bytes, needed.new_bytes)
        await self._to_prune(user_id, None, room, [], needed.held)

    async def make_room(
        self,
        user_id: UUID,
        product_id: UUID,
        upload_id: UUID,
        size: int,
        content_id: UUID | None,
        usage: UsedStorage | None = None,
    ) -> None:
        """Prunes as much of the oldest history as the version of an upload needs. ``size`` are its bytes that no
        version and no upload holds; of a single file ``content_id`` is the content that holds them already, None: they
        are new. ``usage`` is the user's, where it was read just now.

        Raises UserQuotaExceeded, and then prunes nothing.
        """
        for_product = await self._for_product(user_id, product_id, upload_id, size, content_id)
        for_user = await self._for_user(user_id, size, content_id, for_product, usage)
        by_slot = sorted({(one.slot_id, one.version) for one in (*for_product, *for_user)})
        for slot_id, versions in groupby(by_slot, key=lambda one: one[0]):
            await self._timeline.release(user_id, slot_id, [version for _, version in versions])

    async def require_now(
        self, user_id: UUID, product_id: UUID, upload_id: UUID, size: int, content_id: UUID | None
    ) -> None:
        """Requires that ``make_room`` would succeed. Raises UserQuotaExceeded."""
        for_product = await self._for_product(user_id, product_id, upload_id, size, content_id)
        await self._for_user(user_id, size, content_id, for_product)

    async def _for_product(
        self, user_id: UUID, product_id: UUID, upload_id: UUID, size: int, content_id: UUID | None
    ) -> list[HistoryVersion]:
        """What the product needs beside its versions: contents of other products are new to it, whether the upload has
        joined them or not. Those that other uploads of the product have joined are counted when these end.
        """
        if not self._limits.product_quota_bytes:
            return []
        uses = await self._store.usage.used_contents(user_id, product_id, upload_id)
        added = sum(use.size for use in uses if use.is_joined and not use.is_kept)
        if content_id not in {use.content_id for use in uses if use.is_joined or use.is_kept}:
            added += size
        used = sum(use.size for use in uses if use.is_kept)
        room = _Room("product", self._limits.product_quota_bytes, used, 0, added)
        return await self._to_prune(user_id, product_id, room, [])

    async def _for_user(
        self,
        user_id: UUID,
        size: int,
        content_id: UUID | None,
        first: Sequence[HistoryVersion],
        usage: UsedStorage | None = None,
    ) -> list[HistoryVersion]:
        if content_id or not size:
            return []
        usage = usage or await self._store.usage.used_storage(user_id)
        limit = self._limits.quota_bytes if usage.limit_bytes is None else usage.limit_bytes
        return await self._to_prune(user_id, None, _Room("user", limit, usage.used_bytes, 0, size), first)

    async def _to_prune(
        self,
        user_id: UUID,
        product_id: UUID | None,
        room: "_Room",
        first: Sequence[HistoryVersion],
        kept: Iterable[UUID] = (),
    ) -> list[HistoryVersion]:
        """Returns the versions that have to be pruned. The versions in ``first`` are pruned anyway; the contents in
        ``kept`` stay, whatever is pruned.
        """
        if room.needed <= 0 or room.size == 0:
            return []
        history = [
            *first,
            *(one for one in await self._store.versions.prunable_history(user_id, product_id) if one not in first),
        ]
        uses = Counter(
            {use.content_id: use.count for use in await self._store.usage.used_contents(user_id, product_id)}
        )
        uses.update(kept)
        to_prune = to_make_room(room.needed, history, uses)
        if to_prune is None:
            raise UserQuotaExceeded(
                limit=room.limited,
                used_bytes=room.used,
                reserved_bytes=room.reserved,
                limit_bytes=room.limit,
                required_bytes=room.size,
            )
        return to_prune


def _next_day(now: datetime) -> datetime:
    return datetime.combine(now.astimezone(UTC).date(), time(), UTC) + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Room:
    """The use of a quota, and the bytes that are requested."""

    limited: str
    limit: int
    used: int
    reserved: int
    size: int

    @property
    def needed(self) -> int:
        return self.used + self.reserved + self.size - self.limit
