"""What support does about family links and seats.

Nothing that is remembered names the other party: an account that is erased has to leave the entries of all others.
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
    """Ends a link, and what is played of it; from then on only an admin opens it again."""

    command: ClassVar[str] = "family revoke"

    async def act(self, transaction: Transaction) -> None:
        await transaction.of(FamilyLinks).revoke(self.user_id, self.link_id, Party.ADMIN)


@dataclass(frozen=True, slots=True)
class ReopenLink(_Link):
    """Asks the member anew, for a link that an admin has ended."""

    command: ClassVar[str] = "family reopen"

    async def act(self, transaction: Transaction) -> None:
        await transaction.of(FamilyLinks).reopen(self.user_id, self.link_id)


@dataclass(frozen=True, slots=True)
class ReleaseSeat:
    """Ends what somebody plays of an owner's copy, and frees its seat, also one whose session is nowhere."""

    user_id: UUID
    """Who sits there."""
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
        # A session that ends frees its seat with the commit; one that is nowhere never will.
        await transaction.of(FamilySeats).release(self.user_id, [self.session_id])


def undo_revoke(entry: Entry, user_id: UUID) -> Change:
    """The member is asked anew."""
    return ReopenLink(user_id, UUID(entry.target["link_id"]))


def undo_reopen(entry: Entry, user_id: UUID) -> Change:
    """It is ended again, unless the member has accepted by now."""
    return RevokeLink(user_id, UUID(entry.target["link_id"]))
