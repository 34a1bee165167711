"""Decisions about links on plain values: no I/O, no clock (contract, section 3.2)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from gameshelf.library._models import LinkMode, LinkStatus

GRACE = timedelta(seconds=300)
"""How long a member may continue to play once the owner starts their copy."""
SEAT_UNPROVEN = timedelta(seconds=60)
"""How long a seat counts as taken whose session cannot be found."""
INVITATIONS = 3
INVITATION_WINDOW = timedelta(hours=24)
"""The time in which a pair may have at most ``INVITATIONS`` invitations."""

LIVING = frozenset({LinkStatus.PENDING, LinkStatus.ACTIVE})


class Party(StrEnum):
    """Who acts on a link."""

    OWNER = "owner"
    MEMBER = "member"
    ADMIN = "admin"
    CLOCK = "clock"
    """The link has expired."""


class Action(StrEnum):
    """An action on a link."""

    ACCEPT = "accept"
    DECLINE = "decline"
    REVOKE = "revoke"
    INVITE = "invite"
    """Invites again after the link has ended."""


_P, _A, _R, _D, _X = LinkStatus
_TRANSITIONS: dict[tuple[Action, Party], dict[LinkStatus, LinkStatus]] = {
    (Action.ACCEPT, Party.MEMBER): {_P: _A},
    (Action.DECLINE, Party.MEMBER): {_P: _D},
    (Action.REVOKE, Party.OWNER): {_P: _R, _A: _R},
    (Action.REVOKE, Party.MEMBER): {_P: _D, _A: _D},
    (Action.REVOKE, Party.ADMIN): {_P: _X, _A: _X},
    (Action.REVOKE, Party.CLOCK): {_P: _R, _A: _R},
    (Action.INVITE, Party.OWNER): {_R: _P, _D: _P},
    (Action.INVITE, Party.ADMIN): {_X: _P},
}


def transition(status: LinkStatus, action: Action, by: Party) -> LinkStatus | None:
    """Returns the status after an action; None when the action is not allowed."""
    return _TRANSITIONS.get((action, by), {}).get(status)


def effective(status: LinkStatus, expires_at: datetime | None, now: datetime) -> LinkStatus:
    """Returns the status that counts now: a link ends when it expires, even if that is stored later."""
    if status in LIVING and expires_at is not None and expires_at <= now:
        return LinkStatus.REVOKED
    return status


def may_invite(invited_at: Sequence[datetime], now: datetime) -> bool:
    """Whether a pair that was invited at these times may be invited again."""
    return sum(moment > now - INVITATION_WINDOW for moment in invited_at) < INVITATIONS


@dataclass(frozen=True, slots=True)
class Scope:
    """Which of the owner's games a link shares."""

    mode: LinkMode
    product_ids: frozenset[UUID]

    @classmethod
    def from_columns(cls, mode: str, product_ids: Collection[UUID]) -> "Scope":
        return cls(LinkMode(mode), frozenset(product_ids))

    def covers(self, product_id: UUID) -> bool:
        if self.mode is LinkMode.ALL:
            return True
        return (product_id in self.product_ids) is (self.mode is LinkMode.ONLY)


class LinkVerdict(StrEnum):
    """Whether a link lets its member play a game of the owner, and if not, why; the most favourable one first.

    ``verdict`` decides it on plain values, ``_queries/access.py`` in SQL: a test checks that they agree.
    """

    SHARED = "shared"
    OUT_OF_SCOPE = "out_of_scope"
    SHARING_FORBIDDEN = "sharing_forbidden"
    LINK_EXPIRED = "link_expired"
    LINK_ENDED = "link_ended"
    LINK_PENDING = "link_pending"


def verdict(
    status: LinkStatus, expires_at: datetime | None, scope: Scope, product_id: UUID, is_forbidden: bool, now: datetime
) -> LinkVerdict:
    """Returns the verdict of a link, given its stored status, on a product that its owner owns."""
    if status is LinkStatus.PENDING:
        return LinkVerdict.LINK_PENDING
    if status is not LinkStatus.ACTIVE:
        return LinkVerdict.LINK_ENDED
    if effective(status, expires_at, now) is not LinkStatus.ACTIVE:
        return LinkVerdict.LINK_EXPIRED
    if not scope.covers(product_id):
        return LinkVerdict.OUT_OF_SCOPE
    return LinkVerdict.SHARING_FORBIDDEN if is_forbidden else LinkVerdict.SHARED


RESTRICTED = frozenset(
    {LinkVerdict.OUT_OF_SCOPE, LinkVerdict.SHARING_FORBIDDEN, LinkVerdict.LINK_EXPIRED, LinkVerdict.LINK_ENDED}
)
"""The reasons with which FAMILY_ACCESS_RESTRICTED is answered: a link exists, but does not allow this game."""
