"""Why a user may play a product or may not, decided on plain values: no I/O, no clock.

These are the decisions that ``_queries/access.py`` makes in SQL and ``_family/seats.py`` under locks, for explanations.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from gameshelf.library._family.queries import TakenSeat
from gameshelf.library._family.rules import SEAT_UNPROVEN, LinkVerdict, effective, verdict
from gameshelf.library._family.store import Link
from gameshelf.library._models import AcquisitionType, LinkStatus
from gameshelf.library._queries.access import CLAIMABLE, AccessDecision

NEVER_ACCEPTED = "never_accepted"
"""A link that was refused before it was ever accepted: it neither gives access nor refuses it."""
OWNER_DOES_NOT_OWN = "owner_does_not_own"

_PLACE = {verdict: place for place, verdict in enumerate(LinkVerdict)}


@dataclass(frozen=True, slots=True)
class SeatReason:
    """A taken seat of a copy that the user may want to play."""

    seat: TakenSeat
    runs: bool | None
    """Whether the holder's session runs; None where nothing depends on it."""

    def is_busy(self, now: datetime) -> bool:
        """Whether a start is refused because of it: a seat without a known session counts as taken for a minute."""
        return self.runs is not False or now - self.seat.since < SEAT_UNPROVEN


@dataclass(frozen=True, slots=True)
class LinkReason:
    """The verdict of one link on the product. Times are aware and in UTC."""

    link: Link
    """As it is stored."""
    status: LinkStatus
    """As it counts now."""
    reason: str
    """A ``LinkVerdict``, ``owner_does_not_own`` or ``never_accepted``."""
    covers: bool
    """Whether the scope of the link contains the product."""
    owned_since: datetime | None
    """Since when the owner owns the product; None while they do not."""
    seat: SeatReason | None = None
    """The seat of the owner's copy, if it is taken."""
    other_seat: SeatReason | None = None
    """The seat of another copy of this owner that the user holds: they may hold one seat per owner."""
    owner_plays_since: datetime | None = None

    @property
    def counts(self) -> bool:
        """Whether the link is considered at all."""
        return self.reason in _PLACE

    def is_busy(self, now: datetime) -> bool:
        """Whether the copy cannot be started now, although it is shared."""
        taken = [seat for seat in (self.seat, self.other_seat) if seat]
        return self.owner_plays_since is not None or any(seat.is_busy(now) for seat in taken)


class Start(StrEnum):
    """The outcome of starting the game at this moment."""

    OWN_COPY = "own_copy"
    SHARED_COPY = "shared_copy"
    SEAT_BUSY = "seat_busy"
    REFUSED = "refused"


def link_reason(
    link: Link, product_id: UUID, owned_since: datetime | None, is_forbidden: bool, now: datetime
) -> LinkReason:
    """Returns the verdict of a link on a product, without seats."""
    status = LinkStatus(link.status)
    if status is not LinkStatus.PENDING and link.active_since is None:
        reason: str = NEVER_ACCEPTED
    elif owned_since is None:
        reason = OWNER_DOES_NOT_OWN
    else:
        reason = verdict(status, link.expires_at, link.scope, product_id, is_forbidden, now)
    return LinkReason(link, effective(status, link.expires_at, now), reason, link.scope.covers(product_id), owned_since)


def by_weight(links: Iterable[LinkReason]) -> list[LinkReason]:
    """Returns the links that count, the deciding one first: the oldest of those with the most favourable verdict."""
    return sorted((one for one in links if one.counts), key=_weight)


def _weight(one: LinkReason) -> tuple[int, bool, float, UUID]:
    since = one.link.active_since
    return _PLACE[LinkVerdict(one.reason)], since is None, since.timestamp() if since else 0, one.link.id


def concluded(
    acquisition_type: str | None,
    added_at: datetime | None,
    was_granted: bool,
    is_free: bool,
    links: Iterable[LinkReason],
) -> AccessDecision:
    """Returns the decision by the ownership of the item, whether there ever was a grant, whether the product is free,
    and the links.
    """
    if acquisition_type is not None:
        return AccessDecision(True, "owned", added_at, acquisition_type)
    if is_free:
        return AccessDecision(False, CLAIMABLE)
    first = next(iter(by_weight(links)), None)
    if first is None:
        return AccessDecision(False, "refunded" if was_granted else "not_owned")
    if first.reason != LinkVerdict.SHARED:
        return AccessDecision(False, first.reason)
    since = max(filter(None, (first.owned_since, first.link.active_since)))
    return AccessDecision(True, first.reason, since, AcquisitionType.FAMILY_SHARED_ACCESS, first.link.owner_user_id)


def start(is_owned: bool, links: Sequence[LinkReason], now: datetime) -> tuple[Start, LinkReason | None]:
    """Returns the outcome of a start now, and its link: the oldest one whose copy is free, or else the oldest one."""
    if is_owned:
        return Start.OWN_COPY, None
    sharing = [one for one in by_weight(links) if one.reason == LinkVerdict.SHARED]
    free = next((one for one in sharing if not one.is_busy(now)), None)
    if free:
        return Start.SHARED_COPY, free
    return (Start.SEAT_BUSY, sharing[0]) if sharing else (Start.REFUSED, None)
