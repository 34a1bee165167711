"""Compares S3 with the database after a restore, and adopts the saves that the database has lost.

It works on one page of objects at a time; the caller keeps the cursor. It deletes nothing. An object is verified first,
outside of any transaction, and then adopted under its user's lock, so a page can be repeated after any interruption.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TypeVar
from uuid import UUID

from gameshelf.gateway.domains.savegames.reconcile_sets import (
    FoundList,
    IncompleteRead,
    ReadBudget,
    SetReader,
    SetRefusal,
)
from gameshelf.gateway.domains.savegames.use_cases import Saves
from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.identity import Identity
from gameshelf.gateway.runtime.restores import StoredRestore, mark_compared, mark_reconciled, open_restore
from gameshelf.gateway.runtime.streams import UserErased
from gameshelf.gateway.runtime.support.audit import AuditLog, EntryKind, NewEntry, State
from gameshelf.gateway.runtime.transaction import Transaction, Transactions
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.errors import DomainError
from gameshelf.savegames import (
    Adopted,
    ExpectedContent,
    Limits,
    ObjectMetadata,
    SavedObject,
    SavegameAdoption,
    SavegameSweeps,
    StoredObject,
    is_part_key,
    is_version_key,
    list_hash_of,
    metadata_of,
)

COMMAND = "saves reconcile"
_PAGE = 100
_READ_BYTES = 64 * 1024**2
"""Bytes of unknown objects that a page reads: 20 seconds at the slowest supported store."""
_LARGEST_BYTES = 256 * 1024**2
"""Larger objects are not read, unless saves may be that large: one call could not finish."""
_AT_ONCE = 4

T = TypeVar("T")
R = TypeVar("R")


class CursorOutdated(DomainError):
    """This cursor belongs to another comparison: start again without one."""

    code = "PRECONDITION_FAILED"


@dataclass(frozen=True, slots=True)
class Cursor:
    """The position of a comparison: its restore, whether every page so far was applied, and the last key."""

    restore_id: UUID | None
    is_applied: bool
    key: str
    unfinished: str = ""
    """The key of the list of a set that is verified in several calls; empty: none is."""
    through: bytes = b""
    """Its contents up to this hash are verified."""


@dataclass(frozen=True, slots=True)
class Applying:
    """The caller who applies the comparison, and the reason and ticket for the audit."""

    by: Identity
    reason: str
    ticket: str | None = None


@dataclass(frozen=True, slots=True)
class RefusedObject:
    """An object that is not adopted. The reason is ``metadata``, ``hash``, ``size``, ``erased`` or ``incomplete``."""

    key: str
    size: int
    reason: str
    metadata: ObjectMetadata | None = None
    """Of a list, which names the version of the set."""
    detail: str = ""
    """What a set lacks."""


@dataclass(slots=True)
class ReconciledPage:
    """The result of one page of objects. ``next`` is None once all objects have been compared."""

    objects: int
    next: Cursor | None
    adopted: list[tuple[UUID, Adopted]] = field(default_factory=list)
    """Adopted objects, each with its user."""
    missing: Sequence[ExpectedContent] = ()
    found: Sequence[ExpectedContent] = ()
    """Expected objects that exist; some may have been recorded as missing before."""
    refused: list[RefusedObject] = field(default_factory=list)
    audit_ids: list[int] = field(default_factory=list)
    is_restore_open: bool = False


class Reconciliation:
    """Compares S3 with the database, and adopts what the database lacks."""

    def __init__(
        self,
        acquire: Acquire,
        saves: Saves,
        transactions: Transactions,
        audit: AuditLog,
        limits: Limits,
        clock: Clock = utc_now,
        page_size: int = _PAGE,
    ) -> None:
        self._page_size = page_size
        self._acquire = acquire
        self._saves = saves
        self._transactions = transactions
        self._audit = audit
        self._limits = limits
        self._clock = clock
        self._places = asyncio.Semaphore(_AT_ONCE)  # shared by all callers, since this process reads
        self._largest_bytes = max(limits.max_bytes, _LARGEST_BYTES)
        self._sets = SetReader(saves, self._sweeps, self._each, self._largest_bytes)

    async def page(self, cursor: Cursor | None, applying: Applying | None) -> ReconciledPage:
        """Compares one page; with ``applying`` None as a dry run. The last applied page ends the restore.

        Raises CursorOutdated, StoreUnavailable.
        """
        async with self._acquire() as connection:
            restore = await open_restore(connection)
        cursor = _starting_cursor(cursor, restore, is_applied=applying is not None)
        page, listed, unknown = await self._compare(cursor)
        verified, unfinished = await self._verify_all(unknown, cursor)
        if unfinished:
            page = _before(page, listed, cursor, unfinished)
        page.refused = [one for one in verified if isinstance(one, RefusedObject)]
        found = [one for one in verified if isinstance(one, SavedObject)]
        absent = (await self._absent(found)).union(*(one.set.absent for one in found if one.set))
        for user_id, objects in groupby(found, key=lambda one: one.metadata.user_id):
            await self._of_user(user_id, list(objects), absent, page, applying)
        page.is_restore_open = restore is not None
        if applying:
            async with self._sweeps() as sweeps:
                await sweeps.mark_missing(page.missing, page.found)
            if page.next and restore:
                async with self._acquire() as connection:
                    await mark_compared(connection, restore.id, cursor.key, page.next.key)
            if page.next is None and restore:
                page.audit_ids.append(await self._end(restore, applying))
                page.is_restore_open = False
        return page

    async def _compare(self, cursor: Cursor) -> tuple[ReconciledPage, Sequence[str], Sequence[StoredObject]]:
        """Compares a page of objects; returns it with its keys, and the objects that the database lacks. Contents of
        sets are not among these, since a set is adopted with its list.
        """
        listed = await self._saves.objects.list("", cursor.key, self._page_size)
        through = listed[-1].key if len(listed) == self._page_size else None
        async with self._sweeps() as sweeps:
            expected = await sweeps.expected_contents(cursor.key, through, self._page_size)
            ours = [one for one in listed if is_version_key(one.key) and not is_part_key(one.key)]
            unknown = await sweeps.unknown_objects(ours)
        if len(expected) == self._page_size:  # more objects are missing than a page holds
            through = expected[-1].key
            listed = [one for one in listed if one.key <= through]
        taken = whole_saves(listed, {one.key for one in unknown}, _READ_BYTES, is_end=through is None)
        if taken < len(listed):
            through = listed[taken - 1].key
        keys = [one.key for one in listed[:taken]]
        there = {*keys}
        between = [one for one in expected if through is None or one.key <= through]
        absent = [one for one in between if one.key not in there]
        missing = [one for one in await self._each(absent, self._missing) if one]
        found = [one for one in between if one not in missing]
        following = None if through is None else Cursor(cursor.restore_id, cursor.is_applied, through)
        page = ReconciledPage(taken, following, missing=missing, found=found)
        return page, keys, [one for one in unknown if one.key in there]

    async def _verify_all(
        self, unknown: Sequence[StoredObject], cursor: Cursor
    ) -> tuple[list[SavedObject | RefusedObject], Cursor | None]:
        """Verifies the objects that the database lacks. If a set among them needs more than a call reads, returns what
        comes before it, and the cursor that continues with it.
        """
        verified: list[SavedObject | RefusedObject] = []
        budget = ReadBudget(_READ_BYTES)
        for one in await self._each(unknown, self._verified):
            if not isinstance(one, FoundList):
                verified += [one] if one else []
                continue
            key = one.stored.key
            done = await self._sets.verify(one, budget, cursor.through if key == cursor.unfinished else b"")
            if isinstance(done, IncompleteRead):
                return verified, replace(cursor, unfinished=key, through=done.through)
            if isinstance(done, SetRefusal):
                verified.append(RefusedObject(key, one.stored.size, done.reason, one.metadata, done.detail))
            elif done:
                verified.append(done)
        return verified, None

    async def _missing(self, one: ExpectedContent) -> ExpectedContent | None:
        # Requests the single key: a listing of a busy bucket may be out of date.
        return one if await self._saves.objects.describe(one.key) is None else None

    async def _absent(self, found: Sequence[SavedObject]) -> frozenset[str]:
        """Returns keys of objects that are missing in S3 and have the same content as an object of this page.

        They may lie outside of this page.
        """
        async with self._sweeps() as sweeps:
            held = await sweeps.contents_with_hashes({(one.metadata.user_id, one.metadata.content) for one in found})
        return frozenset(one.key for one in await self._each(held, self._missing) if one)

    async def _verified(self, one: StoredObject) -> SavedObject | RefusedObject | FoundList | None:
        """Returns the object if it matches its metadata; None if it no longer exists. A list is not read here."""
        metadata = await self._saves.objects.describe(one.key)
        if metadata is None:
            return None
        found = metadata_of(one.key, metadata)
        if found is None:
            return RefusedObject(one.key, one.size, "metadata")
        if (list_sha256 := list_hash_of(metadata)) is not None:
            return FoundList(one, found, list_sha256)
        if one.size > self._largest_bytes:
            return RefusedObject(one.key, one.size, "size")
        digest = await self._saves.objects.digest(one.key, one.size)
        if digest is None:
            return None
        if digest.sha256 != found.content:
            return RefusedObject(one.key, one.size, "hash")
        return SavedObject(one.key, one.size, one.last_modified, found)

    async def _of_user(
        self,
        user_id: UUID,
        objects: Sequence[SavedObject],
        absent: frozenset[str],
        page: ReconciledPage,
        applying: Applying | None,
    ) -> None:
        """Adopts a user's objects in one commit with the audit entry, or rolls it back in a dry run."""

        async def adopt(transaction: Transaction) -> tuple[list[Adopted], int | None]:
            adoption = transaction.of(SavegameAdoption)
            before = await _heads(adoption, user_id, objects)
            adopted = [
                one
                for _, of_save in groupby(objects, key=lambda one: _save_of(one.key))
                for one in await adoption.adopt(user_id, list(of_save), absent)
                if one.is_new
            ]
            if not applying:
                raise _DryRun(adopted)
            if not adopted:
                transaction.discard()
                return adopted, None
            after = await _heads(adoption, user_id, objects)
            entry = _entry(applying, user_id, {"objects": len(adopted)}, before, after)
            return adopted, await self._audit.add_entry(transaction.connection, applying.by, entry)

        audit_id: int | None = None
        try:
            adopted, audit_id = await self._transactions.run(user_id, adopt)
        except _DryRun as dry:
            adopted = dry.adopted
        except UserErased:
            page.refused += [RefusedObject(one.key, one.size, "erased") for one in objects]
            return
        page.adopted += [(user_id, one) for one in adopted]
        if audit_id is not None:
            page.audit_ids.append(audit_id)

    async def _end(self, restore: StoredRestore, applying: Applying) -> int:
        """Ends the restore, after which jobs delete again. Returns the id of the audit entry."""
        async with self._acquire() as connection, connection.transaction():
            await mark_reconciled(connection, restore.id)
            entry = _entry(
                applying, None, {"restore": str(restore.id)}, {"is_restore_open": True}, {"is_restore_open": False}
            )
            return await self._audit.add_entry(connection, applying.by, entry)

    async def _each(self, of: Collection[T], work: Callable[[T], Awaitable[R]]) -> list[R]:
        """Does the work for each, a few at a time; results are in order. Raises the first failure, stops the others."""

        async def do(one: T) -> R:
            async with self._places:
                return await work(one)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(do(one)) for one in of]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return [task.result() for task in tasks]

    @asynccontextmanager
    async def _sweeps(self) -> AsyncIterator[SavegameSweeps]:
        async with self._acquire() as connection:
            yield SavegameSweeps(connection, self._clock, self._limits)


def _before(page: ReconciledPage, listed: Sequence[str], cursor: Cursor, unfinished: Cursor) -> ReconciledPage:
    """Returns the part of a page before a set that is not verified completely, with the cursor that continues there."""
    keys = [key for key in listed if key < unfinished.unfinished]
    return ReconciledPage(
        len(keys),
        replace(unfinished, key=keys[-1] if keys else cursor.key),
        missing=[one for one in page.missing if one.key < unfinished.unfinished],
        found=[one for one in page.found if one.key < unfinished.unfinished],
    )


class _DryRun(Exception):
    """Rolls back a dry run."""

    def __init__(self, adopted: list[Adopted]) -> None:
        super().__init__()
        self.adopted = adopted


def whole_saves(listed: Sequence[StoredObject], to_read: Collection[str], most_bytes: int, *, is_end: bool) -> int:
    """Returns the number of objects of a page: whole saves, with at most ``most_bytes`` in objects of ``to_read``.

    It is at least one; a save that is larger than a page is split.
    """
    taken, read = 0, 0
    for one in listed:
        read += one.size if one.key in to_read else 0
        if taken and read > most_bytes:
            break
        taken += 1
    if is_end and taken == len(listed):
        return taken
    cut = taken
    next_save = _save_of(listed[taken].key) if taken < len(listed) else None
    if taken and next_save in (None, _save_of(listed[taken - 1].key)):
        last = _save_of(listed[taken - 1].key)
        while cut and _save_of(listed[cut - 1].key) == last:
            cut -= 1
    return cut or taken


def _starting_cursor(cursor: Cursor | None, restore: StoredRestore | None, *, is_applied: bool) -> Cursor:
    """Returns the cursor to start at. Raises CursorOutdated for one that would skip objects."""
    restore_id = restore.id if restore else None
    if cursor is None:
        return Cursor(restore_id, is_applied, "")
    if restore_id not in (None, cursor.restore_id):
        raise CursorOutdated(reason="the database was restored since")
    if is_applied and not cursor.is_applied:
        raise CursorOutdated(reason="the objects before it were compared in a dry run only")
    if is_applied and restore and cursor.key > restore.compared_through:
        raise CursorOutdated(reason="not all objects before it were applied")
    return replace(cursor, is_applied=is_applied)


def _save_of(key: str) -> str:
    """Returns the prefix that only the keys of this save's objects have."""
    return key.rpartition("/")[0]


async def _heads(adoption: SavegameAdoption, user_id: UUID, objects: Sequence[SavedObject]) -> State:
    """Reads the current versions of the objects' saves; null for a save without one."""
    saves = dict.fromkeys((one.metadata.product_id, one.metadata.slot_name) for one in objects)
    return {"heads": {f"{product}/{name}": await adoption.head(user_id, product, name) for product, name in saves}}


def _entry(applying: Applying, user_id: UUID | None, target: State, before: State, after: State) -> NewEntry:
    return NewEntry(EntryKind.CHANGE, COMMAND, user_id, target, applying.reason, before, after, ticket=applying.ticket)
