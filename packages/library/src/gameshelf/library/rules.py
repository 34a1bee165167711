"""Decisions on plain values: no I/O, no clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.library.models import AcquisitionType, GrantKind

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
    product and kind it makes the grant. ``product_type`` (at most 50) is what the source calls the product.
    """

    product_id: UUID
    kind: GrantKind
    source_id: str
    acquired_at: datetime
    product_type: str | None = None


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
    """What an item shows of its grants."""

    acquisition_type: AcquisitionType
    added_at: datetime


def ownership(holdings: Iterable[Holding]) -> Ownership | None:
    """The ownership that a product's live grants add up to: that of the oldest one; None when there is none.

    Ties break by kind and source, so that the answer never depends on the order in which the grants were heard of.
    """
    oldest = min(holdings, key=lambda held: (held.acquired_at, held.kind, held.source_id), default=None)
    return Ownership(_ACQUISITION[oldest.kind], oldest.acquired_at) if oldest else None


def is_newer(moment: datetime, than: datetime | None) -> bool:
    """Whether a fact of time ``moment`` may overwrite one of time ``than`` (None: nothing is known yet).

    Of two facts of the same time the one heard last wins.
    """
    return than is None or moment >= than
