"""Decisions on plain values: no I/O, no clock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.library._models import AcquisitionType, EndedBy, GrantKind, OrderFactKind

_ACQUISITION = {
    GrantKind.ORDER: AcquisitionType.PURCHASE,
    GrantKind.KEY: AcquisitionType.KEY_ACTIVATION,
    GrantKind.GIFT: AcquisitionType.GIFT,
    GrantKind.CLAIM: AcquisitionType.FREE_TO_PLAY,
    GrantKind.SUPPORT: AcquisitionType.GIFT,  # the contract has no kind of its own for it
}


@dataclass(frozen=True, slots=True)
class NewGrant:
    """A reason to own ``product_id`` since ``acquired_at``: the source's own time, aware.

    ``source_id`` names the order, key, gift, claim or support action, in at most 200 characters; together with user,
    product and kind it makes the grant. ``product_type`` (at most 50) is the product's type by the source.
    ``quantity`` counts for orders only: so many have to be refunded before the grant ends.
    """

    product_id: UUID
    kind: GrantKind
    source_id: str
    acquired_at: datetime
    product_type: str | None = None
    quantity: int = 1


TOMBSTONE = "tombstone"
"""The id of a refund that stands for an end which a release without quantities wrote."""


@dataclass(frozen=True, slots=True)
class OrderAdjustment:
    """A refund or reinstatement of copies of a product that an order bought. ``quantity`` None means all of them; the
    time is aware.

    ``fact_id`` (at most 210 characters) distinguishes it from other facts of the order, and breaks ties of time.
    """

    kind: OrderFactKind
    fact_id: str
    quantity: int | None
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class StoredGrant:
    """A grant that lives, or that is an order's and may live again."""

    product_id: UUID
    kind: GrantKind
    source_id: str
    acquired_at: datetime | None
    ended_at: datetime | None
    quantity: int | None = None
    ended_by: str | None = None
    facts: Sequence[OrderAdjustment] = ()

    @property
    def known_facts(self) -> Sequence[OrderAdjustment]:
        """The order's facts, with the refund that an end without them stands for."""
        if self.ended_at is None or self.ended_by is not None:
            return self.facts
        return (*self.facts, OrderAdjustment(OrderFactKind.REFUND, TOMBSTONE, None, self.ended_at))

    @property
    def should_live(self) -> bool:
        """Whether the facts let the grant live. Only an order's grant comes back, and never against support."""
        if self.kind is not GrantKind.ORDER:
            return self.ended_at is None
        if self.acquired_at is None or self.ended_by == EndedBy.SUPPORT:
            return False
        return copies_left(self.quantity or 1, self.known_facts) > 0


def copies_left(bought: int, facts: Iterable[OrderAdjustment]) -> int:
    """Returns how many of ``bought`` copies are not refunded after these facts, in the order of their times, then ids.

    Each step stays between 0 and ``bought``, so that a refund that is reported under two ids takes no more copies than
    there are.
    """
    left = bought
    for fact in sorted(facts, key=lambda fact: (fact.occurred_at, fact.fact_id)):
        change = bought if fact.quantity is None else fact.quantity
        left = max(0, left - change) if fact.kind is OrderFactKind.REFUND else min(bought, left + change)
    return left


@dataclass(frozen=True, slots=True)
class Playtime:
    """How long a product was played, in seconds and all devices together, and when last (aware)."""

    product_id: UUID
    total_seconds: int
    last_played_at: datetime | None


@dataclass(frozen=True, slots=True)
class Holding:
    """A live grant, as far as ownership depends on it."""

    kind: GrantKind
    source_id: str
    acquired_at: datetime


@dataclass(frozen=True, slots=True)
class Ownership:
    """The ownership that an item shows, from its grants."""

    acquisition_type: AcquisitionType
    added_at: datetime


def ownership(holdings: Iterable[Holding]) -> Ownership | None:
    """Returns the ownership by a product's live grants, which is that of the oldest one; None when there is none.

    Ties break by kind and source, so that the answer never depends on the order in which the grants were received.
    """
    oldest = min(holdings, key=lambda held: (held.acquired_at, held.kind, held.source_id), default=None)
    return Ownership(_ACQUISITION[oldest.kind], oldest.acquired_at) if oldest else None


def known_rating(rating: float | None) -> float | None:
    """Returns a stored rating; None for one outside of 0 to 100, which an earlier release may have stored."""
    return rating if rating is not None and 0 <= rating <= 100 else None


def is_newer(moment: datetime, than: datetime | None) -> bool:
    """Whether a fact of time ``moment`` may overwrite one of time ``than`` (None: nothing is known yet).

    Of two facts of the same time the one received last wins.
    """
    return than is None or moment >= than
