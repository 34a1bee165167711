"""Changes of playtime by support."""

from dataclasses import dataclass, field
from typing import ClassVar
from uuid import UUID

from gameshelf.gateway.runtime.support.audit import Entry, State
from gameshelf.gateway.runtime.support.commands import Change
from gameshelf.gateway.runtime.transaction import Transaction
from gameshelf.kernel.database import Connection
from gameshelf.kernel.errors import DomainError
from gameshelf.kernel.paging import Page
from gameshelf.playtime import (
    Figures,
    PlaytimeQueries,
    PlaytimeService,
    PlaytimeSupportQueries,
    SessionNotFound,
    TotalDiscrepancy,
)

MAX_RECOUNTS = 100
"""Number of products whose recomputed figures an audit entry holds."""


class CorrectedAlready(DomainError):
    """The newest correction of this product has the same seconds and the same reason."""

    code = "PRECONDITION_FAILED"


@dataclass(frozen=True, slots=True)
class CorrectPlaytime:
    """Adds seconds to a product's total, or subtracts them.

    The state is the sum of corrections, not the total, so that further play invalidates neither dry run nor undo.

    The newest correction is not made once more for the same reason: other changes that are repeated on a new revision
    find nothing to change, and this one would count the seconds twice. A second one has a reason of its own.
    """

    user_id: UUID
    product_id: UUID
    seconds: int
    why: str
    """The reason that is stored with the correction."""
    command: ClassVar[str] = "playtime correct"

    def target(self) -> State:
        return {"product_id": self.product_id, "seconds": self.seconds}

    async def state(self, transaction: Transaction) -> State:
        queries = PlaytimeQueries(transaction.connection)
        found = await queries.summary(self.user_id, [self.product_id], transaction.clock(), Page())
        return {"corrected_seconds": sum(one.corrected_seconds for one in found.items)}

    async def act(self, transaction: Transaction) -> None:
        await self._require_new(transaction.connection)
        await transaction.of(PlaytimeService).correct(self.user_id, self.product_id, self.seconds, self.why)

    async def _require_new(self, connection: Connection) -> None:
        newest = await PlaytimeSupportQueries(connection).corrections(self.user_id, self.product_id, limit=1)
        for one in newest:
            if (one.seconds, one.reason.strip()) == (self.seconds, self.why.strip()):
                raise CorrectedAlready(reason="corrected_already", corrected_at=one.created_at)


def undo_correction(entry: Entry, user_id: UUID) -> Change:
    """Makes the opposite correction."""
    asked = entry.target
    return CorrectPlaytime(user_id, UUID(asked["product_id"]), -asked["seconds"], f"undoes audit entry {entry.id}")


@dataclass(frozen=True, slots=True)
class EndSession:
    """Ends a session whose client no longer does."""

    user_id: UUID
    session_id: UUID
    command: ClassVar[str] = "sessions end"

    def target(self) -> State:
        return {"session_id": self.session_id}

    async def state(self, transaction: Transaction) -> State:
        found = await PlaytimeQueries(transaction.connection).session(self.user_id, self.session_id)
        if found is None:
            raise SessionNotFound
        return {
            "product_id": found.product_id,
            "device_id": found.device_id,
            "started_at": found.start_time,
            "ended_at": found.end_time,
            "end_reason": found.end_reason,
            "seat_number": found.seat_number,
        }

    async def act(self, transaction: Transaction) -> None:
        await transaction.of(PlaytimeService).end_for_support(self.user_id, self.session_id)


@dataclass(frozen=True, slots=True)
class RecomputePlaytime:
    """Recomputes totals and intervals from the ledger, of one product or of all.

    The state has the products that differ: as stored, and afterwards as recomputed. An instance makes one change.
    """

    user_id: UUID
    product_id: UUID | None
    _counted: dict[UUID, TotalDiscrepancy] = field(default_factory=dict)
    command: ClassVar[str] = "playtime recompute"

    def target(self) -> State:
        return {"product_id": self.product_id}

    async def state(self, transaction: Transaction) -> State:
        if self._counted:
            return _figures({key: (one.counted, 0) for key, one in self._counted.items()})
        differing = await transaction.of(PlaytimeService).discrepancies(self.user_id, self.product_id)
        return _figures({one.product_id: (one.stored, one.wrong_intervals) for one in differing})

    async def act(self, transaction: Transaction) -> None:
        for one in await transaction.of(PlaytimeService).recompute(self.user_id, self.product_id):
            self._counted[one.product_id] = one


def _figures(products: dict[UUID, tuple[Figures, int]]) -> State:
    shown = sorted(products)[:MAX_RECOUNTS]
    state = {str(key): _of_product(*products[key]) for key in shown}
    if rest := products.keys() - set(shown):
        total = sum(products[key][0].total_playtime_seconds for key in rest)
        state["others"] = {"products": len(rest), "total_seconds": total}
    return state


def _of_product(figures: Figures, wrong_intervals: int) -> State:
    return {
        "total_seconds": figures.total_playtime_seconds,
        "played_seconds": figures.played_seconds,
        "corrected_seconds": figures.corrected_seconds,
        "session_count": figures.session_count,
        "last_played_at": figures.last_played_at,
        "intervals": figures.intervals,
        "wrong_intervals": wrong_intervals,
    }
