"""Queries for periodic maintenance jobs, over all users. None of them needs a lock.

Each method returns a bounded part of the work. Changes of a user's rows happen in that user's transaction.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.savegames._limits import Limits
from gameshelf.savegames._naming import INCOMING, is_version_key, upload_of
from gameshelf.savegames._ports import OpenMultipart, StoredObject
from gameshelf.savegames._store.contents import ContentStore, ContentToDelete
from gameshelf.savegames._store.list_objects import ListObjectStore
from gameshelf.savegames._store.scans import ExpectedContent, HeldContent, Scan, ScanStore
from gameshelf.savegames._store.slots import SlotStore
from gameshelf.savegames._store.uploads import UploadStore

OBJECT_SCAN = "objects"
FOLDED_NAME_SCAN = "folded names"
_SCAN_EVERY = timedelta(days=1)
MULTIPART_FOR = timedelta(days=7)
"""How long a multipart upload may take. The rule that ``prepare_bucket`` sets for the bucket says the same."""
_NOBODY = UUID(int=0)
_SETTLED = timedelta(hours=2)
"""The age from which a content must have its object: longer than any confirmation takes."""


class SavegameSweeps:
    """Finds expired uploads, old trash, prunable history and objects that nothing needs."""

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
        self._lists = ListObjectStore(connection)
        self._clock = clock
        self._limits = limits

    @property
    def trash_before(self) -> datetime:
        """Saves that were put into the trash before this time are purged."""
        return self._clock() - self._limits.trash_for

    async def users_with_expired_uploads(self, limit: int) -> list[UUID]:
        """Returns users with expired uploads, for ``SavegameUploads.expire``."""
        return await self._uploads.users_with_expired(self._clock(), limit)

    async def count_open_uploads(self) -> int:
        """Returns how many uploads are open, of all users."""
        return await self._scans.count_open_uploads()

    async def long_in_trash(self, limit: int) -> list[tuple[UUID, UUID]]:
        """Returns pairs of user and slot, for ``SavegameService.purge``."""
        return await self._slots.long_in_trash(self.trash_before, limit)

    async def to_prune(self, limit: int) -> list[tuple[UUID, UUID]]:
        """Returns pairs of user and slot, for ``SavegameService.prune``."""
        return await self._slots.to_prune(self._clock(), limit)

    async def mark_for_deletion(self, limit: int) -> list[ContentToDelete]:
        """Marks the objects that are due, so that nothing can refer to them any more.

        Returns at most ``limit`` of them. Delete these from the store, then call ``remove_deleted``.
        """
        return await self._contents.mark_for_deletion(self._clock(), limit)

    async def remove_deleted(self, marked: Sequence[ContentToDelete]) -> None:
        """Deletes the rows of contents whose objects were deleted."""
        await self._contents.remove_deleted(marked)

    async def abandoned_objects(self, staged: Sequence[StoredObject]) -> list[str]:
        """Returns the keys under ``staging/`` and ``incoming/`` that no open upload needs. Uploads are stored before
        URLs are signed.
        """
        ids = {one.key: upload_of(one.key) for one in staged}
        needed = await self._scans.open_uploads([upload_id for upload_id in ids.values() if upload_id])
        return [key for key, upload_id in ids.items() if upload_id not in needed]

    async def abandoned_multiparts(self, started: Sequence[OpenMultipart]) -> list[OpenMultipart]:
        """Returns the multipart uploads that nothing needs: those under ``incoming/`` of no open upload, and those that
        were begun too long ago, as by a copy of a killed process. Those of keys that are not ours are left alone.
        """
        ids = {one.key: upload_of(one.key) for one in started if one.key.startswith(INCOMING)}
        needed = await self._scans.open_uploads({upload_id for upload_id in ids.values() if upload_id})
        before = self._clock() - MULTIPART_FOR
        return [
            one
            for one in started
            if (one.key in ids and ids[one.key] not in needed)
            or (one.started_at < before and (one.key in ids or is_version_key(one.key)))
        ]

    async def due_scan(self, name: str = OBJECT_SCAN) -> Scan | None:
        """Returns the scan that is in progress, or starts one if it is due; None while the last one is recent."""
        now = self._clock()
        scan = await self._scans.find_scan(name)
        if scan and scan.finished_at is None:
            return scan
        if scan and scan.finished_at and scan.finished_at > now - _SCAN_EVERY:
            return None
        await self._scans.start_scan(name, now)
        return Scan("", now, None)

    async def orphaned_objects(self, listed: Sequence[StoredObject], compared_at: datetime | None = None) -> list[str]:
        """Returns the keys of objects that the database does not know and that are older than the grace period.

        ``compared_at`` is when the store was last compared with a restored database; None: never. What a restored
        database does not know counts from then on: a set that the comparison refused may be completed, and compared
        again.
        """
        before = self._clock() - self._limits.delete_grace
        if compared_at is not None and compared_at >= before:
            return []
        known = await self._scans.known_keys([one.key for one in listed])
        return [one.key for one in listed if one.key not in known and one.last_modified < before]

    async def unknown_objects(self, listed: Sequence[StoredObject]) -> list[StoredObject]:
        """Returns the objects that the database does not know, of any age."""
        known = await self._scans.known_keys([one.key for one in listed])
        return [one for one in listed if one.key not in known]

    async def expected_contents(self, after: str, through: str | None, limit: int) -> list[ExpectedContent]:
        """Returns the contents that a listing between two keys must contain; ``through`` None: to the last key."""
        return await self._scans.expected_contents(after, through, self._clock() - _SETTLED, limit)

    async def contents_with_hashes(self, of: Collection[tuple[UUID, bytes]]) -> list[ExpectedContent]:
        """Returns the contents of these users with these hashes, whatever their keys are."""
        return await self._scans.live_contents(of) if of else []

    async def held_contents(self, user_id: UUID, hashes: Collection[bytes]) -> dict[bytes, HeldContent]:
        """Returns a user's live contents by their hashes."""
        return {one.sha256: one for one in await self._scans.held_contents(user_id, hashes)}

    async def mark_missing(self, missing: Collection[ExpectedContent], found: Collection[ExpectedContent]) -> None:
        """Marks contents whose objects are missing, and clears the mark of those whose objects exist again.

        The list of a set is never marked: the database has it, and its object is written again.
        """
        if missing:
            lists = await self._lists.write_again([(one.user_id, one.content_id, one.key) for one in missing])
            files = [one for one in missing if (one.user_id, one.content_id) not in lists]
            if files:
                await self._scans.mark_missing(files, self._clock())
        back = [one for one in found if one.missing_since]
        if back:
            await self._scans.clear_missing(back)

    async def without_keys(self, cursor: str, limit: int) -> tuple[list[tuple[UUID, UUID]], str | None]:
        """Returns users and products with saves that have no folded name, for ``SavegameService.fill_keys``, and the
        next cursor, which is None at the end.
        """
        after = tuple(map(UUID, cursor.split())) if cursor else (_NOBODY, _NOBODY)
        found = await self._slots.without_keys(after[0], after[1], limit)
        last = f"{found[-1][0]} {found[-1][2]}" if len(found) == limit else None
        return sorted({(user_id, product_id) for user_id, product_id, _ in found}), last

    async def move_scan(self, scan: Scan, cursor: str, *, is_end: bool, name: str = OBJECT_SCAN) -> None:
        """Stores the cursor of a scan, and whether the scan has ended."""
        await self._scans.move_scan(name, scan.cursor, cursor, self._clock() if is_end else None)

    async def lost_contents(self, limit: int) -> list[tuple[UUID, UUID]]:
        """Returns user and content of objects missing for the grace period, for ``SavegameService.prune_lost``."""
        return await self._scans.lost_contents(self._clock() - self._limits.delete_grace, limit)
