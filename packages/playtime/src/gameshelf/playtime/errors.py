"""What playtime refuses, with the contract's codes."""

from gameshelf.kernel.errors import DomainError, NotFound


class SessionNotFound(NotFound):
    """There is no such session of yours."""

    code = "SESSION_NOT_FOUND"


class SessionAlreadyEnded(DomainError):
    """This session has ended already."""

    code = "SESSION_ALREADY_ENDED"
