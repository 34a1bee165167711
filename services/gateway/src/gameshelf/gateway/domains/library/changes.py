"""Changes of ownership by support."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar
from uuid import UUID, uuid4

from gameshelf.gateway.runtime.support.audit import Entry, State
from gameshelf.gateway.runtime.support.changes import NotUndoable
from gameshelf.gateway.runtime.support.commands import Change
from gameshelf.gateway.runtime.transaction import Transaction
from gameshelf.kernel.paging import Page
from gameshelf.library import (
    GrantKind,
    LibraryQueries,
    LibraryService,
    LibrarySupportQueries,
    NewGrant,
    ProductAlreadyOwned,
    ProductNotFound,
)


@dataclass(frozen=True, slots=True)
class _Product:
    """The state is every grant of a product, including ended ones, and the ownership that results."""

    user_id: UUID
    product_id: UUID

    def target(self) -> State:
        return {"product_id": self.product_id}

    async def state(self, transaction: Transaction) -> State:
        held = await LibrarySupportQueries(transaction.connection).library(self.user_id, Page(1, 1), [self.product_id])
        of = held.items[0] if held.items else None
        item = of.item if of else None
        grants = {
            f"{one.kind} {one.source_id}": {"since": one.acquired_at, "ended": one.ended_at}
            for one in (of.grants if of else ())
        }
        return {
            "acquisition_type": item.acquisition_type if item else None,
            "added_at": item.added_at if item else None,
            **grants,
        }


@dataclass(frozen=True, slots=True)
class GrantProduct(_Product):
    """Grants a product that the Catalog knows, as a grant by support."""

    source_id: str = field(default_factory=lambda: str(uuid4()))
    command: ClassVar[str] = "library grant"

    def target(self) -> State:
        return {"product_id": self.product_id, "source_id": self.source_id}

    async def act(self, transaction: Transaction) -> None:
        if not await LibraryQueries(transaction.connection).products([self.product_id]):
            raise ProductNotFound(reason="unknown_to_the_catalog", product_id=str(self.product_id))
        if (await self.state(transaction))["acquisition_type"] is not None:
            raise ProductAlreadyOwned(product_id=str(self.product_id))
        grant = NewGrant(self.product_id, GrantKind.SUPPORT, self.source_id, transaction.clock())
        await transaction.of(LibraryService).grant(self.user_id, [grant])


@dataclass(frozen=True, slots=True)
class RevokeProduct(_Product):
    """Ends every active grant of a product, or the one of a source."""

    source: tuple[GrantKind, str] | None = None
    _ended: list[str] = field(default_factory=list)
    """The name of the grant between its end and the next look at the state."""
    command: ClassVar[str] = "library revoke"

    def target(self) -> State:
        kind, source_id = self.source or (None, None)
        return {"product_id": self.product_id, "kind": kind, "source_id": source_id}

    async def state(self, transaction: Transaction) -> State:
        ended = self._ended.pop() if self._ended else None  # before the query: after a lost race all of it is repeated
        state = await _Product.state(self, transaction)
        if ended and ended not in state:
            # Of very many grants only the oldest are in the state; without this one its end would look like no change.
            state[ended] = {"ended_now": True}
        return state

    async def act(self, transaction: Transaction) -> None:
        await transaction.of(LibraryService).revoke(self.user_id, self.product_id, self.source)
        if self.source:
            self._ended.append(" ".join(self.source))


@dataclass(frozen=True, slots=True)
class RestoreProduct(_Product):
    """Makes a user own a product again since ``acquired_at``, by a new grant: an ended grant cannot be reopened."""

    acquired_at: datetime
    command: ClassVar[str] = "audit undo"

    async def act(self, transaction: Transaction) -> None:
        grant = NewGrant(self.product_id, GrantKind.SUPPORT, str(uuid4()), self.acquired_at)
        await transaction.of(LibraryService).grant(self.user_id, [grant])


def undo_grant(entry: Entry, user_id: UUID) -> Change:
    """Ends that grant alone."""
    source = (GrantKind.SUPPORT, entry.target["source_id"])
    return RevokeProduct(user_id, UUID(entry.target["product_id"]), source)


def undo_revoke(entry: Entry, user_id: UUID) -> Change:
    """Grants the product since the oldest of the grants that were ended, so that ownership begins as before.

    Raises NotUndoable if the entry, which holds a bounded number of grants, has none of them.
    """
    before, after = entry.before or {}, entry.after or {}
    grants = {name: one for name, one in before.items() if isinstance(one, dict)}
    ended = [one for name, one in grants.items() if one["ended"] is None and after[name]["ended"] is not None]
    if not ended:
        raise NotUndoable(reason="too_many_grants")
    oldest = min(datetime.fromisoformat(one["since"]) for one in ended)
    return RestoreProduct(user_id, UUID(entry.target["product_id"]), oldest)
