"""What support does to a player's saves: a version becomes the head again, and what is pinned stays."""

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
    """A version as a state has it: its number says which bytes it holds, the rest is for whoever reads."""
    return {
        "version": version.version,
        "size": version.size,
        "sha256": version.content.hex()[:_HASH_DIGITS],
        "client_modified_at": version.client_modified_at,
        "device_id": version.device_id,
        "comment": version.comment,
    }


async def kept_versions(connection: Connection, user_id: UUID, slot_id: UUID) -> str:
    """The versions whose bytes are there, in one line: what a change lets go is seen there."""
    return " ".join(map(str, await SavegameSupport(connection).kept(user_id, slot_id)))


@dataclass(frozen=True, slots=True)
class _OfSave:
    """A change of where a save stands."""

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
class RestoreSave(_OfSave):
    """Takes a save out of the trash, if it is there, and makes the bytes of a version those of a new head."""

    version: int | None
    """None: the head's own, of a save in the trash."""
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
class TakeBackRestore(_OfSave):
    """The bytes of the head from before are those of a new head; what came out of the trash goes there again."""

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
    """Keeps the bytes of a version whatever comes, or lets them go like others'."""

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
    """Where the save stood before."""
    before, after = entry.before or {}, entry.after or {}
    earlier = before["head"]["version"]
    version = earlier if earlier != after["head"]["version"] else None
    return TakeBackRestore(user_id, UUID(entry.target["savegame_id"]), version, before["in_trash"])


def undo_pin(entry: Entry, user_id: UUID) -> Change:
    """As it was before."""
    target = entry.target
    return PinSave(user_id, UUID(target["savegame_id"]), target["version"], (entry.before or {})["is_pinned"])
