"""What whoever composes the service has to look for again and again, over all users. None of it needs a lock.

Each method gives a bounded part of the work; what a user's rows are changed by is done in that user's transaction.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.savegames.limits import Limits
from gameshelf.savegames.naming import STAGING
from gameshelf.savegames.ports import StoredObject
from gameshelf.savegames.store.contents import ContentStore, ContentToDelete
from gameshelf.savegames.store.scans import Expected, Scan, ScanStore
from gameshelf.savegames.store.slots import SlotStore
from gameshelf.savegames.store.uploads import UploadStore

SCAN = "objects"
KEYS = "folded names"
_SCAN_EVERY = timedelta(days=1)
_NOBODY = UUID(int=0)
_SETTLED = timedelta(hours=2)
"""How old a content is before its object is missed: longer than any confirmation takes."""


class SavegameSweeps:
    """Finds what is over."""

    def __init__(
        self,
        connection: Connection,
        clock: Clock = utc_now,
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> None:
        self._slots = SlotStore(connection)
        self._uploads = UploadStore(connection)
        self._contents = ContentStore(connection)
        self._scans = ScanStore(connection)
        self._clock = clock
        self._limits = limits

    @property
    def trash_before(self) -> datetime:
        """What was put into the trash before this goes."""
        return self._clock() - self._limits.trash_for

    async def users_with_expired_uploads(self, limit: int) -> list[UUID]:
        """Whose uploads ``SavegameUploads.expire`` has to forget."""
        return await self._uploads.users_with_expired(self._clock(), limit)

    async def long_in_trash(self, limit: int) -> list[tuple[UUID, UUID]]:
        """User and slot, for ``SavegameService.purge``."""
        return await self._slots.long_in_trash(self.trash_before, limit)

    async def to_prune(self, limit: int) -> list[tuple[UUID, UUID]]:
        """User and slot, for ``SavegameService.prune``."""
        return await self._slots.to_prune(self._clock(), limit)

    async def mark_for_deletion(self, limit: int) -> list[ContentToDelete]:
        """Marks the objects that are due, so that nothing can refer to them any more.

        Returns at most ``limit`` of them. Delete these from the store, then call ``remove_deleted``.
        """
        return await self._contents.mark_for_deletion(self._clock(), limit)

    async def remove_deleted(self, marked: Sequence[ContentToDelete]) -> None:
        """Forgets objects that were removed."""
        await self._contents.remove_deleted(marked)

    async def abandoned(self, staged: Sequence[StoredObject]) -> list[str]:
        """Those of the objects under ``staging/`` that no open upload needs: an upload is there before its URL is."""
        ids = {one.key: _upload_id(one.key) for one in staged}
        needed = await self._scans.open_uploads([upload_id for upload_id in ids.values() if upload_id])
        return [key for key, upload_id in ids.items() if upload_id not in needed]

    async def scan(self, name: str = SCAN) -> Scan | None:
        """The pass through everything that is on its way, or is due now; None where the last one is not old enough."""
        now = self._clock()
        scan = await self._scans.find(name)
        if scan and scan.finished_at is None:
            return scan
        if scan and scan.finished_at and scan.finished_at > now - _SCAN_EVERY:
            return None
        await self._scans.start(name, now)
        return Scan("", now, None)

    async def orphans(self, listed: Sequence[StoredObject]) -> list[str]:
        """Those of the objects that the database has never heard of, for long enough to say so."""
        known = await self._scans.known([one.key for one in listed])
        before = self._clock() - self._limits.delete_grace
        return [one.key for one in listed if one.key not in known and one.last_modified < before]

    async def unknown(self, listed: Sequence[StoredObject]) -> list[StoredObject]:
        """Those of the objects that the database has never heard of, however young they are."""
        known = await self._scans.known([one.key for one in listed])
        return [one for one in listed if one.key not in known]

    async def expected(self, after: str, through: str | None, limit: int) -> list[Expected]:
        """Contents that a listing between two keys has to show; ``through`` None: to the end."""
        return await self._scans.expected(after, through, self._clock() - _SETTLED, limit)

    async def held(self, of: Collection[tuple[UUID, bytes]]) -> list[Expected]:
        """Contents of these users with these hashes, which a listing of other keys says nothing of."""
        return await self._scans.held(of) if of else []

    async def note(self, missing: Collection[Expected], found: Collection[Expected]) -> None:
        """Remembers what the store is without, and forgets it of what has come back."""
        if missing:
            await self._scans.miss(missing, self._clock())
        back = [one for one in found if one.missing_since]
        if back:
            await self._scans.back(back)

    async def without_keys(self, cursor: str, limit: int) -> tuple[list[tuple[UUID, UUID]], str | None]:
        """Users and products with saves behind a cursor that have no folded name, for ``SavegameService.fill_keys``;
        and the next cursor, None at the end.
        """
        after = tuple(map(UUID, cursor.split())) if cursor else (_NOBODY, _NOBODY)
        found = await self._slots.without_keys(after[0], after[1], limit)
        last = f"{found[-1][0]} {found[-1][2]}" if len(found) == limit else None
        return sorted({(user_id, product_id) for user_id, product_id, _ in found}), last

    async def move(self, scan: Scan, cursor: str, *, is_end: bool, name: str = SCAN) -> None:
        """The pass has come so far."""
        await self._scans.move(name, scan.cursor, cursor, self._clock() if is_end else None)

    async def lost(self, limit: int) -> list[tuple[UUID, UUID]]:
        """What the store has been without for the whole grace: user and content, for ``SavegameService.lose``."""
        return await self._scans.lost(self._clock() - self._limits.delete_grace, limit)


def _upload_id(key: str) -> UUID | None:
    try:
        return UUID(key.removeprefix(STAGING))
    except ValueError:
        return None
