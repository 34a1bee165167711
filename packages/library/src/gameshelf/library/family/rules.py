"""Decisions about links on plain values: no I/O, no clock (contract, section 3.2)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from gameshelf.library.models import LinkMode, LinkStatus

GRACE = timedelta(seconds=300)
"""How long a member plays on once the owner wants their copy."""
SEAT_UNPROVEN = timedelta(seconds=60)
"""For how long a seat is believed whose session can't be found."""
INVITATIONS = 3
INVITATION_WINDOW = timedelta(hours=24)
"""At most so many invitations of a pair in this time."""

LIVING = frozenset({LinkStatus.PENDING, LinkStatus.ACTIVE})


class Party(StrEnum):
    """Who acts on a link."""

    OWNER = "owner"
    MEMBER = "member"
    ADMIN = "admin"
    CLOCK = "clock"
    """Nobody: its time has run out."""


class Action(StrEnum):
    """What is done to a link."""

    ACCEPT = "accept"
    DECLINE = "decline"
    REVOKE = "revoke"
    INVITE = "invite"
    """Once more, after it ended."""


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
    """The status that an action leads to; None when it is not allowed."""
    return _TRANSITIONS.get((action, by), {}).get(status)


def effective(status: LinkStatus, expires_at: datetime | None, now: datetime) -> LinkStatus:
    """The status as it counts now: a link ends when its time runs out, whoever writes that down later."""
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
    def of(cls, mode: str, product_ids: Collection[UUID]) -> "Scope":
        return cls(LinkMode(mode), frozenset(product_ids))

    def covers(self, product_id: UUID) -> bool:
        if self.mode is LinkMode.ALL:
            return True
        return (product_id in self.product_ids) is (self.mode is LinkMode.ONLY)


class Verdict(StrEnum):
    """Whether a link lets its member play a game of the owner's, and if not, why; the most helpful one first.

    ``verdict`` decides it on plain values, ``access.py`` in SQL: a test holds that they agree.
    """

    SHARED = "shared"
    OUT_OF_SCOPE = "out_of_scope"
    SHARING_FORBIDDEN = "sharing_forbidden"
    LINK_EXPIRED = "link_expired"
    LINK_ENDED = "link_ended"
    LINK_PENDING = "link_pending"


def verdict(
    status: LinkStatus, expires_at: datetime | None, scope: Scope, product_id: UUID, is_forbidden: bool, now: datetime
) -> Verdict:
    """What a link, with the status that is written down, says of a product that its owner owns."""
    if status is LinkStatus.PENDING:
        return Verdict.LINK_PENDING
    if status is not LinkStatus.ACTIVE:
        return Verdict.LINK_ENDED
    if effective(status, expires_at, now) is not LinkStatus.ACTIVE:
        return Verdict.LINK_EXPIRED
    if not scope.covers(product_id):
        return Verdict.OUT_OF_SCOPE
    return Verdict.SHARING_FORBIDDEN if is_forbidden else Verdict.SHARED


RESTRICTED = frozenset({Verdict.OUT_OF_SCOPE, Verdict.SHARING_FORBIDDEN, Verdict.LINK_EXPIRED, Verdict.LINK_ENDED})
"""The reasons that answer FAMILY_ACCESS_RESTRICTED: a link is there, and bars this game."""
