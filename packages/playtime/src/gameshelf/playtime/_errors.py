"""Errors of playtime, with the contract's codes."""

from gameshelf.kernel.errors import DomainError, ResourceNotFound


class SessionNotFound(ResourceNotFound):
    """There is no such session of yours."""

    code = "SESSION_NOT_FOUND"


class FamilySeatLost(DomainError):
    """The owner plays this copy now; your session has ended."""

    code = "FAMILY_SEAT_LOST"


class SessionAlreadyEnded(DomainError):
    """This session has ended already."""

    code = "SESSION_ALREADY_ENDED"


class CorrectionsExceedPlay(DomainError):
    """Corrections take more than was played: take them back first."""

    code = "PRECONDITION_FAILED"
