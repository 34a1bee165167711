"""Changes of family links and seats by support.

No audit entry names the other party: erasing an account must not need the entries of other accounts.
"""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from gameshelf.gateway.runtime.support.audit import Entry, State
from gameshelf.gateway.runtime.support.commands import Change
from gameshelf.gateway.runtime.transaction import Transaction
from gameshelf.library import FamilyLinkNotFound, FamilyLinks, FamilyQueries, FamilySeats, Party
from gameshelf.playtime import CopyQueries, PlaytimeService


@dataclass(frozen=True, slots=True)
class _Link:
    user_id: UUID
    """The owner."""
    link_id: UUID

    def target(self) -> State:
        return {"link_id": self.link_id}

    async def state(self, transaction: Transaction) -> State:
        link = await FamilyQueries(transaction.connection).link(self.user_id, self.link_id, transaction.clock())
        if link is None:
            raise FamilyLinkNotFound
        return {
            "status": link.status,
            "mode": link.mode,
            "products": len(link.product_ids),
            "expires_at": link.expires_at,
        }


@dataclass(frozen=True, slots=True)
class RevokeLink(_Link):
    """Ends a link and the sessions that use it; only an admin can reopen it."""

    command: ClassVar[str] = "family revoke"

    async def act(self, transaction: Transaction) -> None:
        await transaction.of(FamilyLinks).revoke(self.user_id, self.link_id, Party.ADMIN)


@dataclass(frozen=True, slots=True)
class ReopenLink(_Link):
    """Invites the member again to a link that an admin has ended."""

    command: ClassVar[str] = "family reopen"

    async def act(self, transaction: Transaction) -> None:
        await transaction.of(FamilyLinks).reopen(self.user_id, self.link_id)


@dataclass(frozen=True, slots=True)
class ReleaseSeat:
    """Ends the session on an owner's copy and frees its seat, even if the session no longer exists."""

    user_id: UUID
    """The user who holds the seat."""
    owner_user_id: UUID
    product_id: UUID
    session_id: UUID
    command: ClassVar[str] = "family release-seat"

    def target(self) -> State:
        return {"product_id": self.product_id, "session_id": self.session_id}

    async def state(self, transaction: Transaction) -> State:
        seat = await FamilyQueries(transaction.connection).seat(self.owner_user_id, self.product_id)
        running = await CopyQueries(transaction.connection).running(self.user_id, [self.session_id])
        return {
            "session_id": seat.session_id if seat else None,
            "since": seat.since if seat else None,
            "lost_at": seat.lost_at if seat else None,
            "session_runs": self.session_id in running,
        }

    async def act(self, transaction: Transaction) -> None:
        await transaction.of(PlaytimeService).lose_seat(self.user_id, self.session_id, transaction.clock())
        # A session that ends frees its seat in the same commit; one that no longer exists never does.
        await transaction.of(FamilySeats).release(self.owner_user_id, self.user_id, [self.session_id])


def undo_revoke(entry: Entry, user_id: UUID) -> Change:
    """Invites the member again."""
    return ReopenLink(user_id, UUID(entry.target["link_id"]))


def undo_reopen(entry: Entry, user_id: UUID) -> Change:
    """Ends the link again, unless the member has accepted since."""
    return RevokeLink(user_id, UUID(entry.target["link_id"]))
