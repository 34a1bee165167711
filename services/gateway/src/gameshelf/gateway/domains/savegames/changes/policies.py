"""The import of a product's policy by support."""

from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from gameshelf.gateway.runtime.support.audit import Entry, State
from gameshelf.gateway.runtime.support.changes import plain, revision_of
from gameshelf.gateway.runtime.support.commands import ChangeOfProduct
from gameshelf.kernel.clock import utc_now
from gameshelf.kernel.database import Connection
from gameshelf.savegames import PolicyDocument, PolicyFact, PolicySource, PolicyStore, SavePolicy


def plain_policy(policy: SavePolicy) -> dict[str, Any]:
    """Returns a policy as JSON in snake_case, without its defaults."""
    return policy.model_dump(mode="json", exclude_defaults=True, exclude={"revision"})


@dataclass(frozen=True, slots=True)
class _PolicyChange:
    """A change of the policy of a product."""

    product_id: UUID

    async def state(self, connection: Connection) -> State:
        found = await PolicyStore(connection).lock(self.product_id)
        return {"revision": found.revision, "source": found.source, "policy": plain_policy(found.policy)}


@dataclass(frozen=True, slots=True)
class ImportPolicy(_PolicyChange):
    """Replaces the policy of a product."""

    document: PolicyDocument
    command: ClassVar[str] = "policy import"

    def target(self) -> State:
        # The digest distinguishes documents: one that is sent again on its revision is answered as made, another not.
        digest = revision_of(plain(plain_policy(self.document)))
        return {"product_id": self.product_id, "mode": self.document.mode, "digest": digest}

    async def act(self, connection: Connection) -> None:
        fact = PolicyFact(self.product_id, self.document, utc_now(), PolicySource.COMMUNITY)
        await PolicyStore(connection).apply([fact])


@dataclass(frozen=True, slots=True)
class UndoImport(_PolicyChange):
    """Stores the policy from before under a higher revision, since clients compare revisions only."""

    before: State
    command: ClassVar[str] = "policy import"

    def target(self) -> State:
        return {"product_id": self.product_id, "source": self.before["source"]}

    async def act(self, connection: Connection) -> None:
        source, store = PolicySource(self.before["source"]), PolicyStore(connection)
        if source is PolicySource.DEFAULT:
            await store.remove(self.product_id)
            return
        document = PolicyDocument.model_validate({**self.before["policy"], "revision": self.before["revision"]})
        await store.apply([PolicyFact(self.product_id, document, utc_now(), source)])


def undo_import(entry: Entry) -> ChangeOfProduct:
    """Restores the policy from before; without one the product has the default again."""
    return UndoImport(UUID(entry.target["product_id"]), entry.before or {})
