"""Resolution of a conflict by support on the player's behalf."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from gameshelf.gateway.domains.savegames.changes.saves import described, kept_versions
from gameshelf.gateway.runtime.support.audit import State
from gameshelf.gateway.runtime.transaction import Transaction
from gameshelf.savegames import (
    ConflictNotFound,
    Resolve,
    Resolved,
    SavegameConflicts,
    SavegameQueries,
    SavegameSupport,
)


@dataclass(frozen=True, slots=True)
class ResolveConflict:
    """Resolves a conflict. Both sides stay in the history, so restoring the other side undoes it."""

    user_id: UUID
    conflict_id: UUID
    choice: Resolve
    command: ClassVar[str] = "conflicts resolve"

    def target(self) -> State:
        return {
            "conflict_id": self.conflict_id,
            "resolution": self.choice.resolution,
            "copy_slot_name": self.choice.copy_slot_name,
            **({"units": dict(self.choice.units)} if self.choice.units else {}),
        }

    async def state(self, transaction: Transaction) -> State:
        connection = transaction.connection
        support = SavegameSupport(connection)
        conflict = await support.conflict(self.user_id, self.conflict_id)
        head = await support.head(self.user_id, conflict.slot_id) if conflict else None
        if conflict is None or head is None:
            raise ConflictNotFound
        if head.deleted_at:
            raise ConflictNotFound(reason="in_trash", savegame_id=conflict.slot_id)
        branch = await SavegameQueries(connection).version(self.user_id, conflict.slot_id, conflict.branch_version)
        if branch is None:
            raise ConflictNotFound
        return {
            "savegame_id": conflict.slot_id,
            "slot_name": head.slot_name,
            "resolution": conflict.resolution,
            "head": described(head),
            "branch": {**described(branch), "status": branch.status},
            "other_saves_with_the_branch": await support.copies(branch, self.user_id),
            "kept_versions": await kept_versions(connection, self.user_id, conflict.slot_id),
        }

    async def act(self, transaction: Transaction) -> None:
        found = await SavegameQueries(transaction.connection).conflict(self.user_id, self.conflict_id)
        if found is None:
            raise ConflictNotFound
        # The decision is about the versions that the dry run showed: its state has both numbers.
        seen = {"head_version": found.head.version, "branch_version": found.branch.version}
        done = await transaction.of(SavegameConflicts).resolve(
            self.user_id, self.conflict_id, self.choice.model_copy(update=seen)
        )
        assert isinstance(done, Resolved)
