"""Changes of a player's saves by support: restoring a version, and pinning one."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from gameshelf.gateway.runtime.support.audit import Entry, State
from gameshelf.gateway.runtime.support.commands import Change
from gameshelf.gateway.runtime.transaction import Transaction
from gameshelf.kernel.database import Connection
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.savegames import (
    SavegameQueries,
    SavegameService,
    SavegameSlotNotFound,
    SavegameSupport,
    SavegameVersionNotFound,
    SaveVersion,
    VersionChanges,
)

_HASH_DIGITS = 12


def described(version: SaveVersion) -> State:
    """Describes a version as part of a state: the number identifies its content, the rest is for the reader."""
    return {
        "version": version.version,
        "size": version.size,
        "sha256": version.content.hex()[:_HASH_DIGITS],
        "client_modified_at": version.client_modified_at,
        "device_id": version.device_id,
        "comment": version.comment,
    }


async def kept_versions(connection: Connection, user_id: UUID, slot_id: UUID) -> str:
    """Returns the numbers of all versions with content, in one line that shows which ones a change would prune."""
    return " ".join(map(str, await SavegameSupport(connection).kept(user_id, slot_id)))


@dataclass(frozen=True, slots=True)
class _SaveChange:
    """A change of the current version of a save."""

    user_id: UUID
    slot_id: UUID

    async def state(self, transaction: Transaction) -> State:
        head = await self._head(transaction)
        return {
            "slot_name": head.slot_name,
            "in_trash": head.deleted_at is not None,
            "head": described(head),
            "kept_versions": await kept_versions(transaction.connection, self.user_id, self.slot_id),
        }

    async def _head(self, transaction: Transaction) -> SaveVersion:
        head = await SavegameSupport(transaction.connection).head(self.user_id, self.slot_id)
        if head is None:
            raise SavegameSlotNotFound
        return head


@dataclass(frozen=True, slots=True)
class RestoreSave(_SaveChange):
    """Takes a save out of the trash if it is there, and makes the content of a version the new current version."""

    version: int | None
    """None for the current version of a save in the trash."""
    command: ClassVar[str] = "saves restore"

    def target(self) -> State:
        return {"savegame_id": self.slot_id, "version": self.version}

    async def act(self, transaction: Transaction) -> None:
        head = await self._head(transaction)
        if self.version is None and head.deleted_at is None:
            raise InvalidInput(Problem("missing", pointer="version"))
        service = transaction.of(SavegameService)
        await service.undelete(self.user_id, self.slot_id)
        if self.version is not None:
            await service.restore(self.user_id, self.slot_id, self.version)


@dataclass(frozen=True, slots=True)
class UndoRestore(_SaveChange):
    """Makes the content from before current again, and returns the save to the trash if it came from there."""

    version: int | None
    to_trash: bool
    command: ClassVar[str] = "saves restore"

    def target(self) -> State:
        return {"savegame_id": self.slot_id, "version": self.version, "to_trash": self.to_trash}

    async def act(self, transaction: Transaction) -> None:
        service = transaction.of(SavegameService)
        if self.version is not None:
            await service.restore(self.user_id, self.slot_id, self.version)
        if self.to_trash:
            await service.delete(self.user_id, self.slot_id)


@dataclass(frozen=True, slots=True)
class PinSave:
    """Pins a version, which keeps its content regardless of age, or unpins it."""

    user_id: UUID
    slot_id: UUID
    version: int
    is_pinned: bool
    command: ClassVar[str] = "saves pin"

    def target(self) -> State:
        return {"savegame_id": self.slot_id, "version": self.version, "is_pinned": self.is_pinned}

    async def state(self, transaction: Transaction) -> State:
        found = await SavegameQueries(transaction.connection).version(self.user_id, self.slot_id, self.version)
        if found is None:
            raise SavegameVersionNotFound(version=self.version)
        if found.deleted_at:
            raise SavegameSlotNotFound(reason="in_trash")
        return {"version": found.version, "is_pinned": found.is_pinned, "has_bytes": found.status != "pruned"}

    async def act(self, transaction: Transaction) -> None:
        changes = VersionChanges(is_pinned=self.is_pinned)
        await transaction.of(SavegameService).change_version(self.user_id, self.slot_id, self.version, changes)


def undo_restore(entry: Entry, user_id: UUID) -> Change:
    """Restores the version that was current before."""
    before, after = entry.before or {}, entry.after or {}
    earlier = before["head"]["version"]
    version = earlier if earlier != after["head"]["version"] else None
    return UndoRestore(user_id, UUID(entry.target["savegame_id"]), version, before["in_trash"])


def undo_pin(entry: Entry, user_id: UUID) -> Change:
    """Restores the pin from before."""
    target = entry.target
    return PinSave(user_id, UUID(target["savegame_id"]), target["version"], (entry.before or {})["is_pinned"])
